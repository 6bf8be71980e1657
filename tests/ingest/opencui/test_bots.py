"""Bots of opendu's forms as the pipeline reads them: no template is lost."""

from __future__ import annotations

from typing import Any

import pyarrow.parquet as pq
import pytest

from exemplars.core.records import LabelledArgument, Reason
from stages.ingest.opencui import parse_bot
from stages.ingest.reading import Reading, SourceInfo
from tests.conftest import Workspace
from tests.ingest.opencui.bots import GARAGE, NURSERY, write_bot

PARAMS = """\
ingest: {context_turns: 4, sources: {bots: {format: opencui, path: raw, license: MIT, instances_a_template: 2}}}
compile: {recognizers: schemas/recognizers.json}
validate: {max_rejection_rate: 0.0}
"""


def parse(bot: dict[str, Any], **documents: Any) -> Reading:
    changed = {**bot, **{f"{name}.json": document for name, document in documents.items()}}
    return parse_bot(SourceInfo("bots", "MIT"), write_bot(changed), 1)


@pytest.fixture
def project(workspace: Workspace) -> Workspace:
    workspace.write("params.yaml", PARAMS)
    for name, bot in (("nursery", NURSERY), ("garage", GARAGE)):
        for file, data in write_bot(bot).items():
            workspace.write(f"raw/{name}/{file}", data)
    for command in (("stages.ingest", "bots"), ("stages.compile",)):
        done = workspace.run(*command)
        assert done.returncode == 0, done.stderr
    return workspace


def test_every_template_is_an_exemplar_or_a_template_for_retrieval(project: Workspace) -> None:
    exemplars = pq.read_table(project.root / "data/exemplars/exemplars.parquet").to_pylist()
    templates = pq.read_table(project.root / "data/exemplars/templates.parquet").to_pylist()
    assert pq.read_metadata(project.root / "data/exemplars/rejections.parquet").num_rows == 0
    written = {
        f"bots:{name}/exemplars.json#/{skill}/{index}"
        for name, bot in (("nursery", NURSERY), ("garage", GARAGE))
        for skill, entries in bot["exemplars.json"].items()
        for index in range(len(entries))
    }
    filled = {row["id"].rpartition("/")[0] for row in exemplars}
    assert len(written) == 11
    assert filled | {row["id"] for row in templates} == written
    assert not filled & {row["id"] for row in templates}
    assert [(row["id"], row["skill"], row["template"], row["mode"]) for row in templates] == [
        ("bots:garage/exemplars.json#/BookService/2", "BookService", "can you see me on <day>?", "normal"),
        ("bots:garage/exemplars.json#/BookService/3", "BookService", "<day>", "extended"),
        (
            "bots:nursery/exemplars.json#/OrderPlants/4",
            "OrderPlants",
            "reserve <plants[0].species> until <pickup>",
            "normal",
        ),
        (
            "bots:nursery/exemplars.json#/OrderPlants/5",
            "OrderPlants",
            "write <plants[0].labels[0]> and <plants[0].labels[1]> on the <plants[0].species>",
            "normal",
        ),
    ]
    assert templates[1]["context"] == [{"speaker": "assistant", "utterance": "Book a service: day?"}]
    assert templates[0]["origin"]["locator"] == "/BookService/2"
    assert templates[0]["license"] == "MIT"


def test_the_leaves_of_items_are_grounded_by_their_paths(project: Workspace) -> None:
    exemplars = pq.read_table(project.root / "data/exemplars/exemplars.parquet").to_pylist()
    by_id = {row["id"]: row for row in exemplars}
    row = by_id["bots:nursery/exemplars.json#/OrderPlants/3/0"]
    assert row["exemplar"] == (
        "<plants[0].count> <plants[0].species> and <plants[1].count> <plants[1].species>"
    )
    assert [(argument["slot"], argument["value"]) for argument in row["arguments"]] == [
        ("plants[0].count", "3"),
        ("plants[0].species", "fern"),
        ("plants[1].count", "3"),
        ("plants[1].species", "fern"),
    ]


def test_the_reports_count_the_templates(project: Workspace) -> None:
    done = project.run("stages.compile")
    assert done.stdout.startswith("compile: 16 records in, 12 kept, 4 templates without values, 0 rejected")


def test_the_parts_of_other_schemas_are_no_skills() -> None:
    assert [skill.name for skill in parse(NURSERY).skills] == ["OrderPlants"]
    assert [skill.name for skill in parse(GARAGE).skills] == ["BookService", "ShowPrices"]


def test_a_recognizer_is_found_by_slot_by_name_and_by_the_name_of_a_type() -> None:
    [skill] = parse(NURSERY).skills
    found = {
        path: leaf.recognizer
        for path in ("plants[0].species", "plants[0].count", "plants[0].pot", "plants[0].labels[0]")
        if (leaf := skill.find_parameter(path)) is not None
    }
    assert found == {
        "plants[0].species": "PlantName",
        "plants[0].count": "Count",
        "plants[0].pot": "potsize",
        "plants[0].labels[0]": None,
    }
    schemas = {"skills": [{"name": "order", "slots": ["what"]}], "slots": {"what": {"type": "plantname"}}}
    [skill] = parse(NURSERY, schemas=schemas, exemplars={}).skills
    assert skill.parameters[0].recognizer == "PlantName"


def test_values_come_from_the_enumeration_or_the_examples() -> None:
    records = parse(GARAGE).records
    assert [record.arguments for record in records if record.arguments] == [
        (LabelledArgument("kind", "oil change", ("oil change",), 16, 26),),
        (LabelledArgument("wheels", "2", ("2",), 7, 8),),
        (LabelledArgument("part", "clutch", ("clutch",), 14, 20),),
    ]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("some <specie>", "<specie>, expected one of plants.species, plants.pot, plants.count, plants.labels, pickup"),
        ("some <specie>", "did you mean 'species'?"),
        ("on <pickup> or <pickup>", "found a slot twice, expected each slot once"),
        ("a <plants[1].pot> pot", "'plants' is a list that leaves out an item"),
    ],
)  # fmt: skip
def test_a_slot_that_no_leaf_has_is_rejected_with_a_guess(template: str, message: str) -> None:
    [rejection] = parse(NURSERY, exemplars={"OrderPlants": [{"template": template}]}).rejections
    assert rejection.reason in (Reason.UNKNOWN_SLOT, Reason.DUPLICATE_SLOT)
    assert message in rejection.message


def test_a_name_of_two_leaves_is_rejected_and_a_path_tells_them_apart() -> None:
    person = {"type": "object", "properties": {"name": {"type": "string", "examples": ["Ada"]}}}
    schemas = [
        {
            "name": "introduce",
            "parameters": {"type": "object", "properties": {"guest": person, "host": person}},
        }
    ]
    rows = [{"template": "meet <name>"}, {"template": "meet <host.name>"}]
    reading = parse(NURSERY, schemas=schemas, exemplars={"introduce": rows})
    assert [rejection.message for rejection in reading.rejections] == [
        "exemplars.json#/introduce/0: found <name>, which may be several, expected one of guest.name, host.name; "
        "correct the template, or the other files of the bot"
    ]
    assert [record.arguments[0].slot for record in reading.records] == ["host.name"]


def test_a_schema_that_leads_back_to_itself_leaves_the_rest() -> None:
    node = {
        "type": "object",
        "properties": {
            "drink": {"type": "string", "enum": ["tea"]},
            "next": {"$ref": "#/components/schemas/Order"},
            "other": {"$ref": "#/components/schemas/Absent"},
        },
    }
    schemas = {"openapi": "3.0.0", "paths": {}, "components": {"schemas": {"Order": node}}}
    reading = parse(NURSERY, schemas=schemas, exemplars={"Order": [{"template": "bring <drink>"}]})
    assert [(record.utterance, record.skill) for record in reading.records] == [("bring tea", "Order")]
    [skill] = reading.skills
    assert [parameter.schema for parameter in skill.parameters[1:]] == [
        {
            "type": "object",
            "properties": {
                "drink": {"type": "string", "enum": ["tea"]},
                "next": {"x-cycle": "#/components/schemas/Order"},
                "other": {"x-unresolved": "#/components/schemas/Absent"},
            },
        },
        {"x-unresolved": "#/components/schemas/Absent"},
    ]
