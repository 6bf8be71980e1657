"""`exemplars check` on a project: all problems at once, each with its line, before any stage runs."""

from __future__ import annotations

import json

import jsonschema
import pytest

from exemplars.cli.annotations import Annotation, build_sarif
from exemplars.core.errors import Diagnostic
from tests.conftest import Workspace

PARAMS = """\
ingest:
  sources:
    hotel: {format: skills, path: raw/hotel, license: LicenseRef-hotel, none_skill: other}
    logs: {format: jsonl, path: raw/logs, license: LicenseRef-logs}
validate:
  min_exemplars: 3
  max_skill_share: 0.6
publish:
  name: hotel
  title: Hotel
  released: "2026-01-01"
"""
BOOK = """\
#### Prompt:
book_room(city="[city]")
Books a room.

#### Examples:
### User: a room in Rome
### Assistant: book_room(city="Rome")
### User: a room in Oslo
### Assistant: book_room(city="Oslo")
"""
OTHER = """\
#### Prompt:
other()

#### Examples:
### User: good morning
### Assistant: other()
"""
LINE = '{"utterance": "call a taxi", "skill": "call_taxi", "arguments": {}}\n'


@pytest.fixture
def hotel(workspace: Workspace) -> Workspace:
    workspace.write("params.yaml", PARAMS)
    workspace.write("raw/hotel/book.md", BOOK)
    workspace.write("raw/hotel/other.md", OTHER)
    workspace.write("raw/logs/calls.jsonl", LINE)
    return workspace


def check(workspace: Workspace, *changes: tuple[str, str]) -> tuple[int, list[str]]:
    """Check a project with changes to its parameters; return the exit status and what is printed, without tests."""
    text = PARAMS
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    workspace.write("params.yaml", text)
    done = workspace.run("exemplars.cli.main", "check")
    assert "Traceback" not in done.stderr
    return done.returncode, [line for line in done.stdout.splitlines() if ": small_test: " not in line]


def test_a_project_without_mistakes_passes_in_words(hotel: Workspace) -> None:
    assert check(hotel) == (0, [])


def test_licenses_of_the_author_do_not_clash_and_others_do(hotel: Workspace) -> None:
    status, [line] = check(hotel, ("license: LicenseRef-logs", "license: CC-BY-SA-4.0"))
    assert status == 1
    assert line.startswith(
        "params.yaml:3: error: license_clash: source hotel (LicenseRef-hotel) and source logs (CC-BY-SA-4.0)"
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("path: raw/logs", "path: raw/lost", "params.yaml:4: error: empty_source: source 'logs': raw/lost: no such folder"),
        ("path: raw/logs", "path: raw/hotel", "params.yaml:4: error: empty_source: source 'logs': raw/hotel: no file named *.jsonl"),
        ("validate:", "compile: {sources: [hotel, lgos]}\nvalidate:", "params.yaml:5: error: unknown_source: compile.sources names 'lgos'"),
        ("validate:", "compile: {sources: [hotel]}\nvalidate:", "params.yaml:4: warning: unused_source: source 'logs' is read"),
        ("  title: Hotel", "  title: Hotel\n  sources: {hotle: {about: x, kind: written, authors: me}}", "did you mean 'hotel'?"),
        ("  title: Hotel", "  title: Voice assistant exemplars", "params.yaml:10: warning: leftover: publish.title"),
        ("min_exemplars: 3", "min_exemplars: 100", "params.yaml:6: error: too_few_records: all sources have 4 records; at least 100"),
        ("max_skill_share: 0.6", "max_skill_share: 0.2", "params.yaml:7: warning: unreachable_bound: 3 of the 5 skills"),
        (", none_skill: other", "", "params.yaml:2: warning: no_none: no example asks for no call"),
        ("validate:", "curate: {lexicons: schemas/lost}\nvalidate:", "schemas/lost/names.json: error: bad_lexicon: found no such file"),
        ("validate:", "train: {shared: {tracker: mlflow}}\nvalidate:", "params.yaml:5: error: no_tracker"),
        ("validate:", "render: {base: {from: folder, path: lost, license: MIT}}\nvalidate:", "params.yaml:5: error: base_model: the base lost"),
        ("validate:", "render: {base: {from: hub, id: a/b, revision: main, license: MIT}}\nvalidate:", "params.yaml:5: warning: moving_revision: a/b at 'main' can be"),
        ("validate:", "evaluate: {speech: true}\nsplit: {speech: []}\nvalidate:", "params.yaml:5: warning: no_speech_views"),
        ("license: LicenseRef-logs", "license: MTI", "params.yaml:4: error: invalid_license"),
        ("max_skill_share: 0.6", "max_skill_shar: 0.6", "did you mean 'max_skill_share'?"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_line_and_remedy(hotel: Workspace, old: str, new: str, expected: str) -> None:
    status, lines = check(hotel, (old, new))
    assert any(expected in line for line in lines), lines
    assert status == any(": error: " in line for line in lines)


def test_a_broken_line_of_the_decisions_is_found_before_a_run(hotel: Workspace) -> None:
    hotel.write("data/raw/reviews.jsonl", '\n{"version": 2}\n')
    status, lines = check(hotel)
    assert status == 1
    assert lines == [
        "data/raw/reviews.jsonl:2: error: other_version: found version '2', expected version 1; install the version of "
        "exemplars that wrote the line",
    ]


def test_a_broken_preference_is_found_before_a_run(hotel: Workspace) -> None:
    hotel.write("data/raw/preferences.jsonl", '\n{"version": 2, "id": "p1"}\n')
    _, lines = check(hotel)
    assert [line for line in lines if "preferences.jsonl" in line] == [
        "data/raw/preferences.jsonl:2: warning: malformed_record: found a line of version 2, expected version 1; upgrade "
        "exemplars, or convert the file"
    ]


def test_a_source_without_examples_is_to_be_filled(hotel: Workspace) -> None:
    hotel.write("raw/hotel/book.md", BOOK.partition("### User")[0])
    hotel.write("raw/hotel/other.md", OTHER.partition("### User")[0])
    status, lines = check(hotel)
    assert status == 1
    assert (
        "params.yaml:3: error: no_record: source 'hotel' has no example; write some, or remove the source"
        in lines
    )


def test_a_call_of_a_name_much_like_a_defined_skill_is_a_warning(hotel: Workspace) -> None:
    hotel.write("raw/logs/calls.jsonl", LINE + LINE.replace("call_taxi", "bookroom"))
    assert check(hotel) == (
        0,
        [
            "params.yaml:4: warning: similar_skill: source 'logs' calls 'bookroom', which no source defines; "
            "did you mean 'book_room'? Otherwise define it, in a skill file or in tools.json"
        ],
    )


def test_a_skill_that_two_sources_define_names_both_places_and_what_differs(hotel: Workspace) -> None:
    city = {"properties": {"city": {"type": "string"}}}
    tools = [{"function": {"name": name, "parameters": city}} for name in ("call_taxi", "book_room")]
    hotel.write("raw/logs/tools.json", "[\n" + ",\n".join(map(json.dumps, tools)) + "]")
    status, [problem] = check(hotel)
    assert status == 1
    assert problem.startswith(
        "raw/logs/tools.json:3: error: clashing_skill: found skill 'book_room' of source 'logs'"
    )
    assert "(raw/hotel/book.md:2)" in problem
    assert "description 'Books a room.' or ''" in problem
    assert check(hotel, ("validate:", "compile: {same_skill: union}\nvalidate:"))[0] == 0


def test_a_cycle_of_a_schema_is_a_warning_and_the_rest_is_read(hotel: Workspace) -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Stop"}, "city": {"type": "string"}}}
    parameters = {"$defs": {"Stop": node}, "properties": {"stop": {"$ref": "#/$defs/Stop"}}}
    tool = {"function": {"name": "call_taxi", "parameters": parameters}}
    hotel.write("raw/logs/tools.json", json.dumps([tool]))
    _, lines = check(hotel)
    assert (
        "raw/logs/tools.json:1: warning: unresolved_reference: call_taxi.stop.next leads back to #/$defs/Stop, a schema "
        "that it is part of: what is nested there is not checked; write what it refers to in its place, if values there "
        "should be checked"
    ) in lines


def test_all_problems_are_found_at_once_and_printed_for_ci(hotel: Workspace) -> None:
    hotel.write(
        "params.yaml",
        PARAMS.replace("raw/logs", "raw/lost").replace("0.6", "6").replace("title: Hotel", "title: ''"),
    )
    done = hotel.run("exemplars.cli.main", "check", "--format", "github")
    assert done.returncode == 1
    assert [line.partition(",title=")[0] for line in done.stdout.splitlines()] == [
        "::error file=params.yaml,line=4",
        "::error file=params.yaml,line=7",
        "::error file=params.yaml,line=10",
    ]
    done = hotel.run("exemplars.cli.main", "check", "--format", "json")
    assert [(item["level"], item["line"]) for item in json.loads(done.stdout)] == [
        ("error", 4),
        ("error", 7),
        ("error", 10),
    ]


SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "required": ["driver"],
                        "properties": {"driver": {"required": ["name"], "properties": {"rules": {"items": {"required": ["id"]}}}}},
                    },
                    "results": {
                        "items": {
                            "required": ["message", "level", "ruleId"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"required": ["text"]},
                                "locations": {
                                    "items": {
                                        "properties": {
                                            "physicalLocation": {
                                                "required": ["artifactLocation"],
                                                "properties": {"region": {"properties": {"startLine": {"minimum": 1}, "startColumn": {"minimum": 1}}}},
                                            }
                                        }
                                    }
                                },
                            },
                        }
                    },
                },
            },
        },
    },
}  # fmt: skip
"""What SARIF 2.1.0 requires of the parts that are written."""


def test_sarif_has_what_its_schema_requires() -> None:
    problem = Diagnostic(path="a.md", code="bad", found="x", expected="y", fix="do", line=3)
    log = build_sarif([Annotation("error", problem)], "0.1.0")
    jsonschema.validate(log, SARIF)
    [result] = log["runs"][0]["results"]
    assert result["message"]["text"] == "found x, expected y; do"
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 3}
