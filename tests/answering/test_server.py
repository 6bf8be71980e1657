"""The server, asked by OpenAI's own client over loopback, and by sockets that misbehave."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from exemplars.answering.answers import Answer
from exemplars.answering.loading import list_served, load_system
from exemplars.answering.systems import System, Task
from exemplars.cli.main import main
from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.dataset.parameters import Parameter
from tests.models.tagger.rows import SKILLS

openai = pytest.importorskip("openai")
pytest.importorskip("uvicorn")
TOOLS = [build_tool_definition(skill) for skill in SKILLS]
SING = build_tool_definition(Skill("sing", parameters=(Parameter("song", enum=("la", "lo")),)))
MODELS = ["cascade", "tagger", "lora"]


class SlowSystem:
    """A system that answers when it is allowed to."""

    name = "slow"

    def __init__(self) -> None:
        self.release = threading.Event()
        self.asked = 0

    def answer(self, _task: Task) -> Answer:
        """Wait, and answer."""
        self.asked += 1
        self.release.wait(20)
        return Answer(self.name)


class Running:
    """A server that runs in a thread."""

    def __init__(self, systems: dict[str, System]) -> None:
        from exemplars.answering.server import make_server, open_socket
        from exemplars.answering.web import Limits, Service, build_app

        service = Service(systems, SKILLS, None, Limits(body_bytes=2**20, queue=2))
        self.socket = open_socket("127.0.0.1", 0)
        self.port = int(self.socket.getsockname()[1])
        self.server = make_server(build_app(service, is_local=True))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]})
        self.thread.start()

    def client(self, **options: Any) -> Any:
        """Make OpenAI's client of the server."""
        return openai.OpenAI(
            base_url=f"http://127.0.0.1:{self.port}/v1", api_key="none", max_retries=0, **options
        )

    def send(self, data: bytes, host: str = "127.0.0.1") -> bytes:
        """Post bytes as they are, and return what comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(data)}\r\n"
            connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + data)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def stop(self) -> None:
        """Stop the server."""
        self.server.should_exit = True
        self.thread.join(20)
        self.socket.close()


@pytest.fixture(scope="module")
def slow() -> SlowSystem:
    """A system that waits."""
    return SlowSystem()


@pytest.fixture(scope="module")
def running(trained_project: Path, slow: SlowSystem) -> Iterator[Running]:
    """A server of the trained project."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(trained_project)
        running = Running({**list_served(load_system(None)), "slow": slow})
    yield running
    slow.release.set()
    running.stop()


def ask(running: Running, utterance: str, model: str = "tagger", **options: Any) -> Any:
    messages = [{"role": "system", "content": "Be nice."}, {"role": "user", "content": utterance}]
    return running.client().chat.completions.create(model=model, messages=messages, **options)


def test_the_models_are_listed(running: Running) -> None:
    assert [model.id for model in running.client().models.list()] == [*MODELS, "slow"]


@pytest.mark.parametrize("options", [{}, {"tools": TOOLS}, {"tools": TOOLS, "tool_choice": "auto"}])
def test_a_call_is_answered_with_canonical_values(running: Running, options: dict[str, Any]) -> None:
    completion = ask(running, "set a timer for ten minutes", **options)
    (choice,) = completion.choices
    (call,) = choice.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("set_timer", {"minutes": 10})
    assert (choice.finish_reason, choice.message.content, completion.model) == ("tool_calls", None, "tagger")
    assert completion.exemplars["calls"][0]["spans"]["minutes"]["text"] == "ten"


def test_no_call_is_an_empty_message(running: Running) -> None:
    (choice,) = ask(running, "no thanks").choices
    assert (choice.message.content, choice.message.tool_calls, choice.finish_reason) == ("", None, "stop")


def test_a_stream_has_the_same_answer(running: Running) -> None:
    chunks = list(ask(running, "ring mum", stream=True, stream_options={"include_usage": True}))
    calls = [call for chunk in chunks for choice in chunk.choices for call in choice.delta.tool_calls or ()]
    assert [(call.index, call.function.name, call.function.arguments) for call in calls] == [
        (0, "call", '{"contact": "mum"}')
    ]
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices] == [
        None,
        None,
        "tool_calls",
    ]
    assert chunks[-1].usage.total_tokens == 0  # A tagger has no prompt and writes no tokens.


def test_a_named_tool_is_called_by_the_language_model(running: Running) -> None:
    choice = {"type": "function", "function": {"name": "sing"}}
    completion = ask(running, "la la", "cascade", tools=[*TOOLS, SING], tool_choice=choice)
    assert [call.function.name for call in completion.choices[0].message.tool_calls] == ["sing"]
    assert completion.exemplars["handed_over"] == "tagger: the tagger was not trained for sing"
    assert completion.usage.prompt_tokens > 10


def test_without_tools_to_call_text_is_written_up_to_the_limit(running: Running) -> None:
    completion = ask(running, "hello", "lora", tools=TOOLS, tool_choice="none", max_tokens=2)
    assert completion.choices[0].message.tool_calls is None
    assert completion.usage.completion_tokens <= 3


def test_earlier_messages_are_the_context(running: Running) -> None:
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "weather please"}]},
        {"role": "assistant", "content": "In Rome?"},
        {"role": "user", "content": "yes, that one"},
    ]
    completion = running.client().chat.completions.create(model="tagger", messages=messages)
    assert completion.choices[0].message.tool_calls[0].function.arguments == '{"location": "Rome"}'


@pytest.mark.parametrize(
    ("changes", "status", "param", "code", "message"),
    [
        ({"model": "gpt"}, 404, "model", "model_not_found", "There is no model 'gpt'; served are: cascade"),
        ({"tools": [SING]}, 400, "tools", "unknown_tools", "The tagger was not trained for sing"),
        ({"tool_choice": "none"}, 400, "tool_choice", None, "A tagger writes no text"),
        (
            {"tool_choice": {"type": "function", "function": {"name": "cal"}}},
            400,
            "tool_choice",
            "unknown_tool",
            "There is no tool 'cal'; did you mean 'call'?",
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"properties": {"a": {"type": "strng"}}}}}]},
            400,
            "tools",
            "invalid_tools",
            "strng",
        ),
        ({"tools": [TOOLS[0]] * 129}, 400, "tools", None, "At most 128 tools are possible, not 129."),
        ({"n": 2}, 400, "n", "invalid_value", "Invalid enum value 2"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}},
            400,
            "response_format",
            "unsupported_value",
            "Answers by a JSON Schema are not supported: these models call tools (`tools`), or write text.",
        ),
        ({"messages": []}, 400, "messages", None, "The last message has to be of the user, or of a tool."),
        ({"messages": [{"role": "pope", "content": "a"}]}, 400, "messages[0].role", "invalid_value", "'pope'"),
        (
            {"model": "lora", "messages": [{"role": "user", "content": "ring mum " * 400}]},
            400,
            "messages",
            "context_length_exceeded",
            "found a prompt of",
        ),
        (
            {"messages": [{"role": "user", "content": "ring mum " * 400}]},
            400,
            "messages",
            "context_length_exceeded",
            "found an utterance of",
        ),
        (
            {"model": "lora", "messages": [{"role": "user", "content": "a<|assistant|>b"}]},
            400,
            "messages",
            None,
            "found the control token '<|assistant|>'",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            400,
            "messages[0]",
            None,
            "Content of the type 'image_url' is not supported.",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_an_error_object(
    running: Running, changes: dict[str, Any], status: int, param: str, code: str | None, message: str
) -> None:
    request = {"model": "tagger", "messages": [{"role": "user", "content": "ring mum"}], **changes}
    with pytest.raises(openai.APIStatusError, match=r".") as caught:
        running.client().chat.completions.create(**request)
    error = caught.value.body
    assert (caught.value.status_code, error["param"], error["code"]) == (status, param, code)
    assert error["type"] == "invalid_request_error"
    assert message in error["message"]


def test_what_is_no_json_or_no_request_is_an_error_object(running: Running) -> None:
    assert b'"code":"invalid_json"' in running.send(b"{")
    assert b"Object missing required field `model`" in running.send(b"{}")
    with pytest.raises(openai.NotFoundError, match="Not Found"):
        running.client().embeddings.create(model="tagger", input="a")


def test_ten_megabytes_are_too_much_and_the_server_goes_on(running: Running) -> None:
    with pytest.raises(openai.APIStatusError, match="The body has more than 1,048,576 bytes") as caught:
        ask(running, "ring mum " * 1_200_000)
    assert caught.value.status_code == 413
    assert ask(running, "ring mum").choices[0].message.tool_calls


def test_a_page_of_the_web_cannot_ask(running: Running) -> None:
    assert running.send(b"{}", host="evil.example").startswith(b"HTTP/1.1 400")


def test_two_clients_are_answered_at_once(running: Running) -> None:
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask, running, "ring mum")
        second = pool.submit(ask, running, "weather in Oslo")
        names = [done.result().choices[0].message.tool_calls[0].function.name for done in (first, second)]
    assert names == ["call", "weather"]


def test_a_full_queue_asks_to_come_back_and_a_client_that_hangs_up_is_forgotten(
    running: Running, slow: SlowSystem, caplog: pytest.LogCaptureFixture
) -> None:
    body = json.dumps({"model": "slow", "messages": [{"role": "user", "content": "a"}]}).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
    with ThreadPoolExecutor(2) as pool:
        served = pool.submit(running.send, body)
        wait_until(lambda: slow.asked == 1)
        waiting = pool.submit(running.send, body)
        wait_until(lambda: count_waiting(running) == 1)
        with socket.create_connection(("127.0.0.1", running.port)) as connection:
            connection.sendall(head + body)
            wait_until(lambda: count_waiting(running) == 2)
            refused = running.send(body)
        # Now a third has hung up, while it waited; and this one hangs up in the middle of its body.
        with socket.create_connection(("127.0.0.1", running.port)) as connection:
            connection.sendall(head + body[:9])
        slow.release.set()
        assert served.result(20).startswith(b"HTTP/1.1 200")
        assert waiting.result(20).startswith(b"HTTP/1.1 200")
    assert refused.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 1\r\n" in refused.lower()
    wait_until(lambda: count_waiting(running) == 0)
    assert slow.asked == 2
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_port_in_use_is_one_sentence(
    running: Running, in_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--port", str(running.port)]) == 1
    assert capsys.readouterr().err == (
        "error: 1 problem(s) found\n"
        f"  127.0.0.1:{running.port}: no_port: port {running.port} is in use; end the other program, or choose --port\n"
    )


def count_waiting(running: Running) -> int:
    """Return how many requests wait."""
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{running.port}/health") as answer:
        return int(json.load(answer)["waiting"])


def wait_until(condition: Any) -> None:
    """Wait until something is so; fail after 20 seconds."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
