"""A small project with a cache and a remote, in which rows are erased for real."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pyarrow.parquet as pq

from exemplars.audit.erasure.search import choose_search_terms, make_matcher
from exemplars.core.files import hash_file
from exemplars.core.params import load_section
from stages.ingest.erasure import read_erasures
from stages.ingest.params import IngestParams
from stages.ingest.sources import read_source
from stages.ingest.tombstones import hash_with_key

PROJECT = Path(__file__).parents[2]
KEY = "a key of the tests, long enough"
SKILL = """#### Prompt:
call(contact="[who]")
Rings somebody.

#### Examples:

### User: please ring Augusta Byron at the mill
### Assistant: call(contact="Augusta Byron")

### User: ring the office for me now
### Assistant: call(contact="the office")
"""
PIPELINE = """stages:
  ingest:
    cmd: python -m stages.ingest skills
    deps: [data/raw/skills, data/raw/erasures.jsonl]
    outs:
      - data/records/skills.parquet
      - data/records/skills.rejections.parquet
      - data/records/skills.catalog.json
      - data/records/skills.recognizers.json
    metrics: [{reports/ingest/skills.json: {cache: false}}]
  compile:
    cmd: python -m stages.compile
    deps: [data/records]
    outs:
      - data/exemplars/exemplars.parquet
      - data/exemplars/rejections.parquet
      - data/exemplars/catalog.json
      - reports/plots: {cache: false}
    metrics: [{reports/compile.json: {cache: false}}]
"""
PARAMS = """ingest:
  context_turns: 12
  sources:
    skills: {format: skills, path: data/raw/skills, license: Apache-2.0}
compile: {sources: [skills], recognizers: schemas/recognizers.json}
"""
TOMBSTONE = {"id": "t1", "pattern": "Augusta", "reviewer": "Kim", "reason": "asked for it"}
UTTERANCE = b"please ring Augusta Byron at the mill"


class SmallErasureProject:
    """A project of two stages, compiled, committed, and pushed to a remote."""

    python: ClassVar[str] = sys.executable
    """What runs stages, DVC and `exemplars`; the fixture `forked_commands` makes it the stage server's."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def new(self, remote: str) -> None:
        """Write its files. remote: a folder relative to the root, or a URL."""
        self.write("data/raw/skills/call.md", SKILL)
        self.write("data/raw/erasures.jsonl", "")
        self.write("dvc.yaml", PIPELINE)
        self.write("params.yaml", PARAMS)
        self.write(".gitignore", "/data/records\n/data/exemplars\n/reports\n")
        shutil.copytree(PROJECT / "schemas", self.root / "schemas")
        self.run("git", "init", "-q")
        self.dvc("init", "-q")
        self.dvc("remote", "add", "-d", "store", remote)

    def write(self, path: str, text: str) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        folders = (Path(self.python).parent, Path(sys.executable).parent)
        path = os.pathsep.join([*map(str, folders), os.environ["PATH"]])
        known = {"PYTHONPATH": str(PROJECT), "PATH": path, "DVC_NO_ANALYTICS": "1", "EXEMPLARS_WORKERS": "1"}
        return subprocess.run(
            command,
            cwd=self.root,
            env={**os.environ, **known, "EXEMPLARS_ERASURE_KEY": KEY, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def dvc(self, *arguments: str, **environment: str) -> str:
        done = self.run(self.python, "-m", "dvc", *arguments, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def commit(self) -> str:
        identity = ("-c", "user.name=Test", "-c", "user.email=test@localhost")
        self.run("git", "add", "-A")
        self.run("git", *identity, "commit", "-q", "-m", "as it is")
        return self.run("git", "rev-parse", "--short=12", "HEAD").stdout.strip()

    def erase(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(self.python, "-m", "exemplars.cli.main", "erase", *arguments, **environment)

    def find_holding_files(self, *folders: str) -> list[str]:
        """List the files that hold the utterance, plain or in the columns of a table."""
        matches = make_matcher(choose_search_terms({"skills:call.md#7": UTTERANCE.decode()}, ()))
        return sorted(
            path.relative_to(self.root).as_posix()
            for folder in folders
            for path in (self.root / folder).rglob("*")
            if path.is_file() and matches(path.read_bytes())
        )

    def receipt(self) -> dict[str, Any]:
        (path,) = (self.root / "reports/erasures").glob("*.json")
        found: dict[str, Any] = json.loads(path.read_bytes())
        return found


def redact_and_reproduce(project: SmallErasureProject) -> None:
    """Follow docs/erase.md: write a tombstone, redact, reproduce, commit, push."""
    project.write("data/raw/erasures.jsonl", json.dumps(TOMBSTONE) + "\n")
    done = project.erase("--redact", "--yes")
    assert done.returncode == 0, done.stderr
    project.dvc("repro", "-q")
    project.commit()
    project.dvc("push", "-q")


NAMES = ("Augusta", "Bartholomew", "Clementine", "Desdemona", "Eugenia")
"""What is erased from the project of `make_project`; each of its erased texts has one of these names in it."""
MANY_PIPELINE = """stages:
  ingest:
    foreach: [lines, sgd, skills]
    do:
      cmd: python -m stages.ingest ${item}
      deps: [data/raw]
      outs:
        - data/records/${item}.parquet: {persist: true}
        - data/records/${item}.rejections.parquet: {persist: true}
        - data/records/${item}.catalog.json: {persist: true}
        - data/records/${item}.recognizers.json: {persist: true}
      metrics:
        - reports/ingest/${item}.json: {cache: false}
  compile:
    cmd: python -m stages.compile
    deps: [data/records]
    outs:
      - data/exemplars/exemplars.parquet: {persist: true}
      - data/exemplars/rejections.parquet: {persist: true}
      - data/exemplars/catalog.json: {persist: true}
      - reports/plots: {cache: false}
    metrics: [{reports/compile.json: {cache: false}}]
"""
MANY_PARAMS = """ingest:
  context_turns: 12
  sources:
    lines: {format: jsonl, path: data/raw/lines, license: Apache-2.0}
    sgd: {format: sgd, path: data/raw/sgd, license: CC-BY-SA-4.0, splits: [train]}
    skills: {format: skills, path: data/raw/skills, license: Apache-2.0}
compile: {sources: [lines, sgd, skills], recognizers: schemas/recognizers.json}
"""
MANY_TOMBSTONES = (
    {"id": "t1", "place": "skills:call.md#7", "reviewer": "Kim", "reason": "asked for it"},
    *(
        {
            "id": name[0],
            "value": hash_with_key(name, KEY.encode()),
            "reviewer": "Kim",
            "reason": "asked for it",
        }
        for name in ("Bartholomew", "Eugenia")
    ),
    {"id": "t3", "dialogue": "1_0", "reviewer": "Kim", "reason": "asked for it"},
    {"id": "t4", "place": "skills:ring.md", "reviewer": "Kim", "reason": "asked for it"},
)
SGD_SERVICE = {
    "service_name": "Cafes_1",
    "description": "Finds cafes.",
    "slots": [
        {"name": "town", "description": "where", "is_categorical": False, "possible_values": []},
    ],
    "intents": [
        {
            "name": "FindCafe",
            "description": "Finds a cafe.",
            "is_transactional": False,
            "required_slots": ["town"],
            "optional_slots": {},
            "result_slots": ["town"],
        }
    ],
}


class ErasureProject(SmallErasureProject):
    """A project of three sources in six files; five tombstones name rows in five of them."""

    def new(self, remote: str) -> None:
        """Write its files, with the tombstones. remote: a folder relative to the root."""
        super().new(remote)
        ring = SKILL.replace("call(", "ring(")
        for old, new in (
            ("Augusta Byron at the mill", "Desdemona Vale after lunch"),
            ("Augusta Byron", "Desdemona Vale"),
            ("ring the office", "ring Desdemona's office"),
            ("the office", "Desdemona's office"),
        ):
            ring = ring.replace(old, new)
        self.write("data/raw/skills/ring.md", ring)
        chat = [{"speaker": "user", "utterance": "Bartholomew is my brother"}]
        for number, name in enumerate(("Bartholomew", "Eugenia")):
            lines = (
                {"utterance": f"write to {name} tonight", "skill": "write", "arguments": {"who": name}},
                {
                    "utterance": "write to the bank tonight",
                    "skill": "write",
                    "arguments": {"who": "the bank"},
                },
                {"utterance": "and him too", "context": chat, "skill": "write", "arguments": {}},
            )
            text = "".join(json.dumps(line) + "\n" for line in lines)
            self.write(f"data/raw/lines/part{number}.jsonl", text)
        dialogues = [_make_dialogue("1_0", "Clementine Bay"), _make_dialogue("1_1", "Oslo")]
        self.write("data/raw/sgd/train/dialogues_001.json", json.dumps(dialogues))
        self.write("data/raw/sgd/train/schema.json", json.dumps([SGD_SERVICE]))
        self.write("dvc.yaml", MANY_PIPELINE)
        self.write("params.yaml", MANY_PARAMS)

    def redact_and_reproduce(self) -> None:
        """Follow docs/erase.md up to the purge."""
        done = self.erase("--redact", "--yes")
        assert done.returncode == 0, done.stderr
        self.dvc("repro", "-q")
        self.commit()
        self.dvc("push", "-q")

    def write_tombstones(self) -> None:
        """Write tombstones: two places, two values and a dialogue."""
        lines = [json.dumps(tombstone) for tombstone in MANY_TOMBSTONES]
        self.write("data/raw/erasures.jsonl", "\n".join(lines) + "\n")

    def compare(self, expected: ErasureProject, purged: bool) -> list[str]:
        """List what is wrong after an erasure, compared with one that was not interrupted."""
        folders = ("data/raw", ".dvc/cache/files", "../remote/files") if purged else ("data/raw",)
        problems = []
        for folder in folders:
            files, right = _hash_files(self.root / folder), _hash_files(expected.root / folder)
            problems += [
                f"{folder}/{name} differs"
                for name in sorted({*files, *right})
                if files.get(name) != right.get(name)
            ]
        log = "reports/erasures/redactions.jsonl"
        if (self.root / log).read_bytes() != (expected.root / log).read_bytes():
            problems.append(f"{log} differs")
        problems += [f"left over: {path}" for path in (self.root / "data").rglob(".*.partial")]
        if purged:
            problems += [
                f"{path} holds a name" for path in self.find_names("data", "reports", ".dvc", "../remote")
            ]
            problems += self._compare_receipts(expected)
            if (self.root / ".dvc/tmp/exemplars-purge.json").exists():
                problems.append("the journal is left")
        return problems

    def _compare_receipts(self, expected: ErasureProject) -> list[str]:
        """Compare what the last receipt says, and the objects that all receipts list as removed."""
        paths = sorted((self.root / "reports/erasures").glob("*.json"))
        receipts, right = [json.loads(path.read_bytes()) for path in paths], expected.receipt()
        removed = [item for receipt in receipts for item in receipt["removed_objects"]]
        differ = [key for key in ("still_found", "rows", "raw_files") if receipts[-1][key] != right[key]]
        if _sort_objects(removed) != _sort_objects(right["removed_objects"]):
            differ.append("removed_objects")
        return [f"the receipt's {key} differs: {receipts[-1][key]}" for key in differ]

    def find_names(self, *folders: str) -> list[str]:
        """List the files with an erased name in them: in their bytes, or in a column of a table."""
        return [
            str(path)
            for folder in folders
            for path in sorted((self.root / folder).rglob("*"))
            if path.is_file() and any(name in _read_text(path) for name in NAMES)
        ]

    def find_records_taken_back(self) -> list[str]:
        """List the records that `ingest` would make now of rows that tombstones name."""
        with contextlib.chdir(self.root):
            params = load_section("ingest", IngestParams)
            erasures = read_erasures({"EXEMPLARS_ERASURE_KEY": KEY})
            tables = [read_source(name, params, 1, erasures) for name in params.sources]
        texts = [text for table in tables for text in table.records.column("utterance").to_pylist()]
        return [f"a record again: {text}" for text in texts if text not in KEPT]


KEPT = ("ring the office for me now", "write to the bank tonight", "A cafe in Oslo, please.")
"""The utterances that no tombstone names."""


def make_project(folder: Path) -> Path:
    """Make an `ErasureProject` next to its remote, compiled, committed and pushed; then write the tombstones."""
    project = ErasureProject(folder / "project")
    project.new("../remote")
    project.dvc("repro", "-q")
    project.commit()
    project.dvc("push", "-q")
    project.write_tombstones()
    return folder


def _make_dialogue(name: str, town: str) -> dict[str, object]:
    action = {"act": "INFORM", "slot": "town", "values": [town], "canonical_values": [town]}
    state = {"active_intent": "FindCafe", "requested_slots": [], "slot_values": {"town": [town]}}
    turn = {
        "speaker": "USER",
        "utterance": f"A cafe in {town}, please.",
        "frames": [{"service": "Cafes_1", "actions": [action], "slots": [], "state": state}],
    }
    return {"dialogue_id": name, "services": ["Cafes_1"], "turns": [turn]}


def _sort_objects(objects: list[dict[str, Any]]) -> list[tuple[str, str, tuple[str, ...]]]:
    return sorted({(item["store"], item["md5"], tuple(item["paths"])) for item in objects})


def _hash_files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hash_file(path) for path in folder.rglob("*") if path.is_file()
    }


def _read_text(path: Path) -> str:
    data = path.read_bytes()
    if data[:4] == b"PAR1":
        return repr(pq.ParquetFile(path).read().to_pylist())
    return data.decode("utf-8", "replace")
