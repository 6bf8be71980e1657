"""`exemplars rename`: what it rewrites, what it leaves to a person, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exemplars.cli.main import main
from exemplars.core.digests import stamp_digest
from exemplars.core.records import Argument, Exemplar, Grounding
from exemplars.core.reviews import Decision, Review, describe_row, encode_review, parse_reviews
from exemplars.core.tables import write_table
from exemplars.dataset.row_tables import exemplars_to_table
from tests.cli.project import exemplar

PARAMS = """\
ingest:
  sources:
    skills: {format: skills, path: raw/skills, license: MIT}
    chats: {format: jsonl, path: raw/chats, license: MIT}
    bots: {format: opencui, path: raw/bots, license: MIT}
    logs: {format: chat, path: raw/logs, license: MIT}
"""
RING = """\
#### Prompt:
ring(who="[whom]")
Rings who is asked for.
#### Examples:
### User: ring mum
### Assistant: ring(who="mum")
"""
TEXT = '#### Prompt:\ntext(who="[whom]")\nTexts.\n#### Examples:\n### User: text mum\n### Assistant: text(who="mum")\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = {
        "params.yaml": PARAMS,
        ".dvc/config": "",
        "raw/skills/ring.md": RING,
        "raw/skills/text.md": TEXT,
        "raw/chats/a.jsonl": '{"utterance": "ring dad", "skill": "ring", "arguments": {"who": "dad"}}\n',
        "raw/logs/a/log.jsonl": '{"query": "dial 5", "tools": [{"name": "dial"}], "answers": [{"name": "dial"}]}\n',
        "raw/bots/a/schemas.json": '{"skills": [\n{"name": "ring"}]}\n',
    }
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read_sources(project: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(project.glob("raw/*/*")) if path.is_file()}


def test_a_parameter_is_renamed_in_every_source(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rename", "ring.who", "contact"]) == 0
    assert read_sources(project) == {
        "a.jsonl": '{"utterance": "ring dad", "skill": "ring", "arguments": {"contact": "dad"}}\n',
        "ring.md": RING.replace("(who=", "(contact="),
        "text.md": TEXT,
    }
    assert capsys.readouterr().out.splitlines() == [
        "renamed who to contact: 3 places in 2 files",
        "       2  raw/skills/ring.md",
        "       1  raw/chats/a.jsonl",
        "look at these yourself:",
        "  raw/skills/ring.md:3: Rings who is asked for.",
        "next: `dvc repro validate`, then `exemplars diff` shows rows that changed or moved",
    ]


def test_nested_arguments_of_a_turn_are_renamed_by_their_root(project: Path) -> None:
    line = (
        '{"utterance": "ring dad and mum", "calls": [{"skill": "ring", "arguments": {"who": ["dad", "mum"]}, '
        '"spans": {"who[0]": [5, 8]}, "exemplar": "ring <who[0]> and <who[1]>"}]}\n'
    )
    (project / "raw/chats/a.jsonl").write_text(line)
    assert main(["rename", "ring.who", "contact"]) == 0
    assert read_sources(project)["a.jsonl"] == line.replace("who", "contact")


def test_renaming_there_and_back_changes_no_byte(project: Path) -> None:
    before = read_sources(project)
    assert main(["rename", "ring", "dial"]) == 0
    assert read_sources(project) != before
    assert main(["rename", "dial", "ring"]) == 0
    assert read_sources(project) == before


def test_a_dry_run_changes_nothing_and_lists_all(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = read_sources(project)
    assert main(["rename", "ring", "dial", "--dry-run", "--format", "json"]) == 0
    assert read_sources(project) == before
    assert json.loads(capsys.readouterr().out) == {
        "old": "ring",
        "new": "dial",
        "decisions": 0,
        "preferences": 0,
        "changes": [{"path": "raw/skills/ring.md", "places": 2}, {"path": "raw/chats/a.jsonl", "places": 1}],
        "mentions": [{"place": "raw/bots/a/schemas.json:2", "text": '{"name": "ring"}]}'}],
    }


def test_the_skill_for_no_call_is_renamed_in_the_parameters_too(project: Path) -> None:
    params = project / "params.yaml"
    params.write_text(PARAMS.replace("raw/skills,", "raw/skills, none_skill: 'other',"))
    other = project / "raw/skills/other.md"
    other.write_text("#### Prompt:\nother()\n#### Examples:\n### User: hi\n### Assistant: other()\n")
    assert main(["rename", "other", "small_talk"]) == 0
    assert params.read_text() == PARAMS.replace("raw/skills,", "raw/skills, none_skill: small_talk,")
    assert other.read_text().count("small_talk()") == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rnig", "dial", "unknown_skill: found no skill 'rnig', expected ring, text; did you mean 'ring'?"),
        (
            "ring.whom",
            "a",
            "unknown_slot: found no parameter 'whom' of ring, expected who; did you mean 'who'?",
        ),
        (
            "ring.who.first",
            "a",
            "nested_name: found 'who.first', a part of who of ring, expected a skill or a whole parameter; "
            "rename it by hand, in the JSON Schema, the calls and the templates",
        ),
        (
            "ring.who[].first",
            "a",
            "nested_name: found 'who[].first', a part of who of ring, expected a skill or a whole parameter; "
            "rename it by hand, in the JSON Schema, the calls and the templates",
        ),
        (
            "dial",
            "a",
            "unknown_skill: found no skill 'dial', expected ring, text; "
            "files of other formats have the name, first raw/logs/a/log.jsonl:1: rename it there by hand",
        ),
        ("ring", "text", "name_taken: found 'text', which is a skill already"),
        ("ring.who", "who", "name_taken: found 'who', which is a parameter of ring already"),
        ("ring", "a b", "invalid_name: found the name 'a b'"),
        ("ring.who", "a-b", "invalid_name: found the name 'a-b'"),
    ],
)
def test_a_wrong_name_is_one_sentence_and_changes_nothing(
    old: str, new: str, message: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_sources(project)
    assert main(["rename", old, new]) == 1
    assert message in capsys.readouterr().err
    assert read_sources(project) == before


def test_a_file_that_would_mean_something_else_is_left_as_it_is(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = '{"utterance": "ring a", "skill": "ring", "exemplar": "ring \\u003cwho>", "arguments": {"who": "a"}}\n'
    (project / "raw/chats/a.jsonl").write_text(line)
    before = read_sources(project)
    assert main(["rename", "ring.who", "contact"]) == 1
    assert "rename_unsafe: found rows that would mean something else afterwards" in capsys.readouterr().err
    assert read_sources(project) == before


def write_reviews(project: Path, *reviews: Review) -> Path:
    path = project / "data/raw/reviews.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\n" + b"".join(map(encode_review, reviews)))
    return path


def make_row(who: str = "who", skill: str = "ring", name: str = "mum") -> Exemplar:
    said = Argument(who, name, name, 5, 5 + len(name), Grounding.VERBATIM, ("mother",))
    return stamp_digest(
        msgspec.structs.replace(exemplar("skills:ring.md#5", f"ring {name}", (said,)), skill=skill)
    )


def make_review(number: int, row: Exemplar, **fields: Any) -> Review:
    identity: dict[str, Any] = {
        "decision_id": f"{number:032x}",
        "row": row.id,
        "digest": row.digest,
        "decision": Decision.APPROVED,
        "reviewer": "ada",
        "time": "2026-11-27T20:00:00Z",
    }
    return Review(**{**identity, **fields})


@pytest.mark.parametrize(
    ("old", "new", "who", "skill"),
    [("ring.who", "contact", "contact", "ring"), ("ring", "phone", "who", "phone")],
)
def test_decisions_go_on_to_hold_for_renamed_rows(
    project: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, who: str, skill: str
) -> None:
    before, after = make_row(name="dad"), make_row()
    edit = {"decision": Decision.EDITED, "before": describe_row(before), "after": describe_row(after)}
    other = make_row(skill="text")
    path = write_reviews(
        project, make_review(1, after), make_review(2, before, **edit), make_review(3, other)
    )
    (project / "data/exemplars").mkdir()
    write_table(project / "data/exemplars/exemplars.parquet", exemplars_to_table([after]))
    assert main(["rename", old, new]) == 0
    assert "       2  data/raw/reviews.jsonl" in capsys.readouterr().out.splitlines()
    renamed_before, renamed_after = make_row(who, skill, "dad"), make_row(who, skill)
    assert parse_reviews(path.read_bytes()) == (
        make_review(1, renamed_after),
        make_review(
            2,
            renamed_before,
            decision=Decision.EDITED,
            before=describe_row(renamed_before),
            after=describe_row(renamed_after),
        ),
        make_review(3, other),
    )


def test_decisions_about_rows_that_are_not_known_keep_their_digest(project: Path) -> None:
    path = write_reviews(project, make_review(1, make_row()))
    before = path.read_bytes()
    assert main(["rename", "ring.who", "contact"]) == 0
    assert path.read_bytes() == before


def test_a_broken_line_of_the_decisions_stops_a_renaming(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_reviews(project).write_text("{}\n")
    sources = read_sources(project)
    assert main(["rename", "ring.who", "contact"]) == 1
    assert "data/raw/reviews.jsonl:1: malformed_review: found " in capsys.readouterr().err
    assert read_sources(project) == sources


def encode_preference(number: int, row: Exemplar, chosen: list[Any], rejected: Any) -> bytes:
    pair = {
        "version": 1,
        "id": f"p{number}",
        "row": row.digest,
        "chosen": chosen,
        "rejected": rejected,
        "source": "written",
    }
    return msgspec.json.encode(pair) + b"\n"


@pytest.mark.parametrize(
    ("old", "new", "who", "skill"),
    [("ring.who", "contact", "contact", "ring"), ("ring", "phone", "who", "phone")],
)
def test_preferences_go_on_to_be_about_renamed_rows(
    project: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, who: str, skill: str
) -> None:
    def write_call(name: str, slot: str) -> dict[str, Any]:
        return {"name": name, "arguments": {slot: "mum"}}

    other = make_row(skill="text", name="dad")
    own_prompt = (
        b'{"version":1,"id":"p4","prompt":[{"role":"user","content":"ring mum"}],"license":"MIT",'
        b'"chosen":[{"name":"ring","arguments":{"who":"mum"}}],"rejected":[],"source":"imported"}\n'
    )
    untouched = [
        b'{"version": 1, broken\n',
        own_prompt,
        b'{"version":1,"id":"w","source":"written","withdraws":"p1"}\n',
    ]
    path = project / "data/raw/preferences.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(
        encode_preference(1, make_row(), [write_call("ring", "who")], "I will ring mum.")
        + encode_preference(2, other, [write_call("text", "who")], [write_call("ring", "who")])
        + encode_preference(3, other, [write_call("text", "who")], [])
        + b"".join(untouched)
    )
    (project / "data/exemplars").mkdir()
    write_table(project / "data/exemplars/exemplars.parquet", exemplars_to_table([make_row()]))
    assert main(["rename", old, new]) == 0
    assert "       2  data/raw/preferences.jsonl" in capsys.readouterr().out.splitlines()
    assert path.read_bytes() == (
        encode_preference(1, make_row(who, skill), [write_call(skill, who)], "I will ring mum.")
        + encode_preference(2, other, [write_call("text", "who")], [write_call(skill, who)])
        + encode_preference(3, other, [write_call("text", "who")], [])
        + b"".join(untouched)
    )
