"""The small project with rows that are to be erased: of every format, with numbers, names and emoji."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq
import pytest

from tests.cli.small_project import SOURCES, STAGES, SmallProject

CALLS: Final = (
    ("dial Zephyrine Quist at 5:31 sharp", "Zephyrine Quist"),
    ("ring 555-0142-7731, that is Wilhelmine", "Wilhelmine"),
    ("call Thaddeus 🦑 before noon", "Thaddeus"),
    ("get me O'Malleray's workshop, extension 407", "O'Malleray's workshop"),
    ("phone Zoë-Maëlle Ångkvist & sons", "Zoë-Maëlle Ångkvist & sons"),
    ("my name is James Holloway, connect me to Perpetua", "Perpetua"),
    ("it's 19:45, so call Leocadia <quickly>", "Leocadia"),
    ("ring Evangelos 3 times", "Evangelos"),
    ("call Ottilie", "Ottilie"),
    ('say "hello" to Balthazaar for me, by phone', "Balthazaar"),
    ("put me through to number 1,204,877 Xanthippe", "Xanthippe"),
    ("dial Crispinian's cell 🪀🦑", "Crispinian"),
)
KEPT: Final = ("my name is Gregory Whitlock, ring the plumber", "the plumber")
"""Stays, with a surrogate for the name that no argument labels."""
SMALL_TALK: Final = (
    "🦑🪀🦑",
    "so Hildegarde said she paid $4,815 for it",
    "yes Ethelbert",
    "no no I told Rosamunde it was 42",
)
LINES: Final[tuple[dict[str, Any], ...]] = (
    {
        "utterance": "Has Ignatiusz Vole's 2nd novel come back?",
        "skill": "find_book",
        "arguments": {"author": "Ignatiusz Vole"},
    },
    {
        "utterance": "is there another by the same person?",
        "skill": None,
        "context": [{"speaker": "user", "utterance": "Has Ignatiusz Vole's 2nd novel come back?"}],
    },
)
UNREADABLE: Final = '{"utterance": "a line that nobody can read because it has no end, and that names Cunegonde far behind", "skill": '
BOT: Final = {"template": "tell Melisande that I'd like <loaves> loaves of <bread>"}
DIALOGUE: Final = "2_90000"
MARKERS: Final = (
    *(
        "Zephyrine",
        "Quist",
        "555-0142",
        "Wilhelmine",
        "Thaddeus",
        "Malleray",
        "Ångkvist",
        "Holloway",
        "Perpetua",
    ),
    *(
        "Leocadia",
        "Evangelos",
        "Ottilie",
        "Balthazaar",
        "1,204,877",
        "Xanthippe",
        "Crispinian",
        "🦑",
        "Hildegarde",
    ),
    *("4,815", "Ethelbert", "Rosamunde", "Ignatiusz", "Cunegonde", "Melisande", "Theodosia", "Porthallo"),
    # As a speech recognizer writes them.
    *("five thirty one", "o'malleray", "nineteen forty five", "eight hundred and fifteen dollars"),
    *("extension four hundred", "seven hundred and thirty one", "second novel"),
)
"""Words that only the planted rows have, in any case: at least one for each, and for each speech view with numbers."""


class PlantedProject(SmallProject):
    """The small project with planted rows, surrogates, and speech views in all splits."""

    def new_dialogue(self) -> dict[str, Any]:
        """Build a dialogue of the same form as one of the files, with other names."""
        path = self.root / "data/raw/sgd/train/dialogues_002.json"
        dialogue: dict[str, Any] = json.loads(path.read_bytes())[0]
        text = json.dumps({**dialogue, "dialogue_id": DIALOGUE})
        # Of the same lengths: the spans stay where they are.
        text = text.replace("The Lighthouse Ledger", "Theodosia Lighthouses").replace(
            "Rex Annex", "Porthallo"
        )
        renamed: dict[str, Any] = json.loads(text)
        return renamed

    def _prepare(self) -> None:
        super()._prepare()
        self.edit("params.yaml", "    mode: report\n", "    mode: surrogate\n")
        self.edit("params.yaml", "  speech: [test]\n", "  speech: [train, validation, test]\n")
        with (self.root / "data/raw/skills/call.md").open("a", encoding="utf-8") as file:
            for utterance, contact in (KEPT, *CALLS):
                file.write(f"\n### User: {utterance}\n### Assistant: call(contact={json.dumps(contact)})\n")
        with (self.root / "data/raw/skills/other.md").open("a", encoding="utf-8") as file:
            for utterance in SMALL_TALK:
                file.write(f"\n### User: {utterance}\n### Assistant: other()\n")
        with (self.root / "data/raw/labelled/examples.jsonl").open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in (*(json.dumps(line) for line in LINES), UNREADABLE))
        dialogues = self.root / "data/raw/sgd/train/dialogues_002.json"
        dialogue = self.new_dialogue()
        dialogues.write_text(json.dumps([*json.loads(dialogues.read_bytes()), dialogue], indent=2), "utf-8")
        self.edit_bot(add=True)

    def edit_bot(self, add: bool) -> None:
        """Add the planted template to the bot's file, or remove it: by hand, as the docs ask for."""
        path = self.root / "data/raw/bots/bakery/exemplars.json"
        document = json.loads(path.read_bytes())
        templates = document["order_bread"]
        document["order_bread"] = [*templates, BOT] if add else [item for item in templates if item != BOT]
        path.write_text(json.dumps(document, indent=2) + "\n", "utf-8")

    def reproduce(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Run all stages again, and commit to DVC and git."""
        for stage in (*(f"ingest@{name}" for name in SOURCES), *STAGES):
            self._run(stage, monkeypatch)
        done = self.dvc("commit", "-f")
        assert done.returncode == 0, done.stderr
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "erased")

    def planted_places(self) -> list[str]:
        """List the ids of the planted rows of skill files."""
        places = []
        for name, utterances in (("call.md", [text for text, _ in CALLS]), ("other.md", SMALL_TALK)):
            lines = (self.root / "data/raw/skills" / name).read_text("utf-8").split("\n")
            places += [
                f"skills:{name}#{number}"
                for number, line in enumerate(lines, 1)
                if line.removeprefix("### User: ") in utterances
            ]
        return places

    def list_files(self, *folders: str) -> list[Path]:
        """List the files of folders, without the tombstones and the code."""
        paths = [path for folder in folders for path in sorted((self.root / folder).rglob("*"))]
        return [path for path in paths if path.is_file() and path.name != "erasures.jsonl"]

    def find_markers(self, *folders: str, markers: Sequence[str] = MARKERS) -> dict[str, list[str]]:
        """List the files that hold a marker, in their bytes or in the columns of a table."""
        found: dict[str, list[str]] = {}
        for path in self.list_files(*folders):
            text = read_text(path)
            if held := [marker for marker in markers if re.search(rf"(?i){re.escape(marker)}", text)]:
                found[path.resolve().relative_to(self.root.parent).as_posix()] = held
        return found


def read_text(path: Path) -> str:
    """Read all texts of a file: of a table its columns; of others also what JSON and HTML escape."""
    data = path.read_bytes()
    if data[:4] == b"PAR1":
        return json.dumps(pq.ParquetFile(path).read().to_pylist(), ensure_ascii=False)
    text = data.decode("utf-8", "replace")
    return text + re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
