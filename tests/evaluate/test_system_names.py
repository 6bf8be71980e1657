from __future__ import annotations

import pytest

from exemplars.core.errors import UserError
from stages.evaluate.system_names import Role, choose_systems

ROLES = {
    "retriever": Role.RETRIEVER,
    "tagger": Role.TAGGER,
    "lora": Role.LANGUAGE_MODEL,
    "dora": Role.LANGUAGE_MODEL,
}


def test_runs_are_all_that_answer_and_language_models_also_constrained() -> None:
    systems = choose_systems(("knn", "runs", "cascade"), "cascade", ROLES)
    assert list(systems) == [
        *("knn", "tagger", "lora", "lora_constrained", "dora", "dora_constrained", "cascade")
    ]
    assert (systems["cascade"].run, systems["cascade"].fallback) == ("tagger", "lora_constrained")
    assert list(choose_systems(("base_constrained", "dora", "dora"), "dora", ROLES)) == [
        "base_constrained",
        "dora",
    ]


def test_all_unknown_names_are_reported_with_a_guess() -> None:
    with pytest.raises(UserError) as raised:
        choose_systems(("loara", "tuned", "cascade"), "base", {"lora": Role.LANGUAGE_MODEL})
    assert [(problem.path, problem.found, problem.fix) for problem in raised.value.diagnostics] == [
        ("params.yaml: evaluate.compare", "no system 'loara'", "did you mean 'lora'?"),
        ("params.yaml: evaluate.compare", "no system 'tuned'", "correct it in params.yaml"),
        (
            "params.yaml: evaluate.compare",
            "cascade without a tagger and a language model",
            "add both to train.runs, or name other systems in evaluate.compare and evaluate.reference",
        ),
        ("params.yaml: evaluate.reference", "no system 'base'", "correct it in params.yaml"),
    ]
