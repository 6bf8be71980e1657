"""What can be known of an evaluation before a run: its speech views, and its packages."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from exemplars.core.errors import suggest_name
from exemplars.core.preflight import Finding, Project, Severity
from stages.evaluate.params import EvaluateParams
from stages.evaluate.system_names import CASCADE, CONSTRAINED, RUNS, list_names

_TEXT_METRICS = ("bert_score", "rouge_score", "sacrebleu", "sentence_transformers")


def check_params(project: Project) -> Iterator[Finding]:
    """Find names of systems that mean nothing, and that the speech views are wanted, but no test row has one."""
    params: EvaluateParams | None = project.sections.get("evaluate")
    split, train = project.sections.get("split"), project.sections.get("train")
    if params is not None and train is not None:
        yield from _find_unknown_systems(project, params, list_names(train.runs))
    if params is not None and split is not None and params.speech and "test" not in split.speech:
        yield project.report(
            Severity.WARNING,
            ("evaluate", "speech"),
            "no_speech_views",
            "evaluate.speech is true, but split.speech does not name test: there are no views to evaluate on",
            "add test to split.speech, or set evaluate.speech to false",
        )


def _find_unknown_systems(project: Project, params: EvaluateParams, known: list[str]) -> Iterator[Finding]:
    named = [(("compare", place), name) for place, name in enumerate(params.compare)]
    for keys, name in (*named, (("reference",), params.reference)):
        if name not in known:
            yield project.report(
                Severity.ERROR,
                ("evaluate", *keys),
                "unknown_system",
                f"evaluate.{keys[0]}: there is no system {name!r}",
                suggest_name(name, known) or f"name one of {', '.join(known)}",
            )


def check_machine(project: Project) -> Iterator[Finding]:
    """Find packages that the metrics or the constrained systems need."""
    params: EvaluateParams | None = project.sections.get("evaluate")
    if params is None:
        return
    needed = {name: ("evaluate", "text_metrics") for name in _TEXT_METRICS if params.text_metrics}
    if any(name in (RUNS, CASCADE) or name.endswith(CONSTRAINED) for name in params.compare):
        needed["xgrammar"] = ("evaluate", "compare")
    for name, keys in needed.items():
        if find_spec(name) is None:
            yield project.report(
                Severity.ERROR,
                keys,
                "missing_package",
                f"{'.'.join(keys)} needs the package {name}, which is not installed",
                "pip install -c constraints.txt -e '.[train]'",
            )
