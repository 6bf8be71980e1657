"""The page as text: what it says, and that nothing in the data can change it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from exemplars.core.records import ReviewItem
from exemplars.core.representativeness import Coverage, Representativeness
from exemplars.core.tables import rows_to_table
from stages.publish.card import render_card
from stages.publish.cells import figure_cell
from stages.publish.facts import ReleaseFacts
from stages.publish.inputs import ModelRun
from stages.publish.model_tables import PAGE_METRICS
from stages.publish.page import build_dataset_page, build_tables
from tests.publish.release import EVIL, FIGURE, make_empty_release, make_evaluation, make_release, make_result
from tests.runs import make_manifest

EVALUATED = make_evaluation()


def read_text(page: str) -> str:
    """Read the text of a page without its elements; `<wbr>` is no space."""
    page = page.replace("<wbr>", "")
    text = re.sub(r"<(style|script)\b.*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_data_is_escaped() -> None:
    page = build_dataset_page(*make_release(EVALUATED)).html
    assert "<script>window.hacked" not in page
    assert "<img src=x" not in page
    assert "play &lt;script&gt;" in page
    assert "<title>A small &lt;set&gt; 1.2.3</title>" in page


def test_the_page_has_nothing_to_load() -> None:
    page = build_dataset_page(*make_release(EVALUATED)).html
    assert re.findall(r"<(?:script|img|link|iframe)[^>]* (?:src|href)=\"(?!data:,)[^\"]*\"", page) == []
    assert "http" not in re.sub(r"&lt;.*?&gt;", "", page)


def test_the_page_names_release_data_and_the_command_that_finds_its_commit() -> None:
    facts, inputs = make_release(EVALUATED)
    text = read_text(build_dataset_page(facts, inputs).html)
    assert "Version 1.2.3 Released 2026-10-02 Publisher Somebody License MIT" in text
    assert f"Data hash {facts.data_hash[:16]} Model lora-1-2" in text
    assert f"git log --oneline --reverse -S{facts.data_hash[:16]} -- reports/card/README.md" in text


def test_the_command_of_the_page_finds_the_commit_of_its_data(facts: ReleaseFacts, tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        names = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", *names, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout

    git("init", "-q")
    card = tmp_path / "reports/card/README.md"
    card.parent.mkdir(parents=True)
    for name, text in (("before", "none"), ("this", render_card(facts)), ("after", "other")):
        card.write_text(text, "utf-8")
        git("add", ".")
        git("commit", "-q", "-m", name)
    page = build_dataset_page(facts, make_release().inputs).html
    [command] = re.findall(r"<pre><code>git (log .*?)</code></pre>", page)
    assert [line.split()[1] for line in git(*command.split()).splitlines()] == ["this", "after"]


def test_the_page_and_the_card_state_the_same_counts(facts: ReleaseFacts) -> None:
    text = read_text(build_dataset_page(facts, make_release().inputs).html)
    card = render_card(facts)
    assert "7 records = 6 exemplars + 1 rejections." in text
    assert "Exemplars: 6 of 7 records. Rejected: 1," in card
    for split in facts.splits:
        assert f"{split.name} {split.rows} {split.groups} {split.data_hash}" in text
        assert f"| {split.name} | {split.rows} | {split.groups} |" in card
        assert split.data_hash in card
    for skill, rows in facts.skills.items():
        assert f"{skill} {rows} " in text
        assert f"| {skill} | {rows} |" in card
    assert facts.data_hash in card


def test_losses_that_can_be_repaired_come_first_with_examples_and_a_command() -> None:
    text = read_text(build_dataset_page(*make_release()).html)
    losses = text.split("Why records were lost")[1].split("Examples of each reason")[0]
    assert losses.index("value not found") < losses.index("no new meaning") < losses.index("leaked")
    assert "value not found 2 compile correct a source correct the value, say it in the text" in losses
    assert "message 1 message 3 All of them: exemplars rejections --reason value_not_found" in text
    assert "8 records = 3 exemplars + 5 rejections." in text


def test_exemplars_that_were_not_rendered_are_counted_by_split_and_reason() -> None:
    facts, inputs = make_release()
    splits = {
        "train": {"rejections_by_reason": {"not_drawn": 4}},
        "test": {"rejections_by_reason": {"too_long": 1}},
    }
    tables = build_tables(facts, inputs._replace(rendering={"splits": splits}))["losses"]
    assert [[cell if isinstance(cell, str) else cell.text for cell in row] for row in tables[-1].rows] == [
        ["not drawn", "4", "train", "change a parameter", "raise render.max_rows"],
        ["too long", "1", "test", "change a parameter", "shorten the text, or raise render.max_tokens"],
    ]


def test_expectations_have_bound_found_and_margin_and_broken_ones_come_first() -> None:
    facts, inputs = make_release()
    results = [
        make_result("enough rows", 2245, severity="critical", key="validate.min_exemplars"),
        make_result("a share", 0.0166, bound=0.1, margin=0.0834, unit="share", key="validate.max_rejection_rate"),
        make_result("no association", None, margin=None, bound=0.9, unit="number"),
        make_result("warned", 40, passed=False, message="found 40"),
        make_result("stopped", 3, passed=False, severity="critical", unit="rows", bound=0, margin=-3),
    ]  # fmt: skip
    inputs = inputs._replace(
        reports={**inputs.reports, "validate": {**inputs.reports["validate"], "results": results}}
    )
    [table, _] = build_tables(facts, inputs)["checks"]
    assert [[cell if isinstance(cell, str) else cell.text for cell in row] for row in table.rows] == [
        ["warned", "warning", "100", "40", "-60", ""],
        ["stopped", "broken", "0", "3", "-3", ""],
        ["enough rows", "met", "100", "2,245", "2,145", "validate.min_exemplars"],
        ["a share", "met", "10 %", "1.7 %", "8.3 %", "validate.max_rejection_rate"],
        ["no association", "met", "0.900", "none", "none", ""],
    ]


def test_a_table_states_the_bound_of_its_figures() -> None:
    facts, inputs = make_release()
    [splits, *_] = build_tables(facts, inputs)["content"]
    assert splits.note.endswith("Bound: at least 100 (validate.min_test_rows); found: 200.")


def test_coverage_says_how_many_exemplars_are_missing_the_most_first() -> None:
    facts, inputs = make_release()
    table = build_tables(facts, inputs)["coverage"][0]
    cells = [[cell if isinstance(cell, str) else cell.text for cell in row] for row in table.rows[:2]]
    assert cells == [
        ["call", "who", "", "2", "1", "call mum"],
        ["call", "", "", "10", "0", "call mum"],
    ]


def test_models_are_shown_with_intervals_comparisons_and_wrong_answers() -> None:
    text = read_text(build_dataset_page(*make_release(EVALUATED)).html)
    assert (
        "exact match 1: skill and all arguments are right 0.500 (0.250 to 0.750) 0.500 (0.250 to 0.750)"
        in text
    )
    assert (
        "Prompts show the 5 best skills by fused. ranked by hit@1 hit@3 hit@5 MRR nDCG@10 fused 0.500" in text
    )
    assert "4 rows do not tell this difference from luck" in text
    assert "mode: normal 4 0.500 (0.250 to 0.750)" in text
    assert text.count("play(what=&#39;&lt;b&gt;&#39;)") == 1


def test_what_an_oracle_would_give_is_a_table_of_its_own() -> None:
    facts, inputs = make_release(EVALUATED)
    oracle = inputs._replace(oracle={"lora": {key: {**FIGURE, "value": 0.625} for key in PAGE_METRICS}})
    tables = {table.id: table for table in build_tables(facts, oracle)["models"]}
    assert figure_cell({**FIGURE, "value": 0.625}) in tables["oracle-table"].rows[0]
    assert figure_cell({**FIGURE, "value": 0.625}) not in tables["systems-table"].rows[0]
    assert tables["oracle-table"].headings == ("metric", "good", "lora")


def test_each_run_is_shown_with_the_rows_that_it_was_trained_on() -> None:
    tagger = make_manifest(
        run="tagger-3-4",
        recipe="tagger",
        params={"recipe": {"method": "tagger"}},
        losses={"train_loss": 0.25},
    )
    facts, inputs = make_release(runs=(ModelRun(make_manifest(), None), ModelRun(tagger, frozenset({"x"}))))
    table = build_tables(facts, inputs)["models"][0]
    assert [[cell if isinstance(cell, str) else cell.text for cell in row] for row in table.rows] == [
        ["lora-1-2", "", "Tiny.Q4", "unknown", "", "1", "", ""],
        ["tagger-3-4", "tagger", "Tiny.Q4", "1", "0", "1", "0.25", ""],
    ]
    assert "tagger-3-4 tagger Tiny.Q4 1 0 1 0.25" in read_text(build_dataset_page(facts, inputs).html)


def test_the_page_and_its_summary_are_the_same_each_time() -> None:
    assert build_dataset_page(*make_release(EVALUATED)) == build_dataset_page(*make_release(EVALUATED))


def test_the_summary_is_the_verdict_of_the_page() -> None:
    page = build_dataset_page(*make_release(EVALUATED))
    text = read_text(page.html)
    assert page.summary == [
        "enough: not yet; 1 test row, 100 wanted, 1 thin parameter",
        "clean: not yet; 1 contradicting row, 2 records to repair",
        "model: not yet; exact match 0.500 (0.250 to 0.750), 0.8 wanted",
        "next: Settle 1 row with the same text and different labels.",
        "publish: open reports/dataset.html",
    ]
    assert "Is it enough? not yet 1 test row, 100 wanted 1 thin parameter" in text
    assert "Is it clean? not yet 1 contradicting row 2 records to repair" in text
    assert "Is the model good? not yet exact match 0.500 (0.250 to 0.750), 0.8 wanted" in text
    assert "What to do next Settle 1 row with the same text and different labels." in text


def test_the_page_of_an_empty_dataset_says_so() -> None:
    text = read_text(build_dataset_page(*make_empty_release()).html)
    for sentence in (
        "No record was rejected.",
        "The catalog is empty.",
        "Nothing to review.",
        "No personal data was found.",
        "No model was evaluated yet: run dvc repro evaluate .",
        "Is it enough? not yet empty train split 0 test rows, 100 wanted",
    ):
        assert sentence in text


def test_a_page_of_a_large_dataset_is_below_a_megabyte() -> None:
    facts, inputs = make_release(
        make_evaluation(slices={"skill": {f"skill {n}": {"rows": 9, **FIGURE} for n in range(300)}})
    )
    item = ReviewItem(
        "s:1", "quality", "truncated", None, "play", None, "dialogues_001.json", "/12/turns/4", EVIL
    )
    measured = inputs.representativeness
    coverage = [Coverage(f"skill_{n}", "parameter", "", n, (EVIL, EVIL, EVIL)) for n in range(5000)]
    inputs = inputs._replace(
        review=rows_to_table([item] * 5000, ReviewItem),
        representativeness=Representativeness(measured.slices, coverage, measured.balance, measured.associations),
    )  # fmt: skip
    page = build_dataset_page(facts, inputs).html
    assert len(page.encode()) < 1_000_000
    assert "The other 4,600 rows are left out of this page." in page


@pytest.mark.parametrize("evaluation", [None, EVALUATED])
def test_every_link_within_the_page_has_a_target(evaluation: dict[str, object] | None) -> None:
    page = build_dataset_page(*make_release(evaluation)).html
    targets = set(re.findall(r' id="([^"]+)"', page))
    links = set(re.findall(r'href="#([^"]+)"', page))
    assert {"verdict", "todo", "rejection-compile-value_not_found", "review"} <= links
    assert links <= targets
