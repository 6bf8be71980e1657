"""Servers of a review: one in a thread of the test, and one that can be killed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from exemplars.answering.server import make_server, open_socket
from exemplars.review.session import ReviewSession
from exemplars.review.web import build_app
from tests.conftest import PROJECT

TOKEN = "a-token-of-the-tests"


class ThreadServer:
    """A server of the project in the working folder, in a thread."""

    def __init__(self, reviewer: str = "Ada") -> None:
        self.session = ReviewSession(reviewer)
        self._socket = open_socket("127.0.0.1", 0)
        self.host = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.address = f"http://{self.host}/{TOKEN}/"
        self._server = make_server(build_app(self.session, TOKEN))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})
        self._thread.start()

    def stop(self) -> None:
        """Stop the server."""
        self._server.should_exit = True
        self._thread.join(20)
        self._socket.close()
        self.session.close()


class ProcessServer:
    """The command itself, in a process."""

    def __init__(self, root: Path, *options: str) -> None:
        command = [
            sys.executable,
            "-m",
            "exemplars.cli.main",
            "review",
            "--port",
            "0",
            "--no-browser",
            *options,
        ]
        environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        found = re.search(r"http\S+", self.line)
        assert found is not None
        self.address = found[0]

    def kill(self) -> None:
        """Kill the process: it has no time to do anything."""
        self.process.kill()
        self.process.communicate()


def ask(address: str, document: str, /, **query: str) -> Any:
    """Get a document of the server."""
    with urllib.request.urlopen(f"{address}api/{document}?{urlencode(query)}", timeout=20) as answer:
        return json.load(answer)


def send(address: str, name: str, body: bytes, **headers: str) -> tuple[int, str]:
    """Post a body as the page does; return the status and what comes back."""
    origin = "http://" + urlsplit(address).netloc
    known = {
        "Content-Type": "application/json",
        "Origin": origin,
        **{key.replace("_", "-"): text for key, text in headers.items()},
    }
    request = urllib.request.Request(f"{address}api/{name}", body, known, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def read_lines(root: Path) -> list[dict[str, Any]]:
    """Read the decisions of a project as they are on the disk."""
    return [
        json.loads(line)
        for line in (root / "data/raw/reviews.jsonl").read_bytes().splitlines()
        if line.strip()
    ]
