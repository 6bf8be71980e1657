"""A real HTTP server on loopback that speaks OpenAI's API, and misbehaves by script."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import msgspec

from exemplars.core.digests import hash_content

Body = dict[str, Any]


class Reply(NamedTuple):
    """What the server does with a request."""

    status: int = 200
    text: str = ""
    """The text of the message, or of the error."""
    headers: Sequence[tuple[str, str]] = ()
    wait: float = 0.0
    """Seconds before it answers."""
    cut: bool = False
    """Whether the connection breaks in the middle of the body."""
    raw: str | None = None
    """The body, in place of a chat completion."""
    finish_reason: str = "stop"
    refusal: str | None = None
    code: str | None = None
    """Of the error."""


Script = Callable[[Body, int], Reply]
"""From the body of a request and its number, from 0, to what the server does."""


class ScriptedServer:
    """The server, which counts the requests by the hash of their bodies."""

    def __init__(self, script: Script, key: str | None = None) -> None:
        """key: that requests must have; `None`: any."""
        self.script, self.key = script, key
        self.seen: Counter[str] = Counter()
        """The requests that came."""
        self.answered: Counter[str] = Counter()
        """Those that got a whole answer."""
        self.bodies: list[Body] = []
        self.at_work = self.most_at_work = 0
        self.has_batches = True
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.handle(self)

            def do_GET(self) -> None:
                server.handle_get(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}/v1"

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers["Content-Length"])
        data = handler.rfile.read(length)
        if len(data) < length:  # The client was killed while it sent the request.
            return
        if self.key is not None and handler.headers["Authorization"] != f"Bearer {self.key}":
            self._send_error(handler, Reply(401, "Incorrect API key provided.", code="invalid_api_key"))
        elif not self.has_batches and not handler.path.endswith("/completions"):
            self._send_error(handler, Reply(404, "Not Found"))
        elif handler.path.endswith("/files"):
            self._upload(handler, data)
        elif handler.path.endswith("/batches"):
            self._create_batch(handler, json.loads(data))
        else:
            self._complete(handler, json.loads(data))

    def handle_get(self, handler: BaseHTTPRequestHandler) -> None:
        name = handler.path.split("?")[0].split("/")
        if name[-1] == "content":
            self._send(handler, 200, self.files[name[-2]], "application/octet-stream")
        elif name[-2] == "batches":
            self._send_json(handler, self.batches[name[-1]])
        else:
            found = list(self.batches.values())
            self._send_json(handler, {"object": "list", "data": found, "has_more": False})

    def _complete(self, handler: BaseHTTPRequestHandler, body: Body) -> None:
        key = hash_content(msgspec.json.encode(body, order="sorted"))
        with self.lock:
            number = len(self.bodies)
            self.bodies.append(body)
            self.seen[key] += 1
            self.at_work += 1
            self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            reply = self.script(body, number)
            time.sleep(reply.wait)
            if reply.status != 200:
                self._send_error(handler, reply)
                return
            text = reply.raw if reply.raw is not None else json.dumps(build_completion(body, reply))
            if reply.cut:
                self._send_cut(handler, text.encode())
                return
            self.answered[key] += 1
            self._send(handler, 200, text.encode())
        except OSError:  # The client was killed.
            pass
        finally:
            with self.lock:
                self.at_work -= 1

    def _upload(self, handler: BaseHTTPRequestHandler, data: bytes) -> None:
        boundary = handler.headers["Content-Type"].split("boundary=")[1].encode()
        parts = [part for part in data.split(b"--" + boundary) if b"filename=" in part]
        name = f"file-{len(self.files)}"
        self.files[name] = parts[0].split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")
        self._send_json(handler, _describe_file(name))

    def _create_batch(self, handler: BaseHTTPRequestHandler, body: Body) -> None:
        name = f"batch-{len(self.batches)}"
        self.batches[name] = {
            "id": name,
            "object": "batch",
            "created_at": 0,
            "endpoint": body["endpoint"],
            "completion_window": "24h",
            "input_file_id": body["input_file_id"],
            "status": "in_progress",
            "metadata": body.get("metadata"),
        }
        self._send_json(handler, self.batches[name])

    def finish_batch(self, name: str) -> None:
        """Answer the requests of a batch, those with an even number with an error."""
        lines, errors = [], []
        for number, line in enumerate(self.files[self.batches[name]["input_file_id"]].splitlines()):
            item = json.loads(line)
            reply = self.script(item["body"], number)
            response = {"status_code": reply.status, "body": build_completion(item["body"], reply)}
            target = lines if reply.status == 200 else errors
            target.append(json.dumps({"custom_id": item["custom_id"], "response": response, "error": None}))
        self.files["output"], self.files["errors"] = ("\n".join(part).encode() for part in (lines, errors))
        self.batches[name] |= {"status": "completed", "output_file_id": "output"}
        if errors:
            self.batches[name]["error_file_id"] = "errors"

    def _send_error(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        error = {"message": reply.text, "type": "error", "code": reply.code, "param": None}
        self._send(handler, reply.status, json.dumps({"error": error}).encode(), headers=reply.headers)

    def _send_json(self, handler: BaseHTTPRequestHandler, document: object) -> None:
        self._send(handler, 200, json.dumps(document).encode())

    def _send(
        self,
        handler: BaseHTTPRequestHandler,
        status: int,
        data: bytes,
        kind: str = "application/json",
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        handler.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(data))), *headers):
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    def _send_cut(self, handler: BaseHTTPRequestHandler, data: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[: len(data) // 2])
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)


def build_completion(body: Body, reply: Reply) -> dict[str, Any]:
    """Build a chat completion."""
    message = {"role": "assistant", "content": reply.text, "refusal": reply.refusal}
    if reply.refusal is not None:
        message["content"] = None
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": f"{body['model']}-2026-11-01",
        "system_fingerprint": "fp_scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish_reason, "logprobs": None}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }


def find_closed_port() -> int:
    """Find a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _describe_file(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "object": "file",
        "bytes": 1,
        "created_at": 0,
        "filename": "requests.jsonl",
        "purpose": "batch",
        "status": "processed",
    }
