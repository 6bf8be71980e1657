"""What can be known of an evaluation before a run: its speech views, and its packages."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from exemplars.core.preflight import Finding, Project, Severity
from stages.evaluate.params import EvaluateParams
from stages.evaluate.system_names import CASCADE, CONSTRAINED, RUNS

_TEXT_METRICS = ("bert_score", "rouge_score", "sacrebleu", "sentence_transformers")


def check_params(project: Project) -> Iterator[Finding]:
    """Find that the speech views are wanted, and no test row has one."""
    params: EvaluateParams | None = project.sections.get("evaluate")
    split = project.sections.get("split")
    if params is not None and split is not None and params.speech and "test" not in split.speech:
        yield project.report(
            Severity.WARNING,
            ("evaluate", "speech"),
            "no_speech_views",
            "evaluate.speech is true, but split.speech does not name test: there are no views to evaluate on",
            "add test to split.speech, or set evaluate.speech to false",
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
