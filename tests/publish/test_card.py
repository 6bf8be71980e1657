from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from exemplars.core import layout
from stages.publish import paths
from stages.publish.card import card_markdown, card_page, front_matter, plain
from stages.publish.facts import Facts
from stages.publish.links import LINKS, links_from
from tests.publish.tree import read_facts, write_tree


def test_the_front_matter_is_what_the_hub_reads(facts: Facts) -> None:
    from huggingface_hub import DatasetCard

    card = DatasetCard(card_markdown(facts), ignore_metadata_errors=False)
    assert card.data.to_dict() == front_matter(facts)
    assert card.data.to_dict() == {
        "pretty_name": "A small *set*",
        "license": ["cc-by-sa-4.0", "other", "mit"],
        "license_name": "licenseref-notes",
        "language": ["en"],
        "size_categories": ["n<1K"],
        "task_categories": ["text-generation", "token-classification"],
        "tags": ["function-calling", "tool-use", "exemplars"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": "train", "path": "data/splits/train.parquet"},
                    {"split": "validation", "path": "data/splits/validation.parquet"},
                    {"split": "test", "path": "data/splits/test.parquet"},
                ],
            }
        ],
    }


def test_a_folder_with_the_card_and_the_splits_loads_as_a_data_set(
    facts: Facts, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from datasets import load_dataset

    shutil.copytree(tree / layout.SPLITS, tmp_path / "hub" / layout.SPLITS)
    (tmp_path / "hub/README.md").write_text(card_markdown(facts), "utf-8")
    loaded = load_dataset(str(tmp_path / "hub"), cache_dir=str(tmp_path / "cache"))
    assert {name: rows.num_rows for name, rows in loaded.items()} == {"train": 4, "validation": 1, "test": 1}
    assert loaded["test"][0]["utterance"] == "phone forum"


def test_share_alike_and_attribution_are_told_with_whom_to_name(facts: Facts) -> None:
    card = card_markdown(facts)
    for sentence in (
        "- CC-BY-SA-4.0 (attribution; forum): name the authors, link to the licence, and say what was changed.",
        "- CC-BY-SA-4.0 (share-alike; forum): pass on what holds it, or is made of it, under the same or a "
        "compatible licence.",
        "- LicenseRef-notes (unknown; notes): read the licence: its terms are not in the table of this program.",
        "- To name for forum: The forum, https://example.org/forum; CC-BY-SA-4.0; the utterances are unchanged, "
        "templates and spans were added.",
        "- **notes**: Nothing was stated about it (`publish.sources` in `params.yaml`).",
    ):
        assert sentence in card


def test_counts_hashes_findings_and_models_are_told(facts: Facts) -> None:
    card = card_markdown(facts)
    for line in (
        "7 records came in; 6 are exemplars, 1 are not, each with a reason.",
        f"| train | 4 | 4 | `data/splits/train.parquet` | `{facts.splits[0].data_hash}` |",
        f"- `data/splits/train.parquet`: `{facts.splits[0].file.sha256}`",
        "| forum | `raw/forum` | CC-BY-SA-4.0 | 5 | 4 | 2 | 1 | 1 |",
        "| compile | value_not_found | 1 | The value stands neither in the utterance, nor in its context, in any "
        "way known. |",
        "| gender: female | 3 |",
        "- gender: 3 mentions; effect on the skill (Cramér's V) 0.50, corrected p 0.25.",
        "| phone | 0 | 2 |",
        "Recipe lora, from Tiny.Q4 (licence Apache-2.0, SHA-256 `" + "b" * 64 + "`).",
        "Trained on 5 rows, of which 4 are in the train split of this version.",
        "| tuned | 0.50 (0.25 to 0.75) | 0.50 (0.25 to 0.75) | 0.50 (0.25 to 0.75) | 0.50 (0.25 to 0.75) |",
    ):
        assert line in card.splitlines()


def test_an_accepted_clash_is_told_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted = [{"licences": ["CC-BY-SA-4.0", "CC-BY-NC-4.0"], "reason": "a letter"}]
    licences = {"forum": "CC-BY-SA-4.0", "news": "CC-BY-NC-4.0"}
    write_tree(tmp_path, licences, {"accepted_licence_clashes": accepted}, model=False)
    monkeypatch.chdir(tmp_path)
    card = card_markdown(read_facts())
    assert "- CC-BY-NC-4.0 and CC-BY-SA-4.0 in train: " in card
    assert "forbids commercial use. Accepted: a letter" in card
    assert "None is here." in card


def test_text_of_others_is_shown_and_means_nothing(facts: Facts) -> None:
    card = card_markdown(facts)
    assert "# A small \\*set\\*" in card
    assert plain("a|b\n<i> `c` & [d](e)") == "a\\|b \\<i\\> \\`c\\` \\& \\[d\\]\\(e\\)"
    page = card_page(card + "\n<script>alert(1)</script>\n", "<title>")
    assert "<h1>A small *set*</h1>" in page
    assert "<script>" not in page
    assert "<title>&lt;title&gt;</title>" in page


def test_the_page_says_what_the_markdown_says(facts: Facts) -> None:
    page = card_page(card_markdown(facts), "A small set")
    assert page.count("<table>") == page.count("</table>") == 8
    assert f"<code>{facts.splits[0].data_hash}</code>" in page
    assert "pretty_name" not in page
    assert 'href="../croissant.json"' in page
    assert 'href="README.md"' not in page


def test_links_lead_from_each_page_to_all_others() -> None:
    for page in (paths.CARD_PAGE, paths.DATASET_PAGE):
        found = {(page.parent / href).resolve() for _, href in links_from(page)}
        assert found == {path.resolve() for _, path in LINKS if path != page}
