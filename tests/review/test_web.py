"""The server, asked over loopback by the page, by other pages of the web, and by clients that misbehave."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.review.projects import EMOJI, HOSTILE, ROWS, write_project
from tests.review.serving import TOKEN, ThreadServer, ask, read_lines, send

MUM, DAD, NONE = ROWS[3], ROWS[4], ROWS[5]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    return tmp_path


@pytest.fixture
def server(project: Path) -> Iterator[ThreadServer]:
    running = ThreadServer()
    yield running
    running.stop()


def fetch(
    server: ThreadServer, path: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> Any:
    connection = http.client.HTTPConnection(server.host, timeout=20)
    connection.request(method, path, body, {key.replace("_", "-"): value for key, value in headers.items()})
    answer = connection.getresponse()
    document = answer.read().decode()
    connection.close()
    return answer.status, dict(answer.getheaders()), document


def decide(server: ThreadServer, row: Any, decision: str, number: int, **changes: Any) -> tuple[int, Any]:
    body = {
        "decision_id": f"{number:032x}",
        "row": row.id,
        "digest": row.digest,
        "decision": decision,
        **changes,
    }
    status, document = send(server.address, "decide", json.dumps(body).encode())
    return status, json.loads(document)


def edit(**changes: Any) -> dict[str, Any]:
    argument = {"slot": "contact", "value": "mum", "start": 8, "end": 11}
    return {"skill": "call", "mode": "normal", "arguments": [argument], **changes}


def test_a_row_is_shown_with_its_labels_its_skill_and_its_nearest_rows(server: ThreadServer) -> None:
    row = ask(server.address, "row", id=MUM.id, queue="conflicts")
    assert (row["utterance"], row["call"], row["why"]) == (
        "ring my mum at work",
        'call(contact="my mum")',
        "another row says the same",
    )
    assert row["arguments"][0] | {"accepted": []} == {
        "slot": "contact", "value": "my mum", "surface": "my mum", "start": 5, "end": 11, "grounding": "verbatim", "accepted": [],
    }  # fmt: skip
    assert row["context"] == [{"speaker": "user", "utterance": "hello"}]
    assert [parameter["name"] for parameter in row["entry"]["parameters"]] == ["contact", "line"]
    assert ask(server.address, "nearest", id=MUM.id)[0]["id"] == DAD.id
    assert row["place"] == "data/raw/mine/rows.jsonl:4"


def test_a_decision_is_in_the_file_when_it_is_answered(server: ThreadServer, project: Path) -> None:
    status, answer = decide(server, MUM, "approved", 1, queue="conflicts")
    (line,) = read_lines(project)
    assert status == 200
    assert answer["saved"]["decision"] == "approved"
    assert (line["row"], line["digest"], line["decision"], line["queue"], line["reviewer"]) == (
        MUM.id, MUM.digest, "approved", "conflicts", "Ada",
    )  # fmt: skip
    assert next(queue for queue in answer["queues"] if queue["name"] == "conflicts") == {
        "name": "conflicts", "open": 5, "decided": 1,
    }  # fmt: skip


def test_a_request_that_is_sent_again_is_saved_once(server: ThreadServer, project: Path) -> None:
    first = decide(server, MUM, "approved", 1)
    assert decide(server, MUM, "approved", 1) == first
    assert len(read_lines(project)) == 1


def test_an_edit_is_saved_as_the_compiler_understands_it(server: ThreadServer, project: Path) -> None:
    assert decide(server, MUM, "edited", 1, edit=edit())[0] == 200
    (line,) = read_lines(project)
    assert line["before"]["arguments"][0]["value"] == "my mum"
    assert line["after"] == {
        "utterance": "ring my mum at work", "skill": "call", "mode": "normal",
        "arguments": [{"slot": "contact", "value": "mum", "surface": "mum", "start": 8, "end": 11, "grounding": "verbatim"}],
    }  # fmt: skip


MISTAKES: tuple[tuple[dict[str, Any], str, str | None], ...] = (
    ({"skill": "sing"}, "found skill 'sing', expected a skill of the catalog", None),
    ({"skill": None, "mode": "none"}, "found argument 'contact' without a skill", "contact"),
    ({"mode": "none"}, "found mode 'none' with a skill", None),
    ({"arguments": [{"slot": "contact", "value": "mum", "start": 8, "end": 30}]}, "found span 8:30 in an utterance of 19", "contact"),
    ({"arguments": [{"slot": "contact", "value": "dad"}]}, "'dad' of slot 'contact' occurs neither", "contact"),
    ({"arguments": []}, "found no contact, expected the required contact", "contact"),
    ({"arguments": [{"slot": " ", "value": "mum"}]}, "found an argument without a slot", ""),
)  # fmt: skip


def test_an_edit_that_does_not_compile_is_explained_and_not_saved(
    server: ThreadServer, project: Path
) -> None:
    for changes, message, slot in MISTAKES:
        body = json.dumps({"row": MUM.id, "edit": edit(**changes)}).encode()
        checked = json.loads(send(server.address, "check", body)[1])
        assert message in checked["message"]
        assert (checked["ok"], checked["slot"]) == (False, slot)
        status, answer = decide(server, MUM, "edited", 1, edit=edit(**changes))
        assert (status, message in answer["error"]) == (422, True)
    assert read_lines(project) == []


def test_a_text_that_means_a_value_is_accepted_if_the_reviewer_says_so(server: ThreadServer) -> None:
    argument = {"slot": "contact", "value": "Elinor", "start": 8, "end": 11}
    for means, is_right in ((False, False), (True, True)):
        body = {"row": MUM.id, "edit": edit(arguments=[{**argument, "means": means}])}
        checked = json.loads(send(server.address, "check", json.dumps(body).encode())[1])
        assert checked["ok"] is is_right
    assert checked["row"]["arguments"][0]["grounding"] == "normalized"


def test_what_another_tab_has_decided_is_not_overwritten(server: ThreadServer, project: Path) -> None:
    decide(server, MUM, "approved", 1)
    status, answer = decide(server, MUM, "rejected", 2)
    assert (status, answer["error"]) == (409, "another tab has decided about this row: look at it again")
    assert decide(server, MUM, "rejected", 3, seen=f"{1:032x}")[0] == 200
    assert [line["decision"] for line in read_lines(project)] == ["approved", "rejected"]


def test_undo_withdraws_the_last_decision_and_nothing_else(server: ThreadServer, project: Path) -> None:
    decide(server, MUM, "approved", 1)
    decide(server, DAD, "approved", 2)
    stale = json.dumps({"decision_id": f"{3:032x}", "withdraws": f"{1:032x}"}).encode()
    assert send(server.address, "undo", stale)[0] == 409
    body = json.dumps({"decision_id": f"{4:032x}", "withdraws": f"{2:032x}"}).encode()
    assert send(server.address, "undo", body)[0] == send(server.address, "undo", body)[0] == 200
    assert [line["decision"] for line in read_lines(project)] == ["approved", "approved", "withdrawn"]
    assert ask(server.address, "start")["last"]["row"] == MUM.id


def test_a_decision_about_other_content_is_refused_and_an_old_one_is_stale(
    server: ThreadServer, project: Path
) -> None:
    assert decide(server, MUM, "approved", 1, digest="0" * 64)[1]["error"] == (
        "the row has changed since it was shown: look at it again"
    )
    line = {
        "version": 1, "decision_id": "f" * 32, "row": MUM.id, "digest": "0" * 64, "decision": "rejected",
        "reviewer": "Bob", "time": "2026-11-27T20:00:00Z",
    }  # fmt: skip
    (project / "data/raw/reviews.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
    decisions = ask(server.address, "row", id=MUM.id)["decisions"]
    assert (decisions["own"], [review["reviewer"] for review in decisions["stale"]]) == (None, ["Bob"])


def test_a_second_opinion_is_hidden_until_there_is_a_first_and_a_dispute_is_shown(
    server: ThreadServer, project: Path
) -> None:
    other = ThreadServer("Bob")
    decide(other, MUM, "rejected", 1)
    other.stop()
    decisions = ask(server.address, "row", id=MUM.id)["decisions"]
    assert (decisions["hidden"], decisions["others"]) == (1, [])
    # Rows that nobody has decided come first.
    assert ask(server.address, "queue", name="conflicts")["entries"][-1]["row"] == MUM.id
    decide(server, MUM, "approved", 2)
    decisions = ask(server.address, "row", id=MUM.id)["decisions"]
    assert (decisions["disputed"], decisions["others"][0]["reviewer"]) == (True, "Bob")
    assert ask(server.address, "queue", name="disagreement")["entries"] == [
        {"row": MUM.id, "why": "reviewers disagree: Ada approved it, Bob rejected it", "suggested": None}
    ]


def test_two_hundred_decisions_of_two_clients_are_all_there_once(server: ThreadServer, project: Path) -> None:
    other = ThreadServer("Bob")

    def approve_and_undo(running: ThreadServer, first: int) -> None:
        for number in range(first, first + 100, 2):
            assert decide(running, NONE, "approved", number)[0] == 200
            body = {"decision_id": f"{number + 1:032x}", "withdraws": f"{number:032x}"}
            assert send(running.address, "undo", json.dumps(body).encode())[0] == 200

    threads = [
        threading.Thread(target=approve_and_undo, args=(running, first))
        for running, first in ((server, 0), (other, 1000))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.stop()
    ids = [int(line["decision_id"], 16) for line in read_lines(project)]
    assert sorted(ids) == [*range(100), *range(1000, 1100)]


def test_all_rows_are_browsed_with_filters(server: ThreadServer) -> None:
    found = ask(server.address, "rows", text="RING MY")
    assert [row["id"] for row in found["rows"]] == [MUM.id, DAD.id]
    assert [row["utterance"] for row in ask(server.address, "rows", text="🎵")["rows"]] == [EMOJI]
    assert ask(server.address, "rows", reason="value_not_found")["rows"][0]["utterance"] == "play something"
    assert ask(server.address, "rows", skill="(no call)", split="train", grounding="")["total"] == 1
    assert ask(server.address, "rows", grounding="verbatim", source="mine")["total"] == 5
    record = ask(server.address, "row", id="mine:lost.jsonl#99")
    assert record["rejection"]["reason"] == "value_not_found"


def test_rows_that_were_written_since_are_shown(server: ThreadServer, project: Path) -> None:
    from exemplars.core import layout
    from exemplars.core.tables import write_table
    from exemplars.dataset.row_tables import exemplars_to_table

    assert ask(server.address, "rows", split="train")["total"] == 6
    write_table(layout.EXEMPLARS, exemplars_to_table(ROWS[:2]))
    assert ask(server.address, "rows", split="train")["total"] == 2


def test_a_broken_file_of_decisions_is_named_and_nothing_is_saved(
    server: ThreadServer, project: Path
) -> None:
    (project / "data/raw/reviews.jsonl").write_text('{"version": 1}\n', "utf-8")
    status, answer = decide(server, MUM, "approved", 1)
    assert status == 500
    assert answer["error"].startswith("data/raw/reviews.jsonl:1: ")
    assert (project / "data/raw/reviews.jsonl").read_text("utf-8") == '{"version": 1}\n'


def test_another_host_another_token_and_another_origin_are_refused(
    server: ThreadServer, project: Path
) -> None:
    path = f"/{TOKEN}/api/start"
    assert fetch(server, path)[0] == 200
    assert fetch(server, path, Host="evil.example")[0] == 403
    assert fetch(server, path, Host=f"evil.example:{server.host.rpartition(':')[2]}")[0] == 403
    assert (
        fetch(server, "/wrong/api/start")[0]
        == fetch(server, "/")[0]
        == fetch(server, "/favicon.ico")[0]
        == 403
    )
    assert fetch(server, "*", "OPTIONS")[0] == 403
    body = json.dumps(
        {"decision_id": "1" * 32, "row": MUM.id, "digest": MUM.digest, "decision": "approved"}
    ).encode()
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Content_Type": "text/plain"},
        {"Sec_Fetch_Site": "cross-site"},
    ):
        assert send(server.address, "decide", body, **headers)[0] == 403
    assert fetch(server, f"/{TOKEN}/api/decide", "POST", body, Content_Type="application/json")[0] == 403
    assert read_lines(project) == []


def test_every_answer_has_the_headers_that_keep_other_pages_out(server: ThreadServer) -> None:
    for path in (f"/{TOKEN}/", f"/{TOKEN}/app.js", f"/{TOKEN}/api/start", "/wrong/"):
        headers = {name.lower(): value for name, value in fetch(server, path)[1].items()}
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"


NONSENSE = (
    (f"/{TOKEN}/..%2fweb.py", 404),
    (f"/{TOKEN}/web.py", 404),
    (f"/{TOKEN}/api/queue?name=nothing", 400),
    (f"/{TOKEN}/api/rows?page=x", 400),
    (f"/{TOKEN}/api/rows?colour=red", 400),
    (f"/{TOKEN}/api/row?id=nothing", 404),
    (f"/{TOKEN}/api/decide", 405),
)


def test_a_request_that_makes_no_sense_gets_one_sentence(server: ThreadServer) -> None:
    for path, expected in NONSENSE:
        status, _, document = fetch(server, path)
        assert (path, status) == (path, expected)
        assert set(json.loads(document)) == {"error"}


def test_bodies_that_are_too_long_or_no_json_are_refused(server: ThreadServer) -> None:
    assert send(server.address, "check", b"{" * 2_000_000)[0] == 413
    assert send(server.address, "check", b"{")[0] == 400
    assert send(server.address, "decide", b'{"decision_id": "x"}')[0] == 400


def test_a_hostile_text_stays_text(server: ThreadServer) -> None:
    status, headers, document = fetch(server, f"/{TOKEN}/api/row?id={ROWS[2].id.replace('#', '%23')}")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(document)["utterance"] == HOSTILE


def test_without_models_the_tagger_says_so(server: ThreadServer) -> None:
    assert ask(server.address, "tagger", id=MUM.id) == {
        "problem": "there is no trained model: `dvc repro train` makes one"
    }


def test_rows_are_found_by_what_is_decided_about_them_and_by_notes(
    server: ThreadServer, project: Path
) -> None:
    def browse(wanted: str) -> list[tuple[str, list[str]]]:
        rows = ask(server.address, "rows", decision=wanted)["rows"]
        return [(row["id"], [review["reviewer"] for review in row["decisions"]]) for row in rows]

    assert decide(server, MUM, "approved", 1, note="  whose mum?\n")[0] == 200
    assert read_lines(project)[0]["note"] == "whose mum?"
    other = ThreadServer("Bob")
    assert decide(other, MUM, "approved", 2)[0] == decide(other, DAD, "rejected", 3)[0] == 200
    other.stop()
    assert browse("approved") == browse("noted") == [(MUM.id, ["Ada", "Bob"])]
    assert browse("rejected") == []  # What others have decided is hidden until an own decision.
    assert decide(server, DAD, "rejected", 4, seen=None)[0] == 200
    assert browse("rejected") == [(DAD.id, ["Ada", "Bob"])]
    assert ask(server.address, "rows")["total"] == 7
    assert decide(server, NONE, "approved", 5, note="a" * 2_001)[0] == 400
