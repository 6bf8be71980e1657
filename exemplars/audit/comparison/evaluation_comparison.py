"""The comparison of two evaluations: the document that `exemplars compare --format json` prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from exemplars.audit.comparison.evaluated_revision import (
    Answered,
    EvaluatedRevision,
    list_changed_inputs,
    read_task,
)
from exemplars.core.errors import Diagnostic, UserError

if TYPE_CHECKING:
    from exemplars.core.bootstrap import Columns, Figure, Metric, Resamples
    from exemplars.models.scoring import Score
    from stages.evaluate.task import Task

_DEFAULTS: Final = {"resamples": 1000, "seed": 1, "min_slice_rows": 5}
"""Parameters of `evaluate` that a revision may not have recorded."""
_ALPHA: Final = 0.05
_COMMON_FIX: Final = "compare revisions with the same test split, call format and views"


def compare_evaluations(
    old: EvaluatedRevision, new: EvaluatedRevision, system: str | None = None
) -> dict[str, Any]:
    """Compare the answers of a system at two revisions, over the test rows that both answered.

    system: `None`: the reference system of the newer revision. All answers are scored again, against the rows of
    the newer revision. Raises `UserError` if a revision has no such system, or if they have no test row in common.
    """
    from exemplars.core.bootstrap import Resamples
    from stages.evaluate.evaluation import score_replies
    from stages.evaluate.metrics import build_count_columns
    from stages.evaluate.replies import Reply

    names = _choose_systems(old, new, system)
    answers = (old.answers[names[0]], new.answers[names[1]])
    common = _find_common_rows(*answers)
    task = read_task(new, common)
    if not task.rows:
        raise _build_problem(new, "no test row that both revisions answered", "some in common", _COMMON_FIX)
    scores = [
        score_replies(task, [Reply(by_id[row.id].predicted, by_id[row.id].ended) for row in task.rows])
        for by_id in answers
    ]
    columns = [build_count_columns(by_row) for by_row in scores]
    settings = {**_DEFAULTS, **new.settings}
    groups = [row.group for row in task.rows]
    resamples = Resamples(groups, settings["resamples"], settings["seed"])
    return {
        "old": _describe_revision(old, names[0]),
        "new": _describe_revision(new, names[1]),
        "rows": _count_rows(answers, len(task.rows)),
        "notes": list(_list_notes(old, new, names, answers, len(task.rows))),
        "systems": _compare_systems(old.report["systems"], new.report["systems"]),
        **_compare_figures(resamples, columns, len(task.rows)),
        "slices": _compare_slices(resamples, columns, task, settings["min_slice_rows"]),
        **_list_changed_answers(task, answers, scores),
    }


def _choose_systems(old: EvaluatedRevision, new: EvaluatedRevision, system: str | None) -> tuple[str, str]:
    """Choose the system of each revision; without a choice, that of the older may have another name."""
    if system is None:
        chosen = str(new.report["reference"])
        return (chosen if chosen in old.answers else str(old.report["reference"])), chosen
    for side in (old, new):
        if system not in side.answers:
            known = ", ".join(sorted(side.answers))
            raise _build_problem(side, f"no system {system!r}", f"one of {known}", "choose another --system")
    return system, system


def _find_common_rows(old: Mapping[str, Answered], new: Mapping[str, Answered]) -> set[str]:
    """Find the ids of the rows that both have, with the same text and the same right answer."""
    return {row_id for row_id, answer in new.items() if row_id in old and old[row_id][:2] == answer[:2]}


def _describe_revision(side: EvaluatedRevision, system: str) -> dict[str, Any]:
    return {
        "revision": side.revision.name,
        "commit": side.revision.commit,
        "run": side.report["run"],
        "system": system,
        "rows": len(side.answers[system]),
    }


def _count_rows(answers: Sequence[Mapping[str, Answered]], compared: int) -> dict[str, int]:
    old, new = answers
    shared = old.keys() & new.keys()
    return {
        "compared": compared,
        "only_old": len(old.keys() - shared),
        "only_new": len(new.keys() - shared),
        "changed": len(shared) - len(_find_common_rows(old, new)),
    }


def _list_notes(
    old: EvaluatedRevision,
    new: EvaluatedRevision,
    names: tuple[str, str],
    answers: Sequence[Mapping[str, Answered]],
    compared: int,
) -> Iterable[str]:
    if old.report["run"] == new.report["run"]:
        yield f"both revisions evaluated the run {new.report['run']}"
    if names[0] != names[1]:
        yield f"the systems differ: {names[0]} before, {names[1]} after"
    counts = _count_rows(answers, compared)
    if counts["only_old"] or counts["only_new"] or counts["changed"]:
        yield (
            f"the test rows differ: {counts['only_old']:,} only before, {counts['only_new']:,} only after, "
            f"{counts['changed']:,} with another text or answer; the {compared:,} that are the same are compared"
        )
    if changed := list(list_changed_inputs(old.revision, new.revision)):
        yield f"not only the model may have changed the answers, but also {', '.join(changed)}"


def _compare_systems(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Pair the exact match of every system in both reports, each over all rows of its own test set."""
    return [
        {"system": name, **{side: systems.get(name, {}).get("exact_match") for side, systems in sides}}
        for sides in [(("old", old), ("new", new))]
        for name in dict.fromkeys([*new, *old])
    ]


def _compare_figures(resamples: Resamples, columns: Sequence[Columns], rows: int) -> dict[str, Any]:
    from exemplars.core.bootstrap import round_figure
    from stages.evaluate.metrics import CALL_METRICS

    old, new = (resamples.compute_figures(side, range(rows), CALL_METRICS) for side in columns)
    comparison = resamples.compare(columns[1], columns[0], range(rows), CALL_METRICS)
    return {
        "figures": [
            {
                "metric": metric,
                "old": round_figure(old[metric]),
                "new": round_figure(new[metric]),
                "difference": round_figure(difference),
                "moved": _excludes_zero(difference),
            }
            for metric, difference in comparison.differences.items()
        ],
        "mcnemar": {
            "newly_right": comparison.only_first,
            "newly_wrong": comparison.only_second,
            "p_value": round(comparison.p_value, 6),
            "warning": comparison.warning,
        },
    }


def _compare_slices(
    resamples: Resamples, columns: Sequence[Columns], task: Task, minimum: int
) -> list[dict[str, Any]]:
    """Compare exact match by slice, the slices that moved first.

    A slice moved if the interval of its difference excludes 0, and if it also does after a correction for the
    number of slices (Benjamini and Hochberg), since of many slices some always differ by luck.
    """
    from scipy.stats import false_discovery_control

    from exemplars.core.bootstrap import compute_mcnemar_p_value, round_figure
    from stages.evaluate.slices import group_by_slice

    exact = {side: by_name["exact"] for side, by_name in zip(("old", "new"), columns, strict=True)}
    metrics = _build_slice_metrics()
    slices: list[dict[str, Any]] = []
    for dimension, values in group_by_slice(task.rows, task.seen_services, task.condition).items():
        for name, places in values.items():
            if len(places) < minimum or len(places) == len(task.rows):
                continue
            figures = resamples.compute_figures(exact, places, metrics)
            change = exact["new"][places] - exact["old"][places]
            slices.append(
                {
                    "dimension": dimension,
                    "slice": name,
                    "rows": len(places),
                    **{part: round_figure(figure) for part, figure in figures.items()},
                    "p_value": compute_mcnemar_p_value(int((change > 0).sum()), int((change < 0).sum())),
                    "moved": _excludes_zero(figures["difference"]),
                }
            )
    adjusted = false_discovery_control([part["p_value"] for part in slices]) if slices else ()
    for part, p_value in zip(slices, adjusted, strict=True):
        part["p_value"], part["adjusted_p_value"] = round(part["p_value"], 6), round(float(p_value), 6)
        part["moved"] = part["moved"] and bool(p_value <= _ALPHA)
    return sorted(slices, key=lambda part: (not part["moved"], part["p_value"], -abs(_get_value(part))))


def _build_slice_metrics() -> dict[str, Metric]:
    """Build the metrics of columns `old` and `new`, which say whether an answer is right."""
    from exemplars.core.bootstrap import divide_or_nan

    return {
        "old": lambda sums: divide_or_nan(sums["old"], sums["rows"]),
        "new": lambda sums: divide_or_nan(sums["new"], sums["rows"]),
        "difference": lambda sums: divide_or_nan(sums["new"] - sums["old"], sums["rows"]),
    }


def _get_value(part: Mapping[str, Any]) -> float:
    return float(part["difference"]["value"] or 0)


def _excludes_zero(figure: Figure) -> bool:
    return figure.low is not None and figure.high is not None and (figure.low > 0 or figure.high < 0)


def _list_changed_answers(
    task: Task, answers: Sequence[Mapping[str, Answered]], scores: Sequence[Sequence[Score]]
) -> dict[str, list[dict[str, Any]]]:
    """List the rows that only one of the two revisions answers right."""
    changed: dict[str, list[dict[str, Any]]] = {"newly_wrong": [], "newly_right": []}
    for row, old, new in zip(task.rows, *scores, strict=True):
        if old.exact == new.exact:
            continue
        changed["newly_right" if new.exact else "newly_wrong"].append(
            {
                "id": row.id,
                "utterance": row.utterance,
                "skill": next(iter(row.skills), None),
                "expected": answers[1][row.id].right,
                "before": answers[0][row.id].predicted,
                "got": answers[1][row.id].predicted,
                "error": (old if new.exact else new).kind.value,
            }
        )
    return changed


def _build_problem(side: EvaluatedRevision, found: str, expected: str, fix: str) -> UserError:
    place = side.revision.name
    return UserError([Diagnostic(path=place, code="not_compared", found=found, expected=expected, fix=fix)])
