"""A project with a tiny tagger and a tiny language model, both real."""

from __future__ import annotations

from exemplars.core import layout
from exemplars.core.files import write_bytes, write_json
from exemplars.dataset.catalog import encode_catalog
from exemplars.models.base_models import FolderBase, hash_model
from exemplars.models.prompt_style import PromptStyle
from tests.models.tagger.rows import SKILLS
from tests.runs import make_manifest
from tests.tiny import TEMPLATE, save_tiny
from tests.train.tagger.trained import train_tiny


def build_trained_project() -> None:
    """Build a project in the working folder: a tagger that knows its rows by heart, and a language model of noise."""
    train_tiny(epochs=40)
    save_language_model("lora")
    write_bytes(layout.CATALOG, encode_catalog(SKILLS))


def save_language_model(recipe: str, template: str = TEMPLATE) -> None:
    """Save a language model with random weights as the run of a recipe. template: of its chats."""
    folder = layout.model(recipe)
    weights = save_tiny(folder / "weights", template)
    base = FolderBase(path=str(weights), license="MIT")
    sha256 = hash_model(weights)
    manifest = make_manifest(
        run=f"{recipe}-1-2",
        recipe=recipe,
        params={"recipe": {"method": "full"}},
        base=base,
        base_sha256=sha256,
        weights_sha256=sha256,
        style=PromptStyle(),
    )
    write_json(folder / "manifest.json", manifest)
