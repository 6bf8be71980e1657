"""`exemplars diff` on a real repository with a history, tables and a cache."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exemplars.cli.main import main
from exemplars.core import layout
from exemplars.core.digests import stamp_digest
from exemplars.core.records import Argument, Exemplar, Grounding, Reason, Speaker, Turn
from exemplars.core.reviews import Decision, Review, RowEdit, describe_row, encode_review
from exemplars.core.tables import rows_to_table
from tests.cli.project import LEDGERS, Project, exemplar, rejection, said

MARIA = exemplar("skills:call.md#7", "call Maria", said("Maria"))
BOB = exemplar("skills:call.md#10", "call Bob", said("Bob"))
HELLO = exemplar("sgd:train/d.json#/0/turns/0/frames/0", "hello", skill=None)
Printed = Callable[..., str]


@pytest.fixture
def committed(project: Project) -> Project:
    """Three rows, in a commit that is tagged v1."""
    project.compiled(train=[MARIA, HELLO], test=[BOB])
    project.commit("first")
    project.git("tag", "v1")
    return project


def document(printed: Printed, *arguments: str) -> Any:
    return json.loads(printed("diff", *arguments, "--format", "json"))


def counts(diff: Any) -> dict[str, int]:
    return {kind: count for kind, count in diff["counts"].items() if count}


def test_an_untouched_workspace_does_not_differ_from_its_commit(committed: Project, printed: Printed) -> None:
    commit = committed.git("rev-parse", "--short=12", "HEAD")
    assert printed("diff") == f"HEAD ({commit}) -> workspace: 3 -> 3 rows\nno row differs\n"


def test_splits_of_an_earlier_run_are_a_warning(
    committed: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    committed.compiled(
        train=[MARIA, HELLO],
        test=[BOB],
        ledger=[rejection(BOB.id, "compile", Reason.VALUE_NOT_FOUND, "call Bob")],
    )
    assert main(["diff"]) == 0
    assert capsys.readouterr().err == (
        "warning: splits of workspace are older than its ledger: 1 rejected rows are still in them; "
        "run `dvc repro validate`, then compare\n"
    )


def test_every_kind_of_change_is_shown(committed: Project, printed: Printed) -> None:
    commit = committed.git("rev-parse", "--short=12", "HEAD")
    renamed = exemplar(
        MARIA.id, "call Mary Ann", (Argument("who", "Mary", "Mary", 5, 9, Grounding.VERBATIM),)
    )
    committed.compiled(
        train=[renamed, BOB, exemplar("skills:call.md#13", "call Eve", said("Eve"))],
        ledger=[rejection(HELLO.id, "split", Reason.LEAKED, "hello")],
        rejected_later=[HELLO],
    )
    assert printed("diff").splitlines() == [
        f"HEAD ({commit}) -> workspace: 3 -> 4 rows",
        "  added                              1",
        "  changed                            1  (arguments 1, exemplar 1, group 1,",
        "                                      utterance 1)",
        "  moved between splits               1  (test -> train 1)",
        "  newly rejected                     1  (leaked 1)",
        "",
        "by skill                                         added  changed  moved  rejected",
        "call                                                 1        1      1         1",
        "",
        "by source                                        added  changed  moved  rejected",
        "skills                                               1        1      1         0",
        "sgd                                                  0        0      0         1",
        "",
        "added:",
        "  skills:call.md#13",
        '    "call Eve"',
        "    call, train",
        "",
        "changed:",
        "  skills:call.md#7",
        '    utterance: "call Maria" -> "call Mary Ann"',
        '    exemplar: "call Maria" -> "call Mary Ann"',
        '    group: "skills:call Maria" -> "skills:call Mary Ann"',
        '    arguments.who: "Maria" [5:10] verbatim -> "Mary" [5:9] verbatim',
        "",
        "moved between splits:",
        "  skills:call.md#10",
        '    "call Bob"',
        "    test -> train",
        "",
        "newly rejected:",
        "  sgd:train/d.json#/0/turns/0/frames/0",
        '    "hello"',
        "    by split, leaked: found leaked",
    ]


def test_two_commits_are_compared_from_the_cache(committed: Project, printed: Printed) -> None:
    committed.compiled(train=[MARIA], test=[BOB])
    committed.commit("second")
    committed.compiled()
    diff = document(printed, "v1", "HEAD")
    assert (diff["old"]["rows"], diff["new"]["rows"], counts(diff)) == (3, 2, {"removed": 1})
    assert [row["id"] for row in diff["rows"]["removed"]] == [HELLO.id]
    back = document(printed, "HEAD", "v1")
    assert counts(back) == {"added": 1}


def test_one_revision_is_compared_with_the_workspace(committed: Project, printed: Printed) -> None:
    committed.compiled(train=[MARIA])
    committed.commit("second")
    assert counts(document(printed, "v1")) == {"removed": 2}


def test_lines_that_moved_are_relocated_and_not_changed(committed: Project, printed: Printed) -> None:
    # Three lines are inserted above: each row has the id that the next one had.
    moved = [
        exemplar("skills:call.md#7", "call Eve", said("Eve")),
        exemplar("skills:call.md#10", "call Maria", said("Maria")),
    ]
    committed.compiled(train=[*moved, HELLO], test=[exemplar("skills:call.md#13", "call Bob", said("Bob"))])
    diff = document(printed)
    assert counts(diff) == {"added": 1, "relocated": 2}
    assert [row["id"] for row in diff["rows"]["added"]] == ["skills:call.md#7"]
    assert "relocated                          2" in printed("diff")


def test_context_and_service_are_compared(committed: Project, printed: Printed) -> None:
    diff = exemplar(
        HELLO.id,
        "hello",
        skill=None,
        service="Cafes_1",
        context=(Turn(Speaker.ASSISTANT, "hi"),),
    )
    committed.compiled(train=[MARIA, diff], test=[BOB])
    fields = document(printed)["rows"]["changed"][0]["fields"]
    assert fields == {
        "service": [None, "Cafes_1"],
        "context": [[], [{"speaker": "assistant", "utterance": "hi"}]],
    }
    assert "context: 0 turns -> 1 turns" in printed("diff")


def test_the_speaker_and_the_reply_are_compared(committed: Project, printed: Printed) -> None:
    row = msgspec.structs.replace(HELLO, speaker=Speaker.TOOL, reply="It is cold.")
    committed.compiled(train=[MARIA, stamp_digest(row)], test=[BOB])
    assert document(printed)["rows"]["changed"][0]["fields"] == {
        "speaker": ["user", "tool"],
        "reply": [None, "It is cold."],
    }
    assert 'reply: none -> "It is cold."' in printed("diff")


def test_newly_accepted_rows_have_their_former_reason(project: Project, printed: Printed) -> None:
    project.compiled(train=[MARIA], ledger=[rejection(BOB.id, "compile", Reason.VALUE_NOT_FOUND, "call Bob")])
    project.commit()
    project.compiled(train=[MARIA, BOB])
    assert counts(document(printed)) == {"accepted": 1}
    assert "was rejected by compile, value_not_found; now in train" in printed("diff")


def test_rows_that_render_rejects_are_newly_rejected(committed: Project, printed: Printed) -> None:
    refused = rejection(MARIA.id, "render", Reason.TOO_LONG, "call Maria")
    committed.compiled(train=[MARIA, HELLO], test=[BOB], ledger=[refused])
    diff = document(printed)
    assert counts(diff) == {"rejected": 1}
    assert diff["rows"]["rejected"][0]["stage"] == "render"
    committed.commit("second")
    assert counts(document(printed, "HEAD", "v1")) == {"accepted": 1}


def test_a_revision_before_render_is_compared_without_its_ledger(
    committed: Project, printed: Printed
) -> None:
    (committed.root / LEDGERS["render"]).unlink()
    assert counts(document(printed)) == {}


def test_lists_are_cut_in_text_and_complete_in_json(committed: Project, printed: Printed) -> None:
    more = [exemplar(f"skills:call.md#{line}", f"call {line}") for line in range(100, 130)]
    committed.compiled(train=[MARIA, HELLO, *more], test=[BOB])
    shown = printed("diff", "--limit", "2")
    assert "… and 28 more: use a larger --limit, or --format json for all" in shown
    assert shown.count('"call 1') == 2
    assert "… and 10 more" in printed("diff")
    assert len(document(printed)["rows"]["added"]) == 30


def test_markdown_folds_the_lists(committed: Project, printed: Printed) -> None:
    commit = committed.git("rev-parse", "--short=12", "HEAD")
    more = [exemplar(f"skills:call.md#{line}", f"call <{line}>") for line in (100, 103)]
    committed.compiled(train=[MARIA, HELLO, *more], test=[BOB])
    assert printed("diff", "--format", "markdown", "--limit", "1").splitlines() == [
        f"### Data: HEAD ({commit}) -> workspace",
        "",
        "3 -> 5 rows.",
        "",
        "| change | rows |",
        "| --- | ---: |",
        "| added | 2 |",
        "",
        "| skill | added |",
        "| --- | ---: |",
        "| call | 2 |",
        "",
        "| source | added |",
        "| --- | ---: |",
        "| skills | 2 |",
        "",
        "<details>",
        "<summary>added: 2</summary>",
        "",
        "- `skills:call.md#100`",
        '  - "call \\<100\\>"',
        "  - call, train",
        "- and 1 more",
        "",
        "</details>",
    ]


def test_text_fits_80_columns(committed: Project, printed: Printed) -> None:
    long = exemplar(
        "skills:call.md#100", "call " + "very " * 60 + "long", skill="a_skill_with_a_long_name" * 3
    )
    committed.compiled(train=[MARIA, long], ledger=[rejection(BOB.id, "compile", Reason.INVALID_VALUE)])
    assert max(len(line) for line in printed("diff").splitlines()) <= 80


def test_differences_fail_only_with_exit_code(committed: Project, printed: Printed) -> None:
    printed("diff", "--exit-code", status=0)
    committed.compiled(train=[MARIA])
    printed("diff", status=0)
    printed("diff", "--exit-code", status=1)


class TestMetrics:
    """`--metrics`"""

    @pytest.fixture(autouse=True)
    def evaluated(self, project: Project) -> None:
        project.compiled(train=[MARIA, HELLO], test=[BOB])
        evaluation(project, 0.5, {"call": 0.25, "ring": 0.5})
        project.commit("first")
        evaluation(project, 0.75, {"call": 0.75, "ring": 0.5})
        project.compiled(train=[HELLO], test=[BOB])

    def test_moved_slices_have_the_changed_rows_in_them(self, printed: Printed) -> None:
        diff = document(printed, "--metrics")["metrics"]
        assert diff == {
            "runs": ["run", "run"],
            "references": ["lora", "lora"],
            "overall": [
                {"system": "lora", "metric": "exact_match", "old": 0.5, "new": 0.75, "beyond": False}
            ],
            "slices": [
                {
                    "dimension": "skill",
                    "slice": "call",
                    "old": 0.25,
                    "new": 0.75,
                    "beyond": True,
                    "changed_rows": {"removed": 1},
                    "ids": [MARIA.id],
                }
            ],
        }

    def test_moved_slices_are_shown_as_text_and_markdown(self, printed: Printed) -> None:
        lines = printed("diff", "--metrics").splitlines()
        assert lines[-5:] == [
            "metrics that moved (! beyond the old interval):",
            "  lora, exact_match                                    0.5000 ->  0.7500",
            "  skill: call                                          0.2500 ->  0.7500 !",
            "    changed rows in it: 1 removed",
            "    skills:call.md#7",
        ]
        row = "| skill: call | 0.2500 | 0.7500 ! | 1 removed |"
        assert row in printed("diff", "--metrics", "--format", "markdown")

    def test_a_revision_that_was_not_evaluated_is_one_sentence(
        self, project: Project, printed: Printed
    ) -> None:
        (project.root / "reports/details/evaluate.json").unlink()
        shown = printed("diff", "--metrics", status=1)
        assert "reports/details/evaluate.json: no_metrics: found no evaluation, expected metrics" in shown


def evaluation(project: Project, exact: float, skills: dict[str, float]) -> None:
    def figure(value: float) -> dict[str, float]:
        return {"rows": 9, "value": value, "low": value - 0.3, "high": value + 0.3}

    report = {
        "run": "run",
        "systems": {"lora": {"exact_match": figure(exact), "errors": {"wrong_skill": 1}}},
        "reference": "lora",
        "slices": {"skill": {name: figure(value) for name, value in skills.items()}},
    }
    project.write("reports/details/evaluate.json", json.dumps(report))


def test_tables_that_are_the_same_are_not_read(committed: Project, printed: Printed) -> None:
    committed.compiled(train=[MARIA, HELLO], test=[])
    for path in (layout.split("train"), layout.split("validation"), *LEDGERS.values()):
        committed.cached(path).unlink(missing_ok=True)
    assert counts(document(printed)) == {"removed": 1}


def test_a_missing_object_is_one_sentence(committed: Project, printed: Printed) -> None:
    committed.cached(layout.split("test")).unlink()
    committed.compiled(train=[MARIA])
    assert one_sentence(printed("diff", status=1)) == (
        "data/splits/test.parquet at HEAD: unusable_revision: found no object "
    )


def test_a_missing_object_is_fetched_from_the_remote(
    committed: Project, printed: Printed, tmp_path: Path
) -> None:
    place = committed.cached(layout.split("test"))
    held = tmp_path / "remote/files/md5" / place.parent.name / place.name
    held.parent.mkdir(parents=True)
    place.rename(held)
    committed.remote(tmp_path / "remote")
    committed.compiled(train=[MARIA, HELLO])
    assert counts(document(printed)) == {"removed": 1}
    assert place.is_file()


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        (("nowhere",), "git: unknown_revision: found no revision 'nowhere'"),
        (("v1", "nowhere"), "git: unknown_revision: found no revision 'nowhere'"),
        (("empty",), "dvc.lock at empty: unusable_revision: found no dvc.lock"),
        (("damaged",), "dvc.lock at damaged: unusable_revision: found a damaged dvc.lock"),
        (("early",), "early: no_splits: found no data/splits/train.parquet,"),
    ],
)
def test_a_revision_that_cannot_be_compared_is_one_sentence(
    committed: Project, printed: Printed, arguments: tuple[str, ...], start: str
) -> None:
    for name, lock in (("empty", None), ("damaged", "stages: ["), ("early", "stages: {}\n")):
        committed.git("switch", "-q", "--orphan", name)
        if lock is not None:
            committed.write("dvc.lock", lock)
            committed.git("add", "dvc.lock")
        committed.git("commit", "-q", "--allow-empty", "-m", name)
    committed.git("switch", "-q", "main")
    shown = printed("diff", *arguments, status=1)
    assert len(shown.splitlines()) == 2
    assert start in shown


def test_a_workspace_without_splits_is_one_sentence(committed: Project, printed: Printed) -> None:
    (committed.root / layout.split("train")).unlink()
    shown = printed("diff", status=1)
    assert (
        "workspace: no_splits: found no data/splits/train.parquet, expected a revision with splits" in shown
    )


def one_sentence(shown: str) -> str:
    """Return the only problem, up to the hash in it."""
    first, problem = shown.splitlines()
    assert first == "error: 1 problem(s) found"
    return problem.strip().partition("object ")[0] + "object "


def test_json_has_the_ids_of_all_rows(committed: Project, printed: Printed) -> None:
    def ids(rows: Iterable[Exemplar]) -> set[str]:
        return {row.id for row in rows}

    new = [exemplar(f"skills:more.md#{line}", f"call {line}") for line in range(50)]
    committed.compiled(train=new, test=[BOB])
    diff = document(printed)["rows"]
    assert {row["id"] for row in diff["added"]} == ids(new)
    assert {row["id"] for row in diff["removed"]} == ids([MARIA, HELLO])


@pytest.mark.parametrize(
    "path", [layout.split("train"), *map(layout.ledger_path, (layout.CURATED, layout.MANIFEST))]
)
@pytest.mark.parametrize("damage", ["link", "folder", "fifo", "bytes", "missing"])
def test_a_table_that_cannot_be_read_is_named_and_not_taken_for_an_empty_one(
    committed: Project, printed: Printed, path: Path, damage: str
) -> None:
    table = committed.root / path
    table.unlink()
    match damage:
        case "link":
            table.symlink_to(committed.root / ".dvc/cache/files/md5/00/lost")
            found = "found a link to nothing"
        case "folder":
            table.mkdir()
            found = "found no file"
        case "fifo":
            os.mkfifo(table)
            found = "found no file"
        case "bytes":
            table.write_bytes(b"PAR1 and no more")
            found = "unreadable_table: found "
        case _:
            found = f"workspace: no_splits: found no {path}, expected a revision with splits to compare"
    shown = printed("diff", status=1)
    assert shown.startswith("error: 1 problem(s) found\n")
    assert len(shown.splitlines()) == 2
    assert str(path) in shown
    assert found in shown


def test_a_changed_row_names_the_reviewer_who_edited_it(committed: Project, printed: Printed) -> None:
    edited = exemplar(MARIA.id, "call Mary", said("Mary"))
    review = Review(
        decision_id="1" * 32,
        row=MARIA.id,
        digest=MARIA.digest,
        decision=Decision.EDITED,
        before=describe_row(MARIA),
        after=describe_row(edited),
        reviewer="ada",
        time="2026-11-27T20:00:00Z",
    )
    committed.compiled(train=[edited, HELLO], test=[BOB])
    committed.write("data/raw/reviews.jsonl", encode_review(review))
    edits = rows_to_table([RowEdit(MARIA.id, "1" * 32, MARIA.digest, edited.digest)], RowEdit)
    committed.table(layout.EDITS, edits)
    assert document(printed)["rows"]["changed"][0]["edited_by"] == ["ada"]
    assert "    edited by ada" in printed("diff").splitlines()
