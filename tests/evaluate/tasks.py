"""Four test turns under both conditions, for tests of systems and reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from exemplars.core.conditions import Condition
from exemplars.core.records import Exemplar
from exemplars.models.base_models import FolderBase
from exemplars.models.candidates import make_candidate_finder
from exemplars.models.prompt_style import CandidateSource
from exemplars.models.turns import collect_turns
from stages.evaluate.inputs import Inputs, build_tasks, encode_task
from stages.evaluate.params import EvaluateParams
from stages.evaluate.task import Task
from stages.render.prompt_sources import make_prompt_sources
from stages.render.training_rows import render_split
from stages.render.turn_models import NO_MODELS
from tests.render.rows import SKILLS, argument, exemplar, params
from tests.tiny import make_render_manifest

PARAMS = EvaluateParams(
    compare=("knn", "base"),
    reference="base",
    speech=True,
    max_new_tokens=40,
    batch_rows=3,
    retrieved_examples=2,
    resamples=50,
    seed=1,
    text_metrics=False,
    min_slice_rows=1,
)
ROWS = [
    exemplar(
        "ring dad at work", "call", argument("contact", "dad", "dad"), argument("device", "work"), group="a"
    ),
    exemplar("ring mum", "call", argument("contact", "mum", "mum"), group="a"),
    exemplar("ten minutes", "set_timer", argument("minutes", "10", "ten", "normalized"), group="b"),
    exemplar("thanks", None, mode="none", group="c"),
]
"""Sorted by id, as tasks have them."""
RANKED = (("call", "weather"), ("call", "weather"), ("call", "weather"), ("weather",))
"""The tools that prompts show under `end_to_end`: that of "ten minutes" misses its skill."""


def make_tasks(
    tokenizer: Any, rows: Sequence[Exemplar] = ROWS, ranked: Sequence[Sequence[str]] = RANKED, **rendered: Any
) -> Mapping[Condition, Task]:
    """Make the tasks of rows, which are train rows, too. rendered: parameters of `render`."""
    chosen = params(**rendered)
    sources = make_prompt_sources(chosen, rows, SKILLS, NO_MODELS)
    chat = render_split(rows, "test", SKILLS, tokenizer, chosen, 400, sources).rows
    base = FolderBase(path="base", license="MIT")
    manifest = make_render_manifest(base, "0" * 64)
    source = rendered.get("candidates", CandidateSource.NONE)
    manifest = msgspec.structs.replace(manifest, candidates=source)
    find_candidates = make_candidate_finder(manifest.style)
    inputs = Inputs(
        train=chat,
        turns=collect_turns(rows),
        rendered={row.id: row for row in chat},
        skills=SKILLS,
        manifest=manifest,
        seen_services=frozenset(),
        digests=frozenset(),
    )
    tasks = build_tasks(inputs, [list(range(len(chat)))] * len(rows), ranked, PARAMS, find_candidates)
    return {
        condition: encode_task(task, inputs.rendered.keys(), tokenizer, 400)
        for condition, task in tasks.items()
    }
