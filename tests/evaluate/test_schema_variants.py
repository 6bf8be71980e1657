"""SGD-X: the same services with names and descriptions that other people wrote."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exemplars.core.errors import UserError
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.models.rows import Answer, TargetCall
from stages.evaluate.params import EvaluateParams, Robustness
from stages.evaluate.renaming import rename_call
from stages.evaluate.robustness import find_release
from stages.evaluate.schema_variants import rename_by_variant
from tests.conftest import PROJECT

ARCHIVE = Path(os.environ.get("SGD_ARCHIVE") or PROJECT.parent / "shared/sgd/sgd.tar.xz")
FIND = Skill(
    "Buses_3_FindBus",
    "Find a bus: Search",
    (Parameter("from_city", description="City"), Parameter("note"), Parameter("seats", type="integer")),
)
CALL = Skill("call", "Ring", (Parameter("contact"),))
SKILLS = {skill.name: skill for skill in (FIND, CALL)}


def service(name: str, intent: str, slots: list[str], about: str = "") -> dict[str, Any]:
    return {
        "service_name": name,
        "description": f"{about}Buses",
        "slots": [{"name": slot, "description": f"{about}{slot}", "is_categorical": False} for slot in slots],
        "intents": [{"name": intent, "description": f"{about}Search", "required_slots": slots}],
    }


def write(folder: Path, path: str, services: list[dict[str, Any]]) -> None:
    place = folder / path / "schema.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(services), encoding="utf-8")


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A release with one service, and its second variant."""
    write(tmp_path, "test", [service("Buses_3", "FindBus", ["from_city", "price", "seats"])])
    variant = service("Buses_32", "SearchItinerary", ["departure_city", "cost", "tickets"], "Other ")
    write(tmp_path, "sgd_x/v2/test", [variant])
    return tmp_path


def test_skills_of_the_services_have_the_names_and_descriptions_of_the_variant(release: Path) -> None:
    renamed = rename_by_variant(SKILLS, release, 2)
    assert renamed["call"] is CALL
    changed = renamed["Buses_3_FindBus"]
    assert (changed.name, changed.description) == ("Buses_32_SearchItinerary", "Other Buses: Other Search")
    assert [(parameter.name, parameter.description, parameter.type) for parameter in changed.parameters] == [
        ("departure_city", "Other departure_city", FIND.parameters[0].type),
        ("note", "", FIND.parameters[1].type),
        ("tickets", "Other tickets", "integer"),
    ]
    call = TargetCall(FIND.name, (Answer("seats", "2", ("2", "two"), "normalized"),))
    assert rename_call(call, FIND, changed) == TargetCall(
        "Buses_32_SearchItinerary", (Answer("tickets", "2", ("2", "two"), "normalized"),)
    )


def test_a_variant_that_is_missing_or_of_another_schema_is_refused(release: Path) -> None:
    with pytest.raises(UserError, match=r"sgd_x/v3/test/schema.json: .*let evaluate.schema_variants name"):
        rename_by_variant(SKILLS, release, 3)
    write(release, "sgd_x/v2/test", [service("Buses_32", "SearchItinerary", ["departure_city"])])
    with pytest.raises(
        UserError, match="found Buses_32 with 1 slots and 1 intents, expected 3 and 1, as Bus"
    ):
        rename_by_variant(SKILLS, release, 2)
    write(release, "sgd_x/v2/test", [])
    with pytest.raises(UserError, match="found 0 services, expected 1, as the original has"):
        rename_by_variant(SKILLS, release, 2)


def test_a_catalog_without_the_services_is_refused(release: Path) -> None:
    with pytest.raises(UserError, match="found no skill of the catalog in its schemas"):
        rename_by_variant({"call": CALL}, release, 2)


def test_a_variant_needs_a_folder_that_dvc_depends_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = EvaluateParams(robustness=(Robustness.TOOLS_SHUFFLED,))
    assert find_release(params) is None
    params = msgspec.structs.replace(params, robustness=(Robustness.SCHEMA_V4,))
    with pytest.raises(UserError, match=r"found schema_v4 in evaluate.robustness, and no evaluate.schema_v"):
        find_release(params)
    monkeypatch.chdir(tmp_path)
    params = msgspec.structs.replace(params, schema_variants="data/raw/sgd-official")
    assert find_release(params) == Path("data/raw/sgd-official")
    (tmp_path / "code.yaml").write_text("code: {}", encoding="utf-8")
    (tmp_path / "dvc.yaml").write_text("stages: {evaluate: {deps: [models]}}", encoding="utf-8")
    with pytest.raises(UserError, match="evaluate reads data/raw/sgd-official, which is not among its dep"):
        find_release(params)


@pytest.mark.skipif(not ARCHIVE.exists(), reason="needs the release of SGD: set SGD_ARCHIVE")
def test_all_services_of_the_release_have_their_five_variants(tmp_path: Path) -> None:
    with tarfile.open(ARCHIVE) as archive:
        members = [member for member in archive if member.name.endswith("schema.json")]
        archive.extractall(tmp_path, members, filter="data")
    release = tmp_path / "sgd"
    skills = {
        f"{service['service_name']}_{intent['name']}": Skill(
            f"{service['service_name']}_{intent['name']}",
            parameters=tuple(Parameter(slot["name"]) for slot in service["slots"]),
        )
        for folder in ("train", "dev", "test")
        for service in json.loads((release / folder / "schema.json").read_bytes())
        for intent in service["intents"]
    }
    for version in range(1, 6):
        renamed = rename_by_variant(skills, release, version)
        assert renamed.keys() == skills.keys()
        assert len({skill.name for skill in renamed.values()}) == len(skills)
        assert all(renamed[name].name != name for name in skills)
