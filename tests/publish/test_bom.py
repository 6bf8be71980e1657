from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from exemplars.models.base_models import FolderBase, HubBase, PackagedBase
from stages.publish.bom import base_name, ml_bom
from stages.publish.facts import Facts
from tests.publish.tree import read_facts, write_tree


def check(document: dict[str, Any]) -> None:
    """Raise unless the library's own validator accepts it."""
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))
    assert problem is None, str(problem)[:500]


def component(document: dict[str, Any], ref: str) -> dict[str, Any]:
    [found] = [one for one in document["components"] if one["bom-ref"] == ref]
    return found


def test_models_data_and_packages_are_components_with_hashes_and_licences(facts: Facts) -> None:
    document = ml_bom(facts)
    check(document)
    assert [(one["type"], one["name"]) for one in document["components"]] == [
        ("data", "small-set/test"),
        ("data", "small-set/train"),
        ("data", "small-set/validation"),
        ("library", "peft"),
        ("library", "torch"),
        ("machine-learning-model", "Tiny.Q4"),
        ("machine-learning-model", "lora"),
    ]
    base = component(document, f"base-{'b' * 64}")
    assert base["hashes"] == [{"alg": "SHA-256", "content": "b" * 64}]
    assert base["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    train = component(document, "train")
    assert train["hashes"] == [{"alg": "SHA-256", "content": facts.splits[0].file.sha256}]
    assert train["licenses"] == [{"expression": "CC-BY-SA-4.0 AND (MIT OR LicenseRef-notes)"}]
    assert train["data"][0]["sensitiveData"] == ["phone: 2 in all splits together"]
    assert component(document, "pkg:pypi/torch@2.13.0%2Bcpu")["version"] == "2.13.0+cpu"


def test_a_run_depends_on_its_base_its_data_and_its_packages(facts: Facts) -> None:
    edges = {one["ref"]: one.get("dependsOn", []) for one in ml_bom(facts)["dependencies"]}
    assert edges["lora-1-2"] == [
        f"base-{'b' * 64}",
        "pkg:pypi/peft@0.21.2",
        "pkg:pypi/torch@2.13.0%2Bcpu",
        "train",
    ]
    assert edges["small-set"] == ["test", "train", "validation"]


def test_the_model_card_tells_data_figures_and_limits(facts: Facts) -> None:
    card = component(ml_bom(facts), "lora-1-2")["modelCard"]
    assert card["modelParameters"]["datasets"] == [{"ref": "train"}]
    assert card["quantitativeAnalysis"]["performanceMetrics"][0] == {
        "type": "exact_match",
        "value": "0.5",
        "slice": "test, tuned",
        "confidenceInterval": {"lowerBound": "0.25", "upperBound": "0.75"},
    }
    assert card["considerations"] == {"useCases": ["Tests."], "technicalLimitations": ["It is small."]}


def test_it_has_no_clock_and_another_serial_number_for_other_data(facts: Facts) -> None:
    document = ml_bom(facts)
    assert document == ml_bom(facts)
    assert document["metadata"]["timestamp"] == "2026-10-02T00:00:00+00:00"
    file = msgspec.structs.replace(facts.splits[0].file, sha256="0" * 64)
    other = (msgspec.structs.replace(facts.splits[0], file=file), *facts.splits[1:])
    assert ml_bom(msgspec.structs.replace(facts, splits=other))["serialNumber"] != document["serialNumber"]


def test_it_is_valid_without_a_model_and_with_a_licence_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(tmp_path, {"forum": "LicenseRef-forum"}, model=False)
    monkeypatch.chdir(tmp_path)
    document = ml_bom(read_facts())
    check(document)
    assert component(document, "test")["licenses"] == [{"expression": "LicenseRef-forum"}]


def test_a_base_whose_licence_is_no_expression_is_told_with_its_words(facts: Facts) -> None:
    [model] = facts.models
    manifest = msgspec.structs.replace(model.manifest, base_license="as the vendor says (2025)")
    changed = msgspec.structs.replace(facts, models=(msgspec.structs.replace(model, manifest=manifest),))
    document = ml_bom(changed)
    check(document)
    base = component(document, f"base-{'b' * 64}")
    assert base["licenses"] == [{"license": {"name": "as the vendor says (2025)"}}]


def test_a_base_is_called_by_its_file_folder_or_id() -> None:
    bases = (
        PackagedBase("p", "Tiny.Q4.gguf", "0", "MIT"),
        FolderBase("models/x", "MIT"),
        HubBase("a/b", "main", "MIT"),
    )
    assert [base_name(one) for one in bases] == ["Tiny.Q4", "models/x", "a/b"]
