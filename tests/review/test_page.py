"""The page as a reviewer uses it: in a real browser, by keyboard, with several tabs, reloads and a server that dies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exemplars.review import session
from tests.browser import SCREENS, browser, find_barriers
from tests.review.projects import EMOJI, HOSTILE, RIGHT_TO_LEFT, ROWS, make_row, write_project
from tests.review.serving import ProcessServer, ThreadServer, read_lines

pytest.importorskip("uvicorn")
__all__ = ["browser"]
MUSIC, ARABIC, HOSTILE_ROW, MUM, DAD, NONE = ROWS
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadServer]:
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    running = ThreadServer()
    yield running
    running.stop()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open an address in a new tab of a browser that nobody shares, and fail for what its console reports."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(60_000)  # The first page of a browser takes half a minute on a busy machine.
    problems: list[str] = []

    def open_(address: str, wait: str = "h1") -> Any:
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if is_problem(message) else None)
        page.goto(address)
        page.wait_for_selector(wait)
        return page

    yield open_
    hacked = [page.evaluate("window.hacked") for page in context.pages]
    context.close()
    assert (problems, [value for value in hacked if value is not None]) == ([], [])


def is_problem(message: Any) -> bool:
    """Return whether a message of the console is a fault of the page, and not an answer that it expects."""
    return message.type == "error" and "Failed to load resource" not in message.text


def row_address(server: Any, row: Any) -> str:
    return f"{server.address}#row={row.id.replace(':', '%3A').replace('#', '%23')}"


def saved(page: Any) -> str:
    """Wait until the page says that something is done, and return what it says."""
    page.wait_for_selector("#status.good")
    return str(page.inner_text("#status"))


def wait_for_text(page: Any, selector: str, text: str) -> None:
    page.locator(selector, has_text=text).wait_for()


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def start_edit(page: Any) -> None:
    press(page, "e")
    page.wait_for_selector("#check:not(:empty)")


def values(page: Any) -> list[str]:
    return [field.input_value() for field in page.locator(".edit-argument input").all()]


def test_rows_are_approved_rejected_skipped_and_undone_by_keyboard(
    server: ThreadServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(server.address)
    assert page.inner_text("#utterance") == EMOJI
    press(page, "a")
    wait_for_text(page, "#utterance", "שלום")
    assert saved(page) == f"Saved: approved “{EMOJI}”"
    press(page, " ")
    wait_for_text(page, "#utterance", "Gold")
    press(page, "x")
    wait_for_text(page, "#utterance", "ring my mum at work")
    press(page, "u")
    wait_for_text(page, "#status", "Undone")
    wait_for_text(page, "#utterance", HOSTILE)
    assert [(line["row"], line["decision"]) for line in read_lines(Path())] == [
        (MUSIC.id, "approved"),
        (HOSTILE_ROW.id, "rejected"),
        (HOSTILE_ROW.id, "withdrawn"),
    ]


def test_an_emoji_is_one_sign_of_a_span_that_the_keyboard_selects(
    server: ThreadServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(row_address(server, MUSIC), "#utterance mark")
    start_edit(page)
    press(page, "End", *["ArrowLeft"] * len(" please"), *["Shift+ArrowLeft"] * len("🎵 now"))
    page.wait_for_selector(".choices button")
    press(page, "1")
    page.wait_for_selector("#check.good")
    assert values(page) == ["title", "🎵 now"]
    press(page, "Control+Enter")
    assert saved(page).startswith("Saved: edited")
    (line,) = read_lines(Path())
    (argument,) = line["after"]["arguments"]
    assert EMOJI[argument["start"] : argument["end"]] == argument["value"] == "🎵 now"
    assert argument["start"] == EMOJI.index("🎵") == 16


def test_a_key_takes_the_text_that_is_selected_when_it_is_pressed(
    server: ThreadServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(row_address(server, MUSIC), "#utterance mark")
    start_edit(page)
    # Both in one task of the browser, so that its `selectionchange` event comes after the key.
    page.evaluate(
        """() => {
      const text = document.querySelector("#utterance"), place = text.lastChild;
      getSelection().setBaseAndExtent(place, place.data.indexOf("please"), place, place.data.length);
      text.dispatchEvent(new KeyboardEvent("keydown", { key: "1", bubbles: true, cancelable: true }));
    }"""
    )
    assert values(page) == ["title", "please"]


def test_right_to_left_text_is_selected_with_the_mouse(
    server: ThreadServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(row_address(server, ARABIC), "#utterance mark")
    start_edit(page)
    word = page.evaluate(
        """() => {
      const text = document.querySelector("#utterance").lastChild, range = document.createRange();
      range.setStart(text, text.length - 5);
      range.setEnd(text, text.length);
      const box = range.getBoundingClientRect();
      return [box.left, box.right, box.top + box.height / 2];
    }"""
    )
    left, right, middle = word
    page.mouse.move(right - 1, middle)
    page.mouse.down()
    page.mouse.move(left - 5, middle)
    page.mouse.up()
    page.get_by_role("button", name="1 title").click()
    page.wait_for_selector("#check.good")
    press(page, "Control+Enter")
    saved(page)
    (argument,) = read_lines(Path())[0]["after"]["arguments"]
    assert argument["value"] == "עכשיו"
    assert RIGHT_TO_LEFT[argument["start"] : argument["end"]] == "עכשיו"


def test_the_compiler_says_what_is_wrong_before_it_can_be_saved(
    server: ThreadServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(row_address(server, MUM), "#utterance mark")
    start_edit(page)
    save = page.get_by_role("button", name="Save")
    page.get_by_label("Value of contact").fill("Elinor")
    page.wait_for_selector("#check.bad")
    assert (
        page.inner_text("#check")
        == "Found span 5:11 on the text 'my mum' for slot 'contact', expected 'Elinor'"
    )
    assert (save.is_disabled(), page.get_by_label("Value of contact").get_attribute("aria-invalid")) == (
        True,
        "true",
    )
    press(page, "Control+Enter")
    page.get_by_role("button", name="“my mum” means this value").click()
    page.wait_for_selector("#check.good")
    assert save.is_enabled()
    page.get_by_label("Skill").fill("sing")
    page.wait_for_selector("#check.bad")
    assert page.inner_text("#check").startswith("Found skill 'sing', expected a skill of the catalog")
    press(page, "Escape")
    assert page.inner_text("#utterance") == "ring my mum at work"
    assert read_lines(Path()) == []


def test_a_call_is_taken_away_and_the_row_becomes_one_without_a_call(
    server: ThreadServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(row_address(server, DAD), "#utterance mark")
    start_edit(page)
    page.get_by_label("Skill").fill("")
    page.wait_for_selector("#check.good")
    press(page, "Control+Enter")
    saved(page)
    after = read_lines(Path())[0]["after"]
    assert (after["skill"], after["mode"], after.get("arguments")) == (None, "none", [])


def test_a_text_cannot_be_changed_while_its_spans_are_edited(
    server: ThreadServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(row_address(server, MUM), "#utterance mark")
    start_edit(page)
    press(page, "End", "z", "Backspace", "Enter", "Control+a", "Delete", "Control+x")
    assert page.evaluate("document.querySelector('#utterance').textContent") == "ring my mum at work"


def test_spans_follow_a_change_of_the_text_and_one_that_is_crossed_is_dropped(
    server: ThreadServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(row_address(server, MUSIC), "#utterance mark")
    start_edit(page)
    text = page.get_by_label("Text", exact=True)
    longer = EMOJI.replace("Café", "Cafeteria 🎶")
    text.fill(longer)
    assert values(page) == ["title", "Cafeteria 🎶"]
    text.fill(f"😀 {longer}")
    page.wait_for_selector("#check.good")
    press(page, "Control+Enter")
    saved(page)
    (line,) = read_lines(Path())
    (argument,) = line["after"]["arguments"]
    assert line["before"]["utterance"] == EMOJI
    assert line["after"]["utterance"] == f"😀 {longer}"
    assert (argument["value"], argument["start"], argument["end"]) == ("Cafeteria 🎶", 13, 24)

    page.goto(row_address(server, MUM))
    wait_for_text(page, "#utterance", "ring my mum at work")
    start_edit(page)
    page.get_by_label("Text", exact=True).fill("ring mum at work")
    assert values(page) == ["contact", "mum"]
    page.get_by_label("Text", exact=True).fill("rum at work")
    page.wait_for_selector("#check.bad")
    assert page.inner_text("#check").startswith("'mum' of slot 'contact' occurs neither")
    assert page.locator(".span").inner_text() == "no span: searched"


def test_a_note_is_saved_with_the_decision_and_shown_with_it(
    server: ThreadServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(row_address(server, MUM))
    press(page, "n")
    page.keyboard.type("a quick xylophone")  # No key of it decides.
    page.reload()
    page.wait_for_selector("#note-field:not([hidden])")
    assert page.input_value("#note") == "a quick xylophone"
    press(page, "n", "End")
    page.keyboard.type("?")
    press(page, "Enter", "a")
    assert saved(page) == "Saved: approved “ring my mum at work”, with a note"
    assert [(line["decision"], line["note"]) for line in read_lines(Path())] == [
        ("approved", "a quick xylophone?")
    ]
    page.wait_for_selector(".notice.good q")
    assert page.inner_text(".notice.good q") == "a quick xylophone?"
    assert page.locator("#note-field").is_hidden()
    press(page, "n")
    page.keyboard.type("never mind")
    press(page, "Escape", "x")
    wait_for_text(page, ".notice.good", "Ada rejected it")
    assert [line["note"] for line in read_lines(Path())] == ["a quick xylophone?", None]
    press(page, "u")
    wait_for_text(page, ".notice.good", "Ada approved it")
    press(page, "b")
    page.get_by_role("combobox", name="Decision").select_option("with a note")
    wait_for_text(page, ".filters output", "1 row")
    assert page.inner_text(".rows td[data-label=Decision]").endswith("Ada approved: a quick xylophone?")


def test_a_reload_keeps_the_row_and_what_is_edited(
    server: ThreadServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(server.address)
    press(page, "a")
    wait_for_text(page, "#utterance", "שלום")
    start_edit(page)
    page.get_by_label("Value of title").fill("שלו")
    page.reload()
    page.wait_for_selector(".edit-argument")
    assert page.inner_text("#utterance").startswith("תשמיע")
    assert values(page) == ["title", "שלו"]
    press(page, "Escape")
    page.reload()
    page.wait_for_selector("#utterance mark")
    assert page.locator(".edit").count() == 0
    press(page, "u")
    wait_for_text(page, "#status", "Undone")
    assert [line["decision"] for line in read_lines(Path())] == ["approved", "withdrawn"]


def test_two_tabs_show_what_the_other_has_decided(
    server: ThreadServer, open_page: Callable[..., Any]
) -> None:
    first, second = open_page(row_address(server, MUM)), open_page(row_address(server, MUM))
    press(first, "x")
    saved(first)
    second.wait_for_selector(".notice.good")
    assert second.inner_text(".notice").startswith("Decided. Ada rejected it on ")
    press(second, "a")
    assert saved(second) == "Saved: approved “ring my mum at work”"
    assert [line["decision"] for line in read_lines(Path())] == ["rejected", "approved"]


def test_a_tab_that_has_not_heard_of_a_decision_does_not_overwrite_it(
    server: ThreadServer, browser: Any, open_page: Callable[..., Any]
) -> None:
    page = open_page(row_address(server, MUM))
    elsewhere = browser.new_context()
    deaf = elsewhere.new_page()
    deaf.goto(row_address(server, MUM))
    deaf.wait_for_selector("#utterance")
    press(page, "x")
    saved(page)
    press(deaf, "a")
    deaf.wait_for_selector("#status.bad")
    assert deaf.inner_text("#status").startswith("Not saved: another tab has decided about this row")
    assert deaf.inner_text(".notice").startswith("Decided. Ada rejected it on ")
    elsewhere.close()
    assert [line["decision"] for line in read_lines(Path())] == ["rejected"]


def test_reviewers_who_disagree_and_decisions_on_older_content_are_shown(
    server: ThreadServer, open_page: Callable[..., Any]
) -> None:
    def line(number: int, row: Any, decision: str, reviewer: str, digest: str) -> str:
        known = {
            "version": 1,
            "decision_id": f"{number:032x}",
            "row": row.id,
            "digest": digest,
            "decision": decision,
        }
        return json.dumps({**known, "reviewer": reviewer, "time": "2026-11-27T20:00:00Z"}) + "\n"

    lines = [line(1, MUM, "approved", "Ada", MUM.digest), line(2, MUM, "rejected", "Bob", MUM.digest)]
    lines.append(line(3, DAD, "rejected", "Bob", "0" * 64))
    Path("data/raw/reviews.jsonl").write_text("".join(lines), "utf-8")
    page = open_page(f"{server.address}#queue=disagreement")
    assert page.inner_text("h1") == "Reviewers disagree: Ada approved it, Bob rejected it"
    assert page.inner_text(".notice.bad").startswith("Reviewers disagree, so that no decision applies.")
    page.goto(row_address(server, DAD))
    wait_for_text(page, "#utterance", "ring my dad")
    assert page.inner_text(".notice.fair") == (
        "Stale. Bob rejected an earlier version of this row on 2026-11-27. It does not apply: decide again."
    )


def test_all_rows_are_filtered_and_opened_by_keyboard(
    server: ThreadServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(server.address)
    press(page, "b")
    page.wait_for_selector(".rows tbody tr")
    assert page.inner_text(".filters output") == "7 rows"
    page.get_by_label("Text").focus()
    page.keyboard.type("RING")
    wait_for_text(page, ".filters output", "2 rows")
    page.get_by_label("Skill").select_option("call")
    page.get_by_role("link", name="ring my dad").focus()
    press(page, "Enter")
    wait_for_text(page, "#utterance", "ring my dad")
    press(page, "b")
    page.wait_for_selector(".rows tbody tr")
    assert page.get_by_label("Text").input_value() == "RING"
    page.get_by_label("Text").fill("nothing of the kind")
    page.wait_for_selector("#results .empty")


def test_a_row_that_has_the_focus_keeps_it_when_the_filtered_rows_come(
    server: ThreadServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(server.address)
    press(page, "b")
    page.wait_for_selector(".rows tbody tr")
    # In one task of the browser: the rows come after the link has the focus.
    page.evaluate(
        """() => {
      const link = [...document.querySelectorAll(".rows a")].find((link) => link.textContent === "ring my dad");
      link.id = "old";
      link.focus();
      const skill = document.querySelector("[data-filter=skill]");
      skill.value = "call";
      skill.dispatchEvent(new Event("change"));
    }"""
    )
    page.wait_for_selector("#old", state="detached")
    press(page, "Enter")
    wait_for_text(page, "#utterance", "ring my dad")


def test_a_key_after_a_skip_decides_about_no_row_until_the_next_is_shown(
    server: ThreadServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(server.address)
    page.evaluate(
        """() => {
      for (const key of [" ", "x"])
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    }"""
    )
    wait_for_text(page, "#utterance", "שלום")
    press(page, "a")
    saved(page)
    assert [(line["row"], line["decision"]) for line in read_lines(Path())] == [(ARABIC.id, "approved")]


def test_a_long_queue_is_sent_in_parts(
    server: ThreadServer, open_page: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_SENT_ENTRIES", 2)
    page = open_page(server.address)
    for row in ROWS:
        wait_for_text(page, "#utterance", row.utterance)
        press(page, "a")
    page.wait_for_selector("main .empty")
    assert page.inner_text("main p") == "You have decided all 6 rows of this queue."
    assert [line["row"] for line in read_lines(Path())] == [row.id for row in ROWS]


def test_the_end_of_a_queue_and_an_empty_queue_say_so(
    server: ThreadServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(f"{server.address}#queue=privacy")
    assert page.inner_text("main p") == "This queue has no rows."
    page.goto(f"{server.address}#queue=conflicts")
    for place, row in enumerate(ROWS):
        wait_for_text(page, "#utterance", row.utterance)
        press(page, " " if place else "a")
    page.wait_for_selector("main .empty")
    page.get_by_role("button", name="Go through them").click()
    page.wait_for_selector("#utterance")
    assert page.locator("#views [aria-current]").inner_text().split() == ["Conflicts", "5"]


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_axe_finds_nothing_serious_and_nothing_scrolls_sideways(
    server: ThreadServer, browser: Any, width: int, scheme: Any
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.goto(row_address(server, MUSIC))
    page.wait_for_selector(".nearest li, #nearest .note")
    assert (find_barriers(page), page.evaluate(SIDEWAYS)) == ([], 0)
    start_edit(page)
    page.get_by_label("Value of title").fill("Elinor")
    page.wait_for_selector("#check.bad")
    press(page, "Tab")
    assert (find_barriers(page), page.evaluate(SIDEWAYS)) == ([], 0)
    press(page, "Escape", "b")
    page.wait_for_selector(".rows tbody tr")
    assert (find_barriers(page), page.evaluate(SIDEWAYS)) == ([], 0)
    press(page, "?")
    assert find_barriers(page) == []
    page.close()


def test_what_was_shown_as_saved_is_in_the_file_when_the_server_is_killed(
    tmp_path: Path, open_page: Callable[..., Any]
) -> None:
    rows = [
        make_row(number, f"ring number {number}", "call", {"contact": f"number {number}"})
        for number in range(24)
    ]
    write_project(tmp_path, rows)
    shown: list[tuple[str, str]] = []
    server = ProcessServer(tmp_path, "--reviewer", "Ada")
    decide_rows(open_page(server.address, "#utterance"), shown, 12)
    page = open_page(server.address, "#utterance")
    server.kill()
    press(page, "a")
    page.wait_for_selector("#status.bad")
    assert page.inner_text("#status").startswith("Not saved: The server does not answer.")
    server = ProcessServer(tmp_path, "--reviewer", "Ada")
    page = open_page(server.address, "#utterance")
    decide_rows(page, shown, 12)
    page.wait_for_selector("main .empty")
    server.kill()
    assert [(line["row"], line["decision"]) for line in read_lines(tmp_path)] == shown
    assert len(dict(shown)) == 24


def decide_rows(page: Any, shown: list[tuple[str, str]], count: int) -> None:
    """Decide about rows by keyboard, and note what the page shows as saved."""
    for place in range(count):
        row = str(page.inner_text(".facts code"))
        press(page, "x" if place % 3 else "a")
        page.wait_for_function("row => document.querySelector('.facts code')?.textContent !== row", arg=row)
        said = saved(page)
        shown.append((row, said.split()[1]))
