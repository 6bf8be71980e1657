"""Where prompts have their tools and candidate values from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from exemplars.core.records import Exemplar
from exemplars.dataset.catalog import Skill
from exemplars.models.candidates import choose_candidates, make_candidate_finder
from exemplars.models.prompt_style import CandidateSource
from exemplars.models.questions import Candidate
from exemplars.models.turns import TurnRows
from stages.render.params import RenderParams
from stages.render.tool_ranking import ToolRanker, make_tool_ranker
from stages.render.turn_models import TurnModels

TurnCandidateFinder = Callable[[Sequence[TurnRows]], list[tuple[Candidate, ...]]]
"""Finds the candidate values of turns, without knowledge of rows of the same group."""


class PromptSources(NamedTuple):
    """Where prompts have their tools and candidate values from."""

    rank_tools: ToolRanker | None = None
    """`None`: tools are sampled."""
    find_candidates: TurnCandidateFinder | None = None
    """`None`: prompts show no values."""


NO_SOURCES: Final = PromptSources()


def make_prompt_sources(
    params: RenderParams, rows: Iterable[Exemplar], skills: Mapping[str, Skill], models: TurnModels
) -> PromptSources:
    """Make what the parameters name; arguments as for `make_tool_ranker`."""
    return PromptSources(
        make_tool_ranker(params, rows, skills, models), _make_turn_candidate_finder(params, models)
    )


def _make_turn_candidate_finder(params: RenderParams, models: TurnModels) -> TurnCandidateFinder | None:
    match params.candidates:
        case CandidateSource.NONE:
            return None
        case CandidateSource.TAGGER:
            return lambda turns: [
                choose_candidates(said, params.values) for said in models.list_tagged(turns)
            ]
        case CandidateSource.RECOGNIZER:
            find = make_candidate_finder(params.style, models.recognizers)
            return lambda turns: find([turn.question for turn in turns])
