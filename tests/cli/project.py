"""A small project with a git and a DVC history: tables, `dvc.lock` and a cache, made without running a stage."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from exemplars.core import layout
from exemplars.core.digests import hash_content, hash_split, stamp_digest
from exemplars.core.ids import parse_row_id
from exemplars.core.records import (
    Argument,
    Exemplar,
    Grounding,
    Mode,
    Origin,
    Reason,
    Rejection,
    Speaker,
    Turn,
)
from exemplars.core.schemas import PAIR_SCHEMA, REVIEW_SCHEMA
from exemplars.core.turns import group_by_turn
from exemplars.dataset.row_tables import exemplars_to_table, rejections_to_table
from exemplars.models.rows import PREDICTION_SCHEMA, TRAINING_SCHEMA

PARAMS = """\
ingest:
  sources:
    skills: {format: skills, path: data/raw/skills, license: Apache-2.0}
    sgd: {format: sgd, path: data/raw/sgd, license: CC-BY-SA-4.0}
"""
SKILLS = """\
#### Prompt:
call(who="[who]")
Calls somebody.

#### Examples:

### User: call Maria
### Assistant: call(who="Maria")

### User: ring Bob
### Assistant: call(who="Bob")
"""
LEDGERS = {
    "compile": layout.ledger_path(layout.EXEMPLARS),
    "curate": layout.ledger_path(layout.CURATED),
    "split": layout.ledger_path(layout.MANIFEST),
    "render": layout.ledger_path(layout.TRAINING_BASE),
}


def said(name: str) -> tuple[Argument, ...]:
    """Return the argument of `call NAME`."""
    return (Argument("who", name, name, 5, 5 + len(name), Grounding.VERBATIM),)


def exemplar(
    row_id: str,
    utterance: str,
    arguments: tuple[Argument, ...] = (),
    skill: str | None = "call",
    service: str | None = None,
    group: str | None = None,
    sha256: str = "0" * 64,
    context: tuple[Turn, ...] = (),
) -> Exemplar:
    """Build a row; its origin is the one in its id."""
    place = parse_row_id(row_id)
    mode = Mode.NORMAL if skill else Mode.NONE
    row = Exemplar(
        id=row_id,
        digest="",
        source=place.source,
        turn=row_id,
        call=0,
        service=service,
        skill=skill,
        mode=mode,
        speaker=Speaker.USER,
        utterance=utterance,
        exemplar=utterance,
        arguments=arguments,
        reply=None,
        context=context,
        group=group or f"{place.source}:{utterance}",
        license="Apache-2.0",
        origin=Origin(place.path, sha256, place.locator),
    )
    return stamp_digest(row)


def rejection(
    row_id: str, stage: str, reason: Reason, utterance: str = "hm", group: str = "skills:hm"
) -> Rejection:
    """Build a row of a ledger; its message is `found REASON`."""
    place = parse_row_id(row_id)
    return Rejection(
        id=row_id,
        source=place.source,
        stage=stage,
        reason=reason,
        message=f"found {reason}",
        origin=Origin(place.path, "0" * 64, place.locator),
        group=group,
        skill="call",
        slot=None,
        utterance=utterance,
    )


class Project:
    """A repository; nothing in it is written by a stage."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q", "-b", "main")
        self.write(".dvc/config", "[core]\n    analytics = false\n")
        self.write(".gitignore", "/data/*\n!/data/raw\n/.dvc/cache\n/.dvc/tmp\n/models/*/rows.txt\n")
        self.write("params.yaml", PARAMS)
        self.write("data/raw/skills/call.md", SKILLS)

    def write(self, path: str, content: str | bytes) -> Path:
        """Write a file."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def remote(self, folder: Path) -> None:
        """Make a folder the default remote."""
        remote = f"    remote = store\n['remote \"store\"']\n    url = {folder}\n"
        self.write(".dvc/config", f"[core]\n    analytics = false\n{remote}")

    def git(self, *arguments: str) -> str:
        """Run git; return what it prints."""
        identity = ["-c", "user.name=Test", "-c", "user.email=test@localhost"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.root, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def compiled(
        self,
        train: Sequence[Exemplar] = (),
        validation: Sequence[Exemplar] = (),
        test: Sequence[Exemplar] = (),
        ledger: Sequence[Rejection] = (),
        rejected_later: Sequence[Exemplar] = (),
    ) -> None:
        """Write the tables up to the splits, and the ledger of render.

        rejected_later: the rows that were exemplars until curate or split rejected them.
        """
        splits = {"train": train, "validation": validation, "test": test}
        rows = [row for split in splits.values() for row in split]
        leaked = {rejected.id for rejected in ledger if rejected.stage == "split"}
        self.table(layout.EXEMPLARS, exemplars_to_table(_sorted([*rows, *rejected_later])))
        kept = [*rows, *(row for row in rejected_later if row.id in leaked)]
        self.table(layout.CURATED, exemplars_to_table(_sorted(kept)))
        self.table(layout.SPEECH, exemplars_to_table([]))
        self.table(layout.split_speech(), exemplars_to_table([]))
        for name, split in splits.items():
            self.table(layout.split(name), exemplars_to_table(_sorted(split)))
        for stage, path in LEDGERS.items():
            stages = (stage, "ingest") if stage == "compile" else (stage,)
            rejections = [rejected for rejected in ledger if rejected.stage in stages]
            self.table(path, rejections_to_table(sorted(rejections, key=_id)))
        self.table(layout.REVIEW, REVIEW_SCHEMA.empty_table())
        self.table(layout.PAIRS, PAIR_SCHEMA.empty_table())

    def rendered(self, train: Iterable[Exemplar], test: Iterable[Exemplar] = ()) -> None:
        """Write the chat rows: one per turn."""
        for name, rows in (("train", train), ("validation", ()), ("test", test)):
            chat = [_training_row(calls) for calls in group_by_turn(rows).values()]
            self.table(layout.training(name), pa.Table.from_pylist(chat, schema=TRAINING_SCHEMA))

    def predicted(self, answers: Iterable[tuple[str, str, str]]) -> None:
        """Write predictions: id, system, kind."""
        rows = [
            {
                "id": row_id,
                "exemplar_ids": [row_id.partition("@")[0]],
                "system": system,
                "kind": kind,
                "utterance": "",
                "right": "call()",
                "predicted": "go()",
            }
            for row_id, system, kind in answers
        ]
        self.table(layout.PREDICTIONS, pa.Table.from_pylist(rows, schema=PREDICTION_SCHEMA))

    def trained(self, rows: Iterable[Exemplar], recipe: str = "lora") -> str:
        """Write a run's manifest and row digests; return its name."""
        digests = sorted({row.digest for row in rows})
        lines = "".join(f"{digest}\n" for digest in digests)
        run = f"{recipe}-{hash_split(digests)[:12]}-{'c' * 12}"
        manifest = {
            "run": run,
            "recipe": recipe,
            "params": {"recipe": {"method": recipe if recipe == "tagger" else "lora"}, "shared": {}},
            "data_hashes": {"train": hash_split(digests)},
            "rows_sha256": hash_content(lines.encode()),
            "base": {"from": "hub", "id": "tiny", "revision": "r1", "license": "MIT"},
            "base_sha256": "b" * 64,
            "base_license": "MIT",
            "weights_sha256": "e" * 64,
            "code": None,
            "packages": {},
            "hardware": {},
            "seed": 1,
            "seconds": 1.0,
            "tokens": 9,
            "steps": 3,
            "resumed_from": None,
            "losses": {},
        }
        self.write(f"models/{recipe}/manifest.json", json.dumps(manifest))
        self.write(f"models/{recipe}/rows.txt", lines)
        return run

    def table(self, path: Path, table: pa.Table) -> None:
        """Write a table, without the safety against power cuts that stages have."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, self.root / path)

    def commit(self, message: str = "data") -> str:
        """Write `dvc.lock`, put all outputs into DVC's cache, commit; return the commit."""
        outs = []
        for file in sorted([*self.root.glob("data/*/*"), *self.root.glob("models/*/*")]):
            if file.is_dir() or "raw" in file.parts:
                continue
            md5 = hashlib.md5(file.read_bytes()).hexdigest()
            outs.append({"path": file.relative_to(self.root).as_posix(), "hash": "md5", "md5": md5})
            if file.name != "manifest.json":
                self.write(f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}", file.read_bytes())
        lock = {"schema": "2.0", "stages": {"everything": {"cmd": "make", "outs": outs}}}
        self.write("dvc.lock", yaml.safe_dump(lock))
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def cached(self, path: Path) -> Path:
        """Return the object in the cache that has the bytes of an output of the workspace."""
        md5 = hashlib.md5((self.root / path).read_bytes()).hexdigest()
        return self.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]


def _training_row(calls: Sequence[Exemplar]) -> dict[str, Any]:
    row = calls[0]
    return {
        "id": row.id if len(calls) == 1 else row.turn,
        "turn": row.turn,
        "exemplar_ids": [call.id for call in calls],
        "digests": [call.digest for call in calls],
        "source": row.source,
        "skills": [call.skill for call in calls if call.skill],
        "license": row.license,
        "origin": {"path": row.origin.path, "sha256": row.origin.sha256, "locator": row.origin.locator},
        "view": "call",
        "speech": False,
        "prompt_tokens": 7,
    }


def _id(row: Exemplar | Rejection) -> str:
    return row.id


def _sorted(rows: Iterable[Exemplar]) -> list[Exemplar]:
    return sorted(rows, key=_id)
