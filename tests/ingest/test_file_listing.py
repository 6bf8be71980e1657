"""Which files of a folder a source reads, and what is named instead of being left out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from exemplars.core.errors import UserError
from exemplars.core.records import Reason, Record, Rejection
from exemplars.core.tables import rows_from_table
from stages.ingest.params import IngestParams, JsonlSource, OnBadFile, OpencuiSource, SkillsSource
from stages.ingest.source_files import SourceTables
from stages.ingest.sources import read_source

SKILL = """\
#### Prompt:
call(who="[whom]")
Calls somebody.

#### Examples:
### User: call Maria
### Assistant: call(who="Maria")
"""
LINE = '{"utterance": "ring Maria", "skill": "ring", "arguments": {"who": "Maria"}}\n'


def read(source: SkillsSource | JsonlSource | OpencuiSource) -> SourceTables:
    return read_source("s", IngestParams(context_turns=0, sources={"s": source}), workers=1)


def list_rejections(tables: SourceTables) -> list[tuple[str, str, str]]:
    rejections = rows_from_table(tables.rejections, Rejection)
    return [(rejection.id, rejection.reason, rejection.message) for rejection in rejections]


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one good skill file."""
    monkeypatch.chdir(tmp_path)
    Path("raw").mkdir()
    Path("raw/a.md").write_text(SKILL)
    return Path("raw")


@pytest.fixture
def skills() -> SkillsSource:
    return SkillsSource("raw", "MIT", OnBadFile.REJECT)


@pytest.mark.parametrize("name", ["B.MD", "b.markdown", "b.Markdown"])
def test_a_skill_file_is_read_whatever_the_case_of_its_suffix(
    raw: Path, skills: SkillsSource, name: str
) -> None:
    (raw / name).write_text(SKILL)
    records = rows_from_table(read(skills).records, Record)
    assert sorted(record.origin.path for record in records) == sorted(["a.md", name])


def test_labeled_examples_are_read_whatever_the_case_of_their_suffix(raw: Path) -> None:
    (raw / "B.JSONL").write_text(LINE)
    [record] = rows_from_table(read(JsonlSource("raw", "MIT")).records, Record)
    assert record.id == "s:B.JSONL#1"


@pytest.mark.parametrize(
    ("name", "found", "fix"),
    [
        ("b.txt", "such data in a file of another name", "rename it, or move it away"),
        ("b", "such data in a file of another name", "rename it, or move it away"),
        ("b.md.gz", "a packed file", "unpack it"),
    ],
)
def test_a_skill_file_of_another_name_is_named(
    raw: Path, skills: SkillsSource, name: str, found: str, fix: str
) -> None:
    (raw / name).write_text(SKILL)
    (raw / "notes.txt").write_text("Remember the milk.")
    message = f"found {found}, expected a file named *.md or *.markdown; {fix}"
    assert list_rejections(read(skills)) == [(f"s:{name}#", "unreadable_file", f"{name}: {message}")]
    with pytest.raises(UserError) as caught:
        read(SkillsSource("raw", "MIT"))
    assert str(caught.value) == f"{name}: misnamed_file: {message}"


def test_labeled_examples_of_another_name_are_named(raw: Path) -> None:
    (raw / "b.jsonl").write_text(LINE)
    (raw / "c.ndjson").write_text(LINE)
    (raw / "README.txt").write_text(f"A line looks like this: {LINE}")
    tables = read(JsonlSource("raw", "MIT", OnBadFile.REJECT))
    assert [row_id for row_id, _, _ in list_rejections(tables)] == ["s:c.ndjson#"]


def test_what_hides_files_is_in_the_ledger(raw: Path, skills: SkillsSource) -> None:
    Path("elsewhere").mkdir()
    (raw / "more").symlink_to("../elsewhere", target_is_directory=True)
    (raw / "gone").symlink_to("nothing")
    os.mkfifo(raw / "pipe.md")
    Path(os.fsdecode(b"raw/caf\xe9.md")).write_text(SKILL)
    assert list_rejections(read(skills)) == [
        (
            "s:caf\\xe9.md#",
            "unreadable_file",
            "caf\\xe9.md: found a name that is not UTF-8, expected a name in UTF-8, as row ids contain it; rename it "
            "(for example with convmv -f latin1 -t utf-8)",
        ),
        (
            "s:gone#",
            "unreadable_file",
            "gone: found a link to something that does not exist, expected a file or folder; remove the link",
        ),
        (
            "s:more#",
            "unreadable_file",
            "more: found a link to a folder, expected a folder; move the folder here: DVC does not track the "
            "files in a linked folder",
        ),
        (
            "s:pipe.md#",
            "unreadable_file",
            "pipe.md: found a named pipe, expected a file; move it away, or put a file in its place",
        ),
    ]


def test_a_bot_that_cannot_be_read_is_in_the_ledger_if_the_source_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for bot in ("a", "b", "c"):
        Path("raw", bot).mkdir(parents=True)
        Path("raw", bot, "schemas.json").write_text(f'{{"skills": [{{"name": "{bot}", "slots": []}}]}}')
        Path("raw", bot, "exemplars.json").write_text(f'{{"{bot}": [{{"template": "please {bot}"}}]}}')
    Path("raw/b/schemas.json").write_text("[" * 100_000)
    Path("raw/c/exemplars.json").unlink()
    tables = read(OpencuiSource("raw", "MIT", OnBadFile.REJECT))
    assert [record.utterance for record in rows_from_table(tables.records, Record)] == ["please a"]
    assert [(row_id, reason) for row_id, reason, _ in list_rejections(tables)] == [
        ("s:b/schemas.json#", Reason.UNREADABLE_FILE),
        ("s:c/schemas.json#", Reason.UNREADABLE_FILE),
    ]
    with pytest.raises(UserError) as caught:
        read(OpencuiSource("raw", "MIT"))
    assert [(problem.path, problem.code) for problem in caught.value.diagnostics] == [
        ("b/schemas.json", "bad_schemas"),
        ("c/exemplars.json", "missing_file"),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"[{\xe9}]",
            "tools.json, byte 2: not_utf8: found byte 0xe9 'invalid continuation byte', expected UTF-8; save the file "
            "as UTF-8 (for example with iconv -f latin1 -t utf-8)",
        ),
        (
            b"[" * 100_000,
            "tools.json: bad_tools: not a list of tool definitions: JSON is nested more than 100 levels deep",
        ),
        (
            b'[{"function": {"name": ["ring"]}}]',
            "tools.json: bad_tools: not a list of tool definitions: expected `str`, got `array` - at `$[0].function.name`",
        ),
    ],
)
def test_a_damaged_catalog_is_one_sentence(raw: Path, data: bytes, message: str) -> None:
    (raw / "a.jsonl").write_text(LINE)
    (raw / "tools.json").write_bytes(data)
    with pytest.raises(UserError) as caught:
        read(JsonlSource("raw", "MIT"))
    assert str(caught.value).startswith(message)


def test_a_catalog_with_a_byte_order_mark_is_read(raw: Path) -> None:
    (raw / "a.jsonl").write_text(LINE)
    (raw / "tools.json").write_bytes(b'\xef\xbb\xbf[{"function": {"name": "ring", "description": "Rings."}}]')
    assert [skill.description for skill in read(JsonlSource("raw", "MIT")).skills] == ["Rings."]


def test_a_catalog_that_is_a_broken_link_is_not_inferred_instead(raw: Path) -> None:
    (raw / "a.jsonl").write_text(LINE)
    (raw / "tools.json").symlink_to("nothing")
    with pytest.raises(UserError, match=r"^tools.json: broken_link: "):
        read(JsonlSource("raw", "MIT"))
