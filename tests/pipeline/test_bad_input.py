"""Mistakes of a user, reported in sentences by the stages as processes; nothing is lost."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import PROJECT, Workspace

PARAMS = """\
ingest:
  context_turns: 4
  sources:
    mine: {format: skills, path: raw, license: MIT, on_bad_file: fail}
compile:
  sources: [mine]
  recognizers: schemas/recognizers.json
curate:
  duplicates: {exact: reject, near: keep, similarity: 0.8, max_group_rows: 60}
  conflicts: {action: keep, context_turns: 0}
  label_noise: {enabled: true, features: words, folds: 3, top: 5, max_rows: 1000}
  quality: {min_tokens: 1, max_tokens: 1000000, max_repetition: 1.0, reject: []}
  privacy: {mode: report, min_score: 0.4}
  lexicons: schemas/lexicons
validate:
  min_exemplars: 1
  max_rejection_rate: 1.0
  min_rows_a_skill: 0
  max_skill_share: 1.0
  max_utterance_length: 2000000
  min_rows_a_parameter: 0
  max_thin_share: 1.0
  min_skill_entropy: 0.0
  max_association: 1.0
  max_unlabelled_personal_share: 1.0
split:
  ratios: {train: 0.8, validation: 0.1, test: 0.1}
  salt: s
  official: keep
"""
ALL = (
    ("stages.ingest", "mine"),
    ("stages.compile",),
    ("stages.curate",),
    ("stages.split",),
    ("stages.validate",),
)
SKILL = """\
#### Prompt:
call(who="[whom]")
Calls somebody.

#### Examples:
### User: call Maria
### Assistant: call(who="Maria")
"""


def read_error(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a stage that failed printed; it has no traceback."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def rows(workspace: Workspace, path: str) -> list[dict[str, object]]:
    table: list[dict[str, object]] = pq.read_table(workspace.root / path).to_pylist()
    return table


@pytest.fixture
def project(workspace: Workspace) -> Workspace:
    workspace.write("params.yaml", PARAMS)
    workspace.write("raw/call.md", SKILL)
    return workspace


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "raw/empty.md|empty.md"),
        (b"#### Prompt:\ncall(\xff)\n", "byte 18"),
        (SKILL.encode("utf-16"), "byte 0"),
    ],
    ids=["empty file", "not UTF-8", "UTF-16"],
)
def test_a_file_that_cannot_be_read_fails_or_is_in_the_ledger(
    project: Workspace, data: bytes, message: str
) -> None:
    project.write("raw/empty.md", data)
    error = read_error(project.run("stages.ingest", "mine"))
    assert any(part in error for part in message.split("|"))
    project.write("params.yaml", PARAMS.replace("on_bad_file: fail", "on_bad_file: reject"))
    assert project.run("stages.ingest", "mine").returncode == 0
    [rejection] = rows(project, "data/records/mine.rejections.parquet")
    assert rejection["reason"] == "unreadable_file"
    assert len(rows(project, "data/records/mine.parquet")) == 1


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"", "dialogues_001.json, byte 0"),
        (b'[{"dialogue_id": "1", "serv', "dialogues_001.json, byte 27"),
        (b'{"dialogue_id": "1"}', "dialogues_001.json"),
        (b"[\xff]", "dialogues_001.json, byte 1"),
    ],
    ids=["empty", "truncated", "wrong shape", "not UTF-8"],
)
def test_a_dialogue_file_that_cannot_be_read_is_reported_with_its_byte(
    project: Workspace, data: bytes, place: str
) -> None:
    project.write(
        "params.yaml", PARAMS.replace("format: skills,", "format: sgd, splits: [],").replace("raw,", "sgd,")
    )
    project.write("sgd/schema.json", "[]")
    project.write("sgd/dialogues_001.json", data)
    assert place in read_error(project.run("stages.ingest", "mine"))


@pytest.mark.parametrize("kind", ["skills", "jsonl", "opencui", "sgd"])
def test_an_empty_and_a_missing_folder_are_reported(project: Workspace, kind: str) -> None:
    project.write("params.yaml", PARAMS.replace("skills", kind).replace("path: raw", "path: nothing"))
    assert "nothing" in read_error(project.run("stages.ingest", "mine"))
    project.write("nothing/.hidden", "")
    assert "nothing" in read_error(project.run("stages.ingest", "mine"))


@pytest.mark.parametrize(
    ("change", "stage", "message"),
    [
        (("context_turns", "context_tunrs"), "ingest", "unknown key 'ingest.context_tunrs'"),
        (("license: MIT", "lisense: MIT"), "ingest", "lisense"),
        (("format: skills", "format: skils"), "ingest", "skils"),
        (("recognizers: schemas", "recognisers: schemas"), "compile", "recognisers"),
        (("salt: s", "salt: 7"), "split", "split.salt is 7"),
        (("min_exemplars: 1", "min_exemplars: many"), "validate", "min_exemplars"),
        (("compile:", "complie:"), "compile", "complie"),
        (("sources: [mine]", "sources: [yours]"), "compile", "'yours'"),
    ],
)
def test_a_mistyped_parameter_is_reported(
    project: Workspace, change: tuple[str, str], stage: str, message: str
) -> None:
    for command in (("stages.ingest", "mine"), ("stages.compile",)):
        assert project.run(*command).returncode == 0
    project.write("params.yaml", PARAMS.replace(*change))
    assert message in read_error(project.run(f"stages.{stage}", *(["mine"] if stage == "ingest" else [])))


def test_an_unknown_source_is_reported(project: Workspace) -> None:
    assert "expected one of mine" in read_error(project.run("stages.ingest", "min"))


def limited_to(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_write_that_the_system_refuses_keeps_the_old_output(project: Workspace) -> None:
    assert project.run("stages.ingest", "mine").returncode == 0
    records = project.root / "data/records/mine.parquet"
    before = records.read_bytes()
    project.write("raw/call.md", SKILL + '### User: call Bob\n### Assistant: call(who="Bob")\n')
    done = subprocess.run(
        [sys.executable, "-m", "stages.ingest", "mine"],
        cwd=project.root,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        preexec_fn=lambda: limited_to(1000),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "then run again" in read_error(done)
    assert records.read_bytes() == before
    assert sorted(path.name for path in records.parent.iterdir()) == [
        "mine.catalog.json",
        "mine.parquet",
        "mine.recognizers.json",
        "mine.rejections.parquet",
    ]
    assert project.run("stages.ingest", "mine").returncode == 0
    assert len(rows(project, "data/records/mine.parquet")) == 2


def test_an_output_folder_that_is_a_file_is_reported(project: Workspace) -> None:
    project.write("data/records", "in the way")
    assert "data/records" in read_error(project.run("stages.ingest", "mine"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes into read-only folders")
def test_a_read_only_output_folder_is_reported(project: Workspace) -> None:
    folder = project.root / "data/records"
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    assert "permission denied" in read_error(project.run("stages.ingest", "mine"))


def test_permission_denied_is_reported_whoever_runs_it(project: Workspace, tmp_path: Path) -> None:
    # Root may write everywhere: deny it as the system would.
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import errno, os, tempfile\n"
        "def denied(prefix, suffix, dir):\n"
        "    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(dir))\n"
        "tempfile.mkstemp = denied\n",
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "stages.ingest", "mine"],
        cwd=project.root,
        env={**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{PROJECT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "data/records: permission denied" in read_error(done)


def test_strange_texts_pass_through_with_their_offsets(project: Workspace) -> None:
    texts = ("👩‍👩‍👧 call Zoë now", "התקשר אל Zoë", "cafe\u0301: call Zoë", "call Zoë " + "la " * 100_000)
    pairs = "".join(f'### User: {text}\n### Assistant: call(who="Zoë")\n' for text in texts)
    project.write("raw/call.md", "\ufeff" + (SKILL + pairs).replace("\n", "\r\n"))
    for command in ALL:
        done = project.run(*command)
        assert done.returncode == 0, done.stderr
    exemplars = rows(project, "data/exemplars/exemplars.parquet")
    spans = [(row["arguments"][0]["start"], row["arguments"][0]["end"]) for row in exemplars]  # type: ignore[index]
    assert sorted(spans) == [(5, 8), (5, 8), (5, 10), (9, 12), (11, 14), (12, 15)][1:]
    for row in exemplars:
        [argument] = row["arguments"]  # type: ignore[misc]
        assert row["utterance"][argument["start"] : argument["end"]] == argument["surface"]  # type: ignore[index]


def test_three_thousand_arguments_reach_the_exemplars(project: Workspace) -> None:
    slots = {f"s{number}": f"v{number}" for number in range(3_000)}
    text = " ".join(slots.values())
    project.write("params.yaml", PARAMS.replace("format: skills", "format: jsonl"))
    project.write("raw/a.jsonl", json.dumps({"utterance": text, "skill": "many", "arguments": slots}))
    for command in ALL:
        done = project.run(*command)
        assert done.returncode == 0, done.stderr
    [exemplar] = rows(project, "data/exemplars/exemplars.parquet")
    assert len(exemplar["arguments"]) == 3_000  # type: ignore[arg-type]


def test_a_dataset_without_an_exemplar_stops_at_validate(project: Workspace) -> None:
    project.write("raw/call.md", SKILL.replace("Maria\n", "Bob\n", 1))
    for command in ALL[:-1]:
        assert project.run(*command).returncode == 0
    assert [row["reason"] for row in rows(project, "data/exemplars/rejections.parquet")] == [
        "value_not_found"
    ]
    assert "min_exemplars: 0 exemplars; at least 1 " in read_error(project.run("stages.validate"))


def test_a_missing_and_a_damaged_table_are_reported(project: Workspace) -> None:
    assert "compile.sources" in read_error(project.run("stages.compile"))
    assert "data/exemplars/exemplars.parquet" in read_error(project.run("stages.curate"))
    assert "data/curated/exemplars.parquet" in read_error(project.run("stages.split"))
    project.write("data/curated/exemplars.parquet", b"PAR1 but no more")
    assert "data/curated/exemplars.parquet" in read_error(project.run("stages.split"))


@pytest.mark.parametrize("text", ["👍", "…", "call Maria"])
def test_a_dataset_of_one_row_passes_all_stages(project: Workspace, text: str) -> None:
    project.write("params.yaml", PARAMS.replace("format: skills", "format: jsonl"))
    project.write("raw/a.jsonl", json.dumps({"utterance": text, "skill": "call"}))
    for command in ALL:
        done = project.run(*command)
        assert done.returncode == 0, done.stderr
    assert len(rows(project, "data/curated/exemplars.parquet")) == 1


def test_rows_that_all_repeat_one_leave_that_one(project: Workspace) -> None:
    project.write("params.yaml", PARAMS.replace("format: skills", "format: jsonl"))
    texts = ("call Maria", "Call Maria!", "call maria", "CALL MARIA")
    project.write(
        "raw/a.jsonl", "".join(json.dumps({"utterance": text, "skill": "call"}) + "\n" for text in texts)
    )
    for command in ALL:
        done = project.run(*command)
        assert done.returncode == 0, done.stderr
    assert [row["id"] for row in rows(project, "data/curated/exemplars.parquet")] == ["mine:a.jsonl#1"]
    reasons = [row["reason"] for row in rows(project, "data/curated/rejections.parquet")]
    assert reasons == ["duplicate_exemplar"] * 3


def test_a_missing_and_a_broken_lexicon_are_reported_together(project: Workspace) -> None:
    project.write("params.yaml", PARAMS.replace("lexicons: schemas/lexicons", "lexicons: words"))
    for name in ("names", "pronouns", "places"):
        project.write(f"words/{name}.json", (project.root / f"schemas/lexicons/{name}.json").read_bytes())
    project.write("words/places.json", '{"source": "x", "slices": 5}')
    error = read_error(project.run("stages.curate"))
    assert "words/ages.json: bad_lexicon: found no such file" in error
    assert "words/places.json: bad_lexicon: found Expected `object`, got `int`" in error


def test_schemas_that_a_project_does_not_have_are_those_of_the_package(project: Workspace) -> None:
    for command in ALL:
        assert project.run(*command).returncode == 0
    shutil.rmtree(project.root / "schemas")
    reports = [f"reports/{name}.json" for name in ("compile", "curate", "validate")]
    before = [(project.root / report).read_bytes() for report in reports]
    for command in ALL:
        done = project.run(*command)
        assert done.returncode == 0, done.stderr
    assert [(project.root / report).read_bytes() for report in reports] == before


def test_what_a_removed_source_left_is_not_compiled_and_goes(project: Workspace) -> None:
    for command in ALL[:2]:
        assert project.run(*command).returncode == 0
    before = {path.name: path.read_bytes() for path in project.root.glob("data/records/*")}
    for name in before:
        project.write(f"data/records/{name.replace('mine', 'old')}", before[name])
    project.write("data/records/notes.txt", "mine")
    project.write("params.yaml", PARAMS.replace("compile:\n  sources: [mine]\n", "compile:\n"))
    done = project.run("stages.compile")
    assert done.returncode == 0, done.stderr
    after = {path.name: path.read_bytes() for path in project.root.glob("data/records/*")}
    assert after == {**before, "notes.txt": b"mine"}


def test_surrogates_without_a_key_are_refused(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXEMPLARS_SURROGATE_KEY", raising=False)
    project.write("params.yaml", PARAMS.replace("mode: report", "mode: surrogate"))
    assert "EXEMPLARS_SURROGATE_KEY not set" in read_error(project.run("stages.curate"))
    monkeypatch.setenv("EXEMPLARS_SURROGATE_KEY", "short")
    assert "EXEMPLARS_SURROGATE_KEY too short" in read_error(project.run("stages.curate"))


def test_data_docs_of_all_suites_are_written_on_demand(project: Workspace) -> None:
    project.write(".dvc/config", "")
    assert "reports/details/curate.json" in read_error(project.run("exemplars.cli.main", "data-docs"))
    for command in ALL:
        assert project.run(*command).returncode == 0
    pages = project.root / "reports/data_docs"
    assert [page.name for page in pages.rglob("*.html")] == ["index.html"]
    done = project.run("exemplars.cli.main", "data-docs", "pages")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("wrote pages/index.html: ")
    suites = ("associations", "data", "exemplars", "pairs", "skills", "sources")
    shown = {page.stem for page in (project.root / "pages/expectations").glob("*.html")}
    assert shown == set(suites)
    assert "no Data Docs" in read_error(project.run("exemplars.cli.main", "data-docs", "raw"))
    assert (project.root / "raw/call.md").exists()


@pytest.mark.parametrize("state", ["kept", "deleted", "damaged", "a folder"])
def test_what_curate_remembers_of_texts_changes_no_byte_of_its_outputs(
    project: Workspace, state: str
) -> None:
    cache = project.write(".dvc/tmp/exemplars/curate.cache", b"")
    for command in ALL[:3]:
        assert project.run(*command).returncode == 0
    first, outputs = cache.read_bytes(), sorted((project.root / "data/curated").iterdir())
    written = [path.read_bytes() for path in outputs]
    if state == "damaged":
        cache.write_bytes(first[:50] + b"?" + first[51:])
    elif state != "kept":
        cache.unlink()
    if state == "a folder":
        cache.mkdir()
    assert project.run("stages.curate").returncode == 0
    assert [path.read_bytes() for path in outputs] == written
    assert state == "a folder" or cache.read_bytes() == first
