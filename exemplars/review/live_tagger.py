"""The trained tagger in a process of its own, so that neither torch nor its model is in that of the server."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from exemplars.core import layout
from exemplars.core.records import Exemplar
from exemplars.models.run_manifest import TAGGER, WEIGHTS

PROGRAM: Final = (sys.executable, "-m", "exemplars.review.tagger_process")
"""It answers a question a line of its standard input with a JSON object a line."""


class LiveTagger:
    """Asks the tagger; its process is started by the first question, and ends with `close`."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def answer(self, exemplar: Exemplar) -> dict[str, Any]:
        """Answer a row as `encode_answer` has it; or with only `problem`, if there is no tagger or it has ended."""
        if not any((path.parent / WEIGHTS).is_dir() for path in layout.MODELS.glob("*/manifest.json")):
            return {"problem": "there is no trained model: `dvc repro train` makes one"}
        question = {"utterance": exemplar.utterance, "context": exemplar.context, "speaker": exemplar.speaker}
        with self._lock:
            try:
                return self._ask(msgspec.json.encode(question))
            except (OSError, ValueError):
                self._stop()
                return {"problem": f"the {TAGGER} has ended before it answered"}

    def close(self) -> None:
        """Stop the process, if it runs."""
        with self._lock:
            self._stop()

    def _ask(self, question: bytes) -> dict[str, Any]:
        if self._process is None:
            self._process = subprocess.Popen(
                PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(question + b"\n")
        self._process.stdin.flush()
        answer: Mapping[str, Any] = json.loads(self._process.stdout.readline())
        return dict(answer)

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
