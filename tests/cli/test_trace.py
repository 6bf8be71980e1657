"""`exemplars trace` on a real repository with a history, tables and a cache."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exemplars.cli.main import main
from exemplars.core import layout
from exemplars.core.digests import hash_content, hash_split, stamp_digest
from exemplars.core.records import Exemplar, Mode, Origin, Reason, Speaker, Template, Turn
from exemplars.core.reviews import (
    Decision,
    Review,
    ReviewedArgument,
    ReviewedRow,
    RowEdit,
    describe_row,
    encode_review,
)
from exemplars.core.schemas import PAIR_SCHEMA, REVIEW_SCHEMA
from exemplars.core.tables import rows_to_table
from exemplars.dataset.row_tables import exemplars_to_table
from tests.cli.project import LEDGERS, SKILLS, Project, exemplar, rejection, said

SHA256 = hash_content(SKILLS.encode())
MARIA = exemplar("skills:call.md#7", "call Maria", said("Maria"), group="skills:one", sha256=SHA256)
BOB = exemplar("skills:call.md#10", "ring Bob", said("Bob"), sha256=SHA256)
HELLO = exemplar(
    "sgd:train/d.json#/0/turns/0/frames/0", "hello", skill=None, group="sgd:train/1_00000", sha256="f" * 64
)
AGAIN = exemplar(
    "sgd:train/d.json#/0/turns/2/frames/0",
    "hello",
    skill=None,
    group="sgd:train/1_00000",
    context=(Turn("user", "hello"),),  # type: ignore[arg-type]
)
TWIN = exemplar("sgd:dev/d.json#/0/turns/0/frames/0", "hello", skill=None, group="sgd:dev/1_00000")
LOST = rejection(
    "sgd:train/d.json#/0/turns/4/frames/0", "ingest", Reason.NO_NEW_MEANING, "yes", "sgd:train/1_00000"
)
Printed = Callable[..., str]


@pytest.fixture
def compiled(project: Project) -> Project:
    """Two rows of skills, three of dialogues, one rejection; trained on in one commit."""
    project.compiled(train=[MARIA, HELLO, AGAIN], validation=[TWIN], test=[BOB], ledger=[LOST])
    project.rendered(train=[MARIA, HELLO], test=[BOB])
    project.predicted([(BOB.id, "lora", "right"), (BOB.id, "base", "malformed")])
    project.trained([MARIA, HELLO])
    project.commit("first")
    return project


def run_trace(printed: Printed, *arguments: str) -> Any:
    return json.loads(printed("trace", *arguments, "--format", "json"))


def outcomes(trace: Any, row: int = 0) -> dict[str, str]:
    return {decision["stage"]: decision["outcome"] for decision in trace["rows"][row]["decisions"]}


def test_a_row_is_followed_from_its_line_to_its_run(compiled: Project, printed: Printed) -> None:
    commit = compiled.git("rev-parse", "--short=12", "HEAD")
    run = f"lora-{data_hash(MARIA, HELLO)}-cccccccccccc"
    assert printed("trace", "skills:call.md#7").splitlines() == [
        "skills:call.md#7",
        "source     skills, Apache-2.0",
        "file       data/raw/skills/call.md:7",
        f"revision   git {commit}",
        f"sha256     {SHA256}",
        "           the file's content hash is the same",
        "line       ### User: call Maria",
        "group      skills:one",
        "ingest     record",
        "compile    exemplar",
        f"           {MARIA.digest}",
        "           utterance: call Maria",
        "           exemplar: call Maria",
        "           skill: call, mode normal",
        '           who = "Maria" [5:10] verbatim',
        "curate     kept",
        "split      train",
        "render     1 training row",
        "           call: 7 tokens before the answer",
        "train      1 run",
        f"           {run} (workspace)",
        "evaluate   not a test row",
    ]


def data_hash(*rows: Exemplar) -> str:
    return hash_split(row.digest for row in rows)[:12]


def test_a_test_row_has_the_answers_of_the_systems_and_no_run(compiled: Project, printed: Printed) -> None:
    trace = run_trace(printed, BOB.id)
    assert outcomes(trace) == {
        "ingest": "record",
        "compile": "exemplar",
        "curate": "kept",
        "split": "test",
        "render": "rendered",
        "train": "not seen",
        "evaluate": "judged",
    }
    answers = trace["rows"][0]["decisions"][-1]["predictions"]
    assert [(answer["system"], answer["kind"]) for answer in answers] == [
        ("lora", "right"),
        ("base", "malformed"),
    ]


def make_turn(*rows: Exemplar) -> list[Exemplar]:
    """Make the calls of one turn."""
    turn = rows[0].id.removesuffix("/frames/0")
    return [
        stamp_digest(msgspec.structs.replace(row, turn=turn, call=place)) for place, row in enumerate(rows)
    ]


TWO_CALLS = make_turn(
    exemplar("sgd:train/d.json#/0/turns/6/frames/0", "call Maria", said("Maria"), service="Phones_1"),
    exemplar("sgd:train/d.json#/0/turns/6/frames/1", "call Maria", skill="light", service="Lamps_1"),
)


def test_each_call_of_a_turn_is_followed_to_the_prompt_and_the_run_that_they_share(
    project: Project, printed: Printed
) -> None:
    first, second = TWO_CALLS
    project.compiled(train=[*TWO_CALLS, MARIA])
    project.rendered(train=[*TWO_CALLS, MARIA])
    project.predicted([])
    run = project.trained([second])
    project.commit()
    for row, outcome in ((first, "not seen"), (second, "seen")):
        trace = run_trace(printed, row.id)
        assert outcomes(trace)["train"] == outcome
        render = next(step for step in trace["rows"][0]["decisions"] if step["stage"] == "render")
        assert render["rows"] == [
            {
                "id": first.turn,
                "turn": first.turn,
                "exemplar_ids": [first.id, second.id],
                "digests": [first.digest, second.digest],
                "view": "call",
                "slot": None,
                "speech": False,
                "prompt_tokens": 7,
            }
        ]
    text = " ".join(printed("trace", first.id).split())
    assert f"call: 7 tokens before the answer, one of 2 rows of {first.turn}" in text
    for name in (first.turn, f"{first.turn}@skill"):
        trace = run_trace(printed, name)
        assert [(row["id"], row["runs"]) for row in trace["rows"]] == [(first.id, []), (second.id, [run])]


def test_a_result_and_a_reply_are_shown(project: Project, printed: Printed) -> None:
    row = msgspec.structs.replace(HELLO, speaker=Speaker.TOOL, reply="It is cold.")
    project.compiled(train=[stamp_digest(row)])
    lines = printed("trace", HELLO.id).splitlines()
    assert "           the result of a tool: hello" in lines
    assert "           reply: It is cold." in lines


def test_a_rejected_record_ends_at_the_stage_that_rejected_it(compiled: Project, printed: Printed) -> None:
    trace = run_trace(printed, LOST.id)
    assert trace["rows"][0]["license"] == "CC-BY-SA-4.0"
    assert trace["rows"][0]["decisions"] == [
        {
            "stage": "ingest",
            "outcome": "rejected",
            "reason": "no_new_meaning",
            "message": "found no_new_meaning",
        }
    ]


def test_the_text_of_an_erased_row_is_not_dug_out_of_the_history(compiled: Project, printed: Printed) -> None:
    compiled.compiled(train=[BOB], ledger=[rejection(MARIA.id, "ingest", Reason.LEAKED)])
    place = LEDGERS["compile"]
    ledger = pq.read_table(compiled.root / place)
    for column, value in (("reason", "erased"), ("utterance", None), ("origin", _origin(MARIA))):
        number = ledger.schema.get_field_index(column)
        ledger = ledger.set_column(number, column, pa.array([value], ledger.schema.field(column).type))
    compiled.table(place, ledger)
    trace = printed("trace", MARIA.id)
    assert "ingest     rejected, erased" in trace
    assert "Maria" not in trace


def _origin(row: Exemplar) -> dict[str, str]:
    return {"path": row.origin.path, "sha256": row.origin.sha256, "locator": row.origin.locator}


@pytest.mark.parametrize(
    ("stage", "before"),
    [
        ("compile", ["ingest"]),
        ("curate", ["ingest", "compile"]),
        ("split", ["ingest", "compile", "curate"]),
    ],
)
def test_decisions_before_a_rejection_are_listed(
    project: Project, printed: Printed, stage: str, before: list[str]
) -> None:
    later = [] if stage == "compile" else [MARIA]
    ledger = [rejection(MARIA.id, stage, Reason.LEAKED, "call Maria")]
    project.compiled(train=[BOB], ledger=ledger, rejected_later=later)
    trace = run_trace(printed, MARIA.id)["rows"][0]["decisions"]
    assert [decision["stage"] for decision in trace] == [*before, stage]
    assert trace[-1]["reason"] == "leaked"


def test_a_row_that_render_rejects_has_its_reason(compiled: Project, printed: Printed) -> None:
    compiled.compiled(train=[MARIA, AGAIN], ledger=[rejection(AGAIN.id, "render", Reason.TOO_LONG)])
    trace = run_trace(printed, AGAIN.id)["rows"][0]["decisions"]
    assert trace[4] == {
        "stage": "render",
        "outcome": "rejected",
        "reason": "too_long",
        "message": "found too_long",
    }


def test_changes_and_review_items_of_curate_are_shown(project: Project, printed: Printed) -> None:
    project.compiled(train=[MARIA])
    joined = exemplar(MARIA.id, "call Maria", said("Maria"), group="skills:joined", sha256=SHA256)
    project.table(layout.CURATED, exemplars_to_table([joined]))
    pair = {"column": "utterance", "first": "call maria", "second": "call marie", "similarity": 0.9}
    project.table(layout.PAIRS, pa.Table.from_pylist([pair], schema=PAIR_SCHEMA))
    review = {"id": MARIA.id, "why": "label_noise", "detail": "labeled call, likely ring", "score": 0.5}
    project.table(layout.REVIEW, pa.Table.from_pylist([review], schema=REVIEW_SCHEMA))
    shown = printed("trace", MARIA.id)
    assert "group skills:joined, joined by near duplicates" in shown
    assert "near duplicates (0.90): call maria / call marie" in shown
    assert "to review, label_noise: labeled call, likely ring" in shown


def test_a_template_without_values_is_traced_to_its_bot(project: Project, printed: Printed) -> None:
    bot = project.write("data/raw/bots/exemplars.json", '{"order": [{"template": "some <bread>"}]}')
    row = Template(
        id="bots:exemplars.json#/order/0",
        source="bots",
        skill="order",
        template="some <bread>",
        mode=Mode.NORMAL,
        context=(Turn(Speaker.ASSISTANT, "Which bread?"),),
        group="bots:g",
        license="MIT",
        origin=Origin("exemplars.json", hash_content(bot.read_bytes()), "/order/0"),
    )
    project.compiled(train=[MARIA])
    project.table(layout.TEMPLATES, rows_to_table([row], Template))
    trace = run_trace(printed, row.id)
    assert outcomes(trace) == {"ingest": "record", "compile": "template"}
    shown = printed("trace", row.id)
    assert "a template without values, for retrieval only" in shown
    assert "skill: order, mode normal, after 1 turn" in shown
    assert "/order/0 template    0  some <bread>" in printed("trace", "bots:g")


def test_rows_of_equal_content_share_a_digest_and_are_all_shown(compiled: Project, printed: Printed) -> None:
    assert HELLO.digest == TWIN.digest
    trace = run_trace(printed, HELLO.digest[:8])
    assert (trace["kind"], trace["name"]) == ("digest", HELLO.digest)
    assert [row["id"] for row in trace["rows"]] == [TWIN.id, HELLO.id]
    # The run saw this content, whichever of the rows it was rendered from.
    assert outcomes(trace, 0)["train"] == "seen"


def test_the_beginning_of_several_digests_is_ambiguous(project: Project, printed: Printed) -> None:
    rows = [exemplar(f"skills:call.md#{line}", f"call {line}") for line in range(1, 4)]
    same = [f"abcdef{number}" + "0" * 57 for number in range(3)]
    table = exemplars_to_table(rows)
    table = table.set_column(1, "digest", pa.array(same))
    project.compiled(train=rows)
    project.table(layout.EXEMPLARS, table)
    shown = printed("trace", "abcdef", status=1)
    assert f"abcdef: ambiguous: found 3 digests that 'abcdef' may mean: {same[0]}, {same[1]}," in shown
    assert "name more digits" in shown


def test_a_speech_view_is_traced_as_its_exemplar(compiled: Project, printed: Printed) -> None:
    assert run_trace(printed, f"{MARIA.id}~speech")["name"] == MARIA.id


def test_a_dialogue_is_listed_in_its_order(compiled: Project, printed: Printed) -> None:
    run = f"lora-{data_hash(MARIA, HELLO)}-cccccccccccc"
    assert printed("trace", "train/1_00000").splitlines() == [
        "dialogue sgd:train/1_00000: 3 rows",
        "           2 train, 1 no_new_meaning",
        "place               outcome        runs  utterance",
        "/0/turns/0/frames/0 train             1  hello",
        "/0/turns/2/frames/0 train             0  hello",
        "/0/turns/4/frames/0 no_new_meaning    0  yes",
        f"runs       {run} (workspace): 1 digest",
    ]


def test_a_bare_dialogue_id_of_several_folders_is_ambiguous(compiled: Project, printed: Printed) -> None:
    shown = printed("trace", "1_00000", status=1)
    assert "found 2 dialogues that '1_00000' may mean: sgd:dev/1_00000, sgd:train/1_00000" in shown


@pytest.mark.parametrize(
    ("what", "ids"),
    [
        ("data/raw/skills/call.md", [MARIA.id, BOB.id]),
        ("./data/raw/skills/call.md", [MARIA.id, BOB.id]),
        ("call.md", [MARIA.id, BOB.id]),
        ("data/raw/skills", [MARIA.id, BOB.id]),
        ("data/raw/skills/call.md:7", [MARIA.id]),
        ("call.md:8", [MARIA.id]),
        ("call.md:11", [BOB.id]),
        ("train/d.json#/0/turns/2", [AGAIN.id]),
        ("data/raw/sgd/train/d.json#/0", [HELLO.id, AGAIN.id, LOST.id]),
    ],
)
def test_a_file_and_a_place_in_it_lead_to_rows(
    compiled: Project, printed: Printed, what: str, ids: list[str]
) -> None:
    trace = run_trace(printed, what)
    assert (trace["kind"], [row["id"] for row in trace["rows"]]) == ("file", ids)


def test_the_name_of_a_file_may_have_a_number_sign(project: Project, printed: Printed) -> None:
    project.write("data/raw/skills/a#b.md", SKILLS)
    rows = [
        exemplar(f"skills:{path}#{line}", f"call Maria {path} {line}")
        for path in ("a", "a#b.md", "call.md")
        for line in (7, 10)
    ]
    project.compiled(train=rows)
    for what, ids in (
        ("a#b.md:10", ["skills:a#b.md#10"]),
        ("a#b.md#7", ["skills:a#b.md#7"]),
        ("data/raw/skills/a#b.md", ["skills:a#b.md#7", "skills:a#b.md#10"]),
        ("data/raw/skills/a#b.md:8", ["skills:a#b.md#7"]),
        ("data/raw/skills/a", ["skills:a#7", "skills:a#10"]),
        ("a#10", ["skills:a#10"]),
    ):
        assert [row["id"] for row in run_trace(printed, what)["rows"]] == ids
    assert "expected one of its 2 rows; near it they begin at 7, 10" in printed("trace", "a#b.md:3", status=1)


def test_an_absolute_path_inside_the_project_is_the_same_file(compiled: Project, printed: Printed) -> None:
    place = compiled.root / "data/raw/skills/call.md"
    assert [row["id"] for row in run_trace(printed, str(place))["rows"]] == [MARIA.id, BOB.id]


def test_long_lists_are_cut_and_counted(compiled: Project, printed: Printed) -> None:
    lines = printed("trace", "data/raw/skills", "--limit", "1").splitlines()
    assert "… and 1 more: use a larger --limit, or --format json for all" in lines


def test_a_file_that_has_changed_since_is_shown_with_the_line_of_its_old_version(
    compiled: Project, printed: Printed
) -> None:
    compiled.write("data/raw/skills/call.md", SKILLS.replace("call Maria", "phone Maria"))
    origin = run_trace(printed, MARIA.id)["rows"][0]["origin"]
    assert (origin["state"], origin["text"]) == ("changed", "### User: call Maria")
    assert origin["commit"] == compiled.git("rev-parse", "HEAD")
    compiled.git("rm", "-q", "--cached", "data/raw/skills/call.md")
    (compiled.root / "data/raw/skills/call.md").unlink()
    assert "the file is not there any more" in printed("trace", MARIA.id)


def test_a_file_that_dvc_tracks_has_its_dvc_hash(compiled: Project, printed: Printed) -> None:
    listing = json.dumps([{"relpath": "train/d.json", "md5": "a" * 32}])
    compiled.write(".dvc/cache/files/md5/dd/" + "d" * 30 + ".dir", listing)
    turns = b'[{"turns": [{"frames": [{"slots": []}]}]}]'
    compiled.write(".dvc/cache/files/md5/aa/" + "a" * 30, turns)
    lock = (compiled.root / "dvc.lock").read_text() + (
        "  ingest@sgd:\n    cmd: make\n    deps:\n"
        f"    - {{path: data/raw/sgd, hash: md5, md5: {'d' * 32}.dir}}\n"
    )
    compiled.write("dvc.lock", lock)
    row = exemplar(HELLO.id, "hello", skill=None, sha256=hash_content(turns))
    compiled.compiled(train=[row])
    origin = run_trace(printed, HELLO.id)["rows"][0]["origin"]
    assert (origin["dvc_md5"], origin["state"], origin["text"]) == ("a" * 32, "same", '{"slots":[]}')


def test_an_older_revision_is_read_from_the_cache(compiled: Project, printed: Printed) -> None:
    compiled.git("tag", "v1")
    compiled.compiled(train=[BOB], test=[MARIA])
    compiled.commit("second")
    assert outcomes(run_trace(printed, MARIA.id))["split"] == "test"
    assert outcomes(run_trace(printed, MARIA.id, "--rev", "v1"))["split"] == "train"


def test_runs_of_the_history_are_found_by_their_rows(compiled: Project, printed: Printed) -> None:
    first = f"lora-{data_hash(MARIA, HELLO)}-cccccccccccc"
    where = compiled.git("log", "-1", "--format=%h")
    second = compiled.trained([AGAIN])
    compiled.commit("second")
    assert second != first
    runs = run_trace(printed, MARIA.id)["rows"][0]["decisions"][-2]["runs"]
    assert runs == [{"run": first, "where": where, "digests": 1, "unknown": None}]


def test_a_run_whose_rows_are_unavailable_is_unknown_and_not_left_out(
    compiled: Project, printed: Printed
) -> None:
    compiled.cached(Path("models/lora/rows.txt")).unlink()
    (compiled.root / "models/lora/rows.txt").unlink()
    runs = run_trace(printed, MARIA.id)["rows"][0]["decisions"][-2]["runs"]
    assert [run["unknown"] for run in runs] == ["its rows.txt is neither in DVC's cache nor in a remote"]


def test_in_a_fresh_clone_all_runs_without_rows_are_one_line(compiled: Project, printed: Printed) -> None:
    for rows, recipe in (([MARIA], "lora"), ([HELLO], "dora"), ([AGAIN], "full")):
        compiled.trained(rows, recipe)
        (compiled.root / f"models/{recipe}/rows.txt").unlink()
    shutil.rmtree(compiled.root / ".dvc/cache")
    unknown = "unknown for 4 runs: their rows are unavailable (see --format json)"
    assert printed("trace", MARIA.id).splitlines()[-2:] == [
        f"train      {unknown}",
        "evaluate   not a test row",
    ]
    assert printed("trace", "train/1_00000").splitlines()[-1] == f"runs       {unknown}"
    compiled.trained([MARIA])
    assert printed("trace", MARIA.id).splitlines()[-4:] == [
        "train      1 run",
        f"           lora-{data_hash(MARIA)}-cccccccccccc (workspace)",
        "           unknown for 3 runs: their rows are unavailable (see --format json)",
        "evaluate   not a test row",
    ]


def test_a_run_has_its_sources_and_the_commit_that_made_it(compiled: Project, printed: Printed) -> None:
    made = compiled.git("rev-parse", "--short=12", "HEAD")
    compiled.write("notes.txt", "later")
    compiled.commit("second")
    run = f"lora-{data_hash(MARIA, HELLO)}-cccccccccccc"
    data = run_trace(printed, run)["data_hashes"]["train"]
    assert printed("trace", run).splitlines() == [
        f"run {run}",
        f"made by    {made} first",
        "code       unknown",
        f"train      {data}",
        "rows       2 to train on; hashed again, they have the data hash",
        "base       tiny r1, MIT",
        f"           {'b' * 64}",
        f"weights    {'e' * 64}",
        "sources    sgd 1, skills 1",
        "skills     (none) 1, call 1",
        "  rows  license        sha256        file",
        "     1  Apache-2.0     ffffffffffff  data/raw/sgd/train/d.json",
        f"     1  Apache-2.0     {SHA256[:12]}  data/raw/skills/call.md",
    ]


def test_an_encoder_has_the_rows_of_the_split_that_it_learned(compiled: Project, printed: Printed) -> None:
    run = compiled.trained([MARIA], "tagger")
    compiled.commit("a tagger that left out a row")
    trace = run_trace(printed, run)
    assert (trace["rows"], trace["rows_proved"], trace["rows_by_skill"]) == (1, True, {"call": 1})
    assert [source["path"] for source in trace["sources"]] == ["data/raw/skills/call.md"]


def test_rows_that_are_not_those_of_the_run_are_reported(compiled: Project, printed: Printed) -> None:
    run = compiled.trained([MARIA])
    trace = run_trace(printed, run)
    assert (trace["made_by"], trace["rows_proved"]) == (None, False)


def test_a_raw_text_leads_to_the_runs_that_were_trained_on_it(compiled: Project, printed: Printed) -> None:
    text = exemplar("x:y#1", "text")
    compiled.write("data/raw/text/a.md", "text")
    run = compiled.trained([_with_digest(text, hash_content(b"text"))], "continued")
    trace = run_trace(printed, "data/raw/text/a.md")
    assert [other["run"] for other in trace["runs"]] == [run]


def _with_digest(row: Exemplar, digest: str) -> Exemplar:
    return msgspec.structs.replace(row, digest=digest)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("skills:call.md#99",), "expected one of its 2 rows; near it they begin at 7, 10"),
        (("skills:lost.md#9",), "skills:lost.md#9: unknown: found nothing called 'skills:lost.md#9'"),
        (("call.md:3",), "expected one of its 2 rows; near it they begin at 7, 10"),
        (("train/d.json:3",), "expected a JSON Pointer of one of its 3 rows: #/0/turns/0/frames/0"),
        (("../call.md",), "found nothing called '../call.md'"),
        (("a\nb",), "a b: unknown: found nothing called 'a\\nb'"),
        (("abcdef0123",), "found nothing called 'abcdef0123', expected an exemplar's id"),
        (("lora-aaaaaaaaaaaa-bbbbbbbbbbbb",), "expected a run: lora-"),
        (("call.md", "--rev", "nowhere"), "unknown_revision: found no revision 'nowhere'"),
        (("call.md", "--rev", "empty"), "dvc.lock at empty: unusable_revision: found no dvc.lock"),
    ],
)
def test_an_error_is_one_sentence(
    compiled: Project, printed: Printed, arguments: tuple[str, ...], message: str
) -> None:
    compiled.git("switch", "-q", "--orphan", "empty")
    compiled.git("commit", "-q", "--allow-empty", "-m", "empty")
    compiled.git("switch", "-q", "main")
    shown = printed("trace", *arguments, status=1)
    assert shown.startswith("error: 1 problem(s) found\n")
    assert len(shown.splitlines()) == 2
    assert message in shown


def test_before_the_first_run_of_the_pipeline_there_is_one_sentence(
    project: Project, printed: Printed
) -> None:
    shown = printed("trace", "call.md", status=1)
    assert "data/exemplars/exemplars.parquet: unreadable_table: found no such file" in shown


def test_a_damaged_table_is_named(compiled: Project, printed: Printed) -> None:
    compiled.write("data/curated/review.parquet", b"PAR1 nonsense")
    assert "data/curated/review.parquet: unreadable_table: found" in printed("trace", MARIA.id, status=1)


class TestMissingObjects:
    """An object of an older revision that the cache does not have."""

    @pytest.fixture(autouse=True)
    def lost(self, compiled: Project) -> None:
        compiled.git("tag", "v1")
        self.object = compiled.cached(layout.split("train"))
        self.data = self.object.read_bytes()
        self.object.unlink()

    def test_without_a_remote_it_is_one_sentence(self, compiled: Project, printed: Printed) -> None:
        shown = printed("trace", MARIA.id, "--rev", "v1", status=1)
        assert len(shown.splitlines()) == 2
        assert "data/splits/train.parquet at v1: unusable_revision: found no object" in shown
        assert "`dvc fetch --all-commits`" in shown

    def test_it_is_fetched_from_a_remote_that_has_it(
        self, compiled: Project, printed: Printed, tmp_path: Path
    ) -> None:
        remote = tmp_path / "remote"
        md5 = self.object.parent.name + self.object.name
        compiled.write(f"remote/files/md5/{md5[:2]}/{md5[2:]}", self.data)
        compiled.remote(remote)
        assert outcomes(run_trace(printed, MARIA.id, "--rev", "v1"))["split"] == "train"
        assert self.object.read_bytes() == self.data

    def test_a_remote_without_it_is_one_sentence(
        self, compiled: Project, printed: Printed, tmp_path: Path
    ) -> None:
        compiled.remote(tmp_path / "empty")
        shown = printed("trace", MARIA.id, "--rev", "v1", status=1)
        assert "data/splits/train.parquet at v1: unusable_revision: found no object" in shown

    def test_a_remote_that_cannot_be_used_is_one_sentence(self, compiled: Project, printed: Printed) -> None:
        compiled.write(".dvc/config", "[core]\n    analytics = false\n    remote = nosuch\n")
        shown = printed("trace", MARIA.id, "--rev", "v1", status=1)
        assert len(shown.splitlines()) == 2
        assert "the DVC remote: remote_down: found" in shown


def write_edit(project: Project, before: str) -> None:
    """Write an edit of a reviewer that made MARIA of a row with the digest `before`, and a decision on BOB."""
    was = ReviewedRow("call Mary", "call", Mode.NORMAL, (ReviewedArgument("who", "Mary", "Mary", 5, 9),))
    edit = Review(
        decision_id="1" * 32,
        row=MARIA.id,
        digest=before,
        decision=Decision.EDITED,
        before=was,
        after=describe_row(MARIA),
        reviewer="ada",
        time="2026-11-27T20:00:00Z",
    )
    approval = Review(
        decision_id="2" * 32,
        row=MARIA.id,
        digest=MARIA.digest,
        decision=Decision.APPROVED,
        reviewer="bob",
        time="2026-11-27T21:00:00Z",
        note="clear now",
    )
    project.write("data/raw/reviews.jsonl", encode_review(edit) + encode_review(approval))
    edits = rows_to_table([RowEdit(MARIA.id, "1" * 32, before, MARIA.digest)], RowEdit)
    project.table(layout.EDITS, edits)


def test_a_row_is_traced_with_its_decisions_before_and_after(compiled: Project, printed: Printed) -> None:
    before = "b" * 64
    write_edit(compiled, before)
    trace = run_trace(printed, MARIA.id)
    assert [
        (review["reviewer"], review["decision"], review["counts"]) for review in trace["rows"][0]["reviews"]
    ] == [("ada", "edited", True), ("bob", "approved", True)]
    assert trace["rows"][0]["decisions"][1]["edits"] == [
        {"decision_id": "1" * 32, "before": before, "after": MARIA.digest, "problem": None}
    ]
    lines = printed("trace", MARIA.id).splitlines()
    start = lines.index("reviews    ada edited it, 2026-11-27T20:00:00Z")
    assert [line.strip() for line in lines[start + 1 : start + 8]] == [
        f"decision {'1' * 32} on {'b' * 12}",
        'before: call Mary | call(who = "Mary" [5:9]), mode normal',
        'after: call Maria | call(who = "Maria" [5:10]), mode normal',
        "bob approved it, 2026-11-27T21:00:00Z",
        f"decision {'2' * 32} on {MARIA.digest[:12]}",
        "note: clear now",
        "ingest     record",
    ]


def test_a_row_is_found_by_the_digest_that_it_had_before_an_edit(compiled: Project, printed: Printed) -> None:
    write_edit(compiled, "b" * 64)
    assert [row["id"] for row in run_trace(printed, "b" * 12)["rows"]] == [MARIA.id]


def test_a_run_that_was_trained_on_a_row_before_its_edit_is_found(
    compiled: Project, printed: Printed
) -> None:
    write_edit(compiled, BOB.digest)
    run = compiled.trained([BOB], recipe="tagger")
    [train] = [row for row in run_trace(printed, MARIA.id)["rows"][0]["decisions"] if row["stage"] == "train"]
    assert run in [trained["run"] for trained in train["runs"] if trained["digests"]]


def test_a_broken_line_of_the_decisions_is_one_sentence(
    compiled: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    compiled.write("data/raw/reviews.jsonl", "{}\n")
    assert main(["trace", MARIA.id]) == 1
    assert "data/raw/reviews.jsonl:1: malformed_review: found Object missing required field" in (
        capsys.readouterr().err
    )


def test_a_row_is_traced_with_the_preferences_about_it(compiled: Project, printed: Printed) -> None:
    lines = [
        {"version": 1, "id": "p1", "row": MARIA.digest, "chosen": [], "rejected": "No.", "source": "judge",
         "chosen_by": "lora", "rejected_by": "tagger", "judge": "Kim", "kind": "wrong_value"},
        {"version": 1, "id": "p2", "row": "0" * 64, "chosen": [], "rejected": "No.", "source": "written"},
        {"version": 1, "id": "p3", "row": MARIA.digest, "chosen": "a", "source": "written"},
        {"version": 1, "id": "w3", "withdraws": "p3", "source": "judge"},
    ]  # fmt: skip
    compiled.write("data/raw/preferences.jsonl", "\n".join(map(json.dumps, lines)))
    trace = run_trace(printed, MARIA.id)
    assert [(item["line"], item["problem"]) for item in trace["rows"][0]["preferences"]] == [
        (1, None),
        (3, "withdrawn"),
    ]
    shown = printed("trace", MARIA.id).splitlines()
    start = shown.index("preferred  line 1: judge, chosen, against wrong value, lora and tagger, by Kim")
    assert shown[start + 1].strip() == "line 3: written, chosen, withdrawn"
