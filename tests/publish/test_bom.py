from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from exemplars.models.base_models import FolderBase, HubBase, PackagedBase
from stages.publish.bom import build_ml_bom
from stages.publish.facts import ReleaseFacts, name_base
from tests.publish.tree import read_facts, write_tree


def check_valid(document: dict[str, Any]) -> None:
    """Assert that the library's own validator accepts a document."""
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))
    assert problem is None, str(problem)[:500]


def component(document: dict[str, Any], ref: str) -> dict[str, Any]:
    [match] = [part for part in document["components"] if part["bom-ref"] == ref]
    return match


def test_models_splits_and_packages_are_components_with_hashes_and_licenses(facts: ReleaseFacts) -> None:
    document = build_ml_bom(facts)
    check_valid(document)
    assert [(part["type"], part["name"]) for part in document["components"]] == [
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


def test_a_run_depends_on_its_base_its_splits_and_its_packages(facts: ReleaseFacts) -> None:
    edges = {edge["ref"]: edge.get("dependsOn", []) for edge in build_ml_bom(facts)["dependencies"]}
    assert edges["lora-1-2"] == [
        f"base-{'b' * 64}",
        "pkg:pypi/peft@0.21.2",
        "pkg:pypi/torch@2.13.0%2Bcpu",
        "train",
    ]
    assert edges["small-set"] == ["test", "train", "validation"]


def test_the_model_card_has_datasets_metrics_and_limits(facts: ReleaseFacts) -> None:
    card = component(build_ml_bom(facts), "lora-1-2")["modelCard"]
    assert card["modelParameters"]["datasets"] == [{"ref": "train"}]
    assert card["quantitativeAnalysis"]["performanceMetrics"][0] == {
        "type": "exact_match",
        "value": "0.5",
        "slice": "test, lora",
        "confidenceInterval": {"lowerBound": "0.25", "upperBound": "0.75"},
    }
    assert card["considerations"] == {"useCases": ["Tests."], "technicalLimitations": ["It is small."]}


def test_the_bom_depends_on_no_clock_and_its_serial_number_on_the_data(facts: ReleaseFacts) -> None:
    document = build_ml_bom(facts)
    assert document == build_ml_bom(facts)
    assert document["metadata"]["timestamp"] == "2026-10-02T00:00:00+00:00"
    file = msgspec.structs.replace(facts.splits[0].file, sha256="0" * 64)
    splits = (msgspec.structs.replace(facts.splits[0], file=file), *facts.splits[1:])
    assert (
        build_ml_bom(msgspec.structs.replace(facts, splits=splits))["serialNumber"]
        != document["serialNumber"]
    )


def test_the_bom_is_valid_without_a_model_and_with_a_custom_license(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(tmp_path, {"forum": "LicenseRef-forum"}, model=False)
    monkeypatch.chdir(tmp_path)
    document = build_ml_bom(read_facts())
    check_valid(document)
    assert component(document, "test")["licenses"] == [{"expression": "LicenseRef-forum"}]


def test_a_base_license_that_is_not_an_expression_becomes_a_license_name(facts: ReleaseFacts) -> None:
    [model] = facts.models
    manifest = msgspec.structs.replace(model.manifest, base_license="as the vendor says (2025)")
    changed = msgspec.structs.replace(facts, models=(msgspec.structs.replace(model, manifest=manifest),))
    document = build_ml_bom(changed)
    check_valid(document)
    base = component(document, f"base-{'b' * 64}")
    assert base["licenses"] == [{"license": {"name": "as the vendor says (2025)"}}]


def test_a_base_is_named_by_its_file_folder_or_id() -> None:
    bases = (
        PackagedBase("p", "Tiny.Q4.gguf", "0", "MIT"),
        FolderBase("models/x", "MIT"),
        HubBase("a/b", "main", "MIT"),
    )
    assert [name_base(base) for base in bases] == ["Tiny.Q4", "models/x", "a/b"]
