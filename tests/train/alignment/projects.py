"""A project with a tiny base, its chat rows and preferences about them, and the trainings of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from exemplars.core import layout
from exemplars.core.digests import hash_content
from exemplars.core.files import write_json
from exemplars.core.tables import rows_to_table, write_table
from exemplars.dataset.catalog import build_tool_definition
from exemplars.models.base_models import FolderBase, find_base, load_tokenizer
from exemplars.models.chat_templates import encode_text, find_end_of_turn
from exemplars.models.preference_rows import PairSource, PreferenceRow
from exemplars.models.render_manifest import attach_manifest
from exemplars.models.rows import TrainingRow
from exemplars.models.run_manifest import Manifest, read_manifest
from stages.render.training_rows import render_split
from stages.train.params import RunParams, Shared
from stages.train.recipe_params import Dpo, Kto, Lora, Recipe, Reward, RewardKind, Rloo
from stages.train.run import keep_run
from stages.train.trainers import train_recipe
from tests.render.rows import SKILLS, params
from tests.tiny import make_render_manifest, save_tiny
from tests.train.test_recipes import SHARED
from tests.train.test_run import ROWS

SMALL: dict[str, Any] = {"rank": 4, "alpha": 8, "layers": None, "epochs": 1, "batch_rows": 4}
RECIPES: dict[str, Recipe] = {
    "lora": Lora(learning_rate=1e-2, rank=4, alpha=8),
    "dpo": Dpo(learning_rate=1e-2, chosen_weight=0.0, **SMALL),
    "kto": Kto(learning_rate=1e-2, **SMALL),
    "reward": Reward(learning_rate=1e-2, **SMALL),
    "rloo": Rloo(
        learning_rate=1e-2,
        rewards={RewardKind.TYPED: 1.0, RewardKind.EXACT: 1.0, RewardKind.GROUNDED: 1.0},
        prompts=4,
        answers=2,
        max_new_tokens=8,
        **SMALL,
    ),
}
WRONG = {"None": 'call(contact="mum")'}
"""A wrong answer for each right one; any other is answered by `None`."""


class AlignmentProject:
    """A project in the current folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / ".dvc").mkdir()
        self.base = FolderBase(path=str(save_tiny(root / "base")), license="MIT")
        self.files = find_base(self.base)
        self.tokenizer = load_tokenizer(self.files)
        self.rendered = make_render_manifest(self.base, self.files.sha256)
        split = render_split(ROWS, "train", SKILLS, self.tokenizer, params(rows_a_list=4), 400)
        self.rows = list(split.rows)
        self.preferences = [self.prefer(row) for row in self.rows]
        self.write()

    def prefer(self, row: TrainingRow, **changes: Any) -> PreferenceRow:
        """Prefer the right answer of a row to a wrong one."""
        right = row.messages[-1].content
        wrong = WRONG.get(right, "None")
        end = find_end_of_turn(self.tokenizer)
        preference = PreferenceRow(
            id=f"preferences:preferences.jsonl#{row.id}",
            pair=row.id,
            digest=hash_content(row.id.encode()),
            row=row.digests[0],
            exemplar_ids=row.exemplar_ids,
            digests=row.digests,
            source=PairSource.ERRORS,
            kind="missed",
            skill=None,
            group=row.group,
            license=row.license,
            origin=row.origin,
            messages=row.messages[:-1],
            tools=row.tools,
            prompt="",
            prompt_ids=row.input_ids[: row.prompt_tokens],
            chosen=right,
            rejected=wrong,
            chosen_ids=row.input_ids[row.prompt_tokens :],
            rejected_ids=(*encode_text(self.tokenizer, wrong), end),
        )
        return msgspec.structs.replace(preference, **changes)

    def write(self, validation: Sequence[TrainingRow] | None = None) -> None:
        """Write the tables that training reads. validation: by default the first two rows of train."""
        held_out = self.rows[:2] if validation is None else validation
        for name, rows in {"train": self.rows, "validation": held_out}.items():
            table = rows_to_table(rows, TrainingRow)
            write_table(layout.training(name), attach_manifest(table, self.rendered))
        table = rows_to_table(self.preferences, PreferenceRow)
        for name, part in {"train": table, "validation": table.slice(0, 2)}.items():
            write_table(layout.preferences(name), attach_manifest(part, self.rendered))
        write_json(layout.CATALOG, [build_tool_definition(skill) for skill in SKILLS.values()])

    def train(self, name: str, recipe: Recipe | None = None, **shared: Any) -> Manifest:
        """Train, keep the run, and return its manifest."""
        changed: Shared = msgspec.structs.replace(SHARED, **{"max_steps": 6, "epochs": 1.0, **shared})
        trained = train_recipe(RunParams(name, recipe or RECIPES[name], changed), layout.MODELS)
        assert trained is not None
        keep_run(trained, layout.model(name))
        return read_manifest(layout.model(name))
