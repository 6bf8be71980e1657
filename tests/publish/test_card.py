from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from exemplars.core import layout
from stages.publish import paths
from stages.publish.card import build_front_matter, render_card, render_card_page
from stages.publish.facts import ReleaseFacts
from stages.publish.links import LINKS, list_links
from stages.publish.rendering import escape_markdown
from tests.publish.tree import read_facts, write_tree


def test_the_hub_reads_the_front_matter(facts: ReleaseFacts) -> None:
    from huggingface_hub import DatasetCard

    card = DatasetCard(render_card(facts), ignore_metadata_errors=False)
    assert card.data.to_dict() == build_front_matter(facts)
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


def test_a_folder_with_the_card_and_the_splits_loads_as_a_dataset(
    facts: ReleaseFacts, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from datasets import load_dataset

    shutil.copytree(tree / layout.SPLITS, tmp_path / "hub" / layout.SPLITS)
    (tmp_path / "hub/README.md").write_text(render_card(facts), "utf-8")
    loaded = load_dataset(str(tmp_path / "hub"), cache_dir=str(tmp_path / "cache"))
    assert {name: rows.num_rows for name, rows in loaded.items()} == {"train": 4, "validation": 1, "test": 1}
    assert loaded["test"][0]["utterance"] == "phone forum"


def test_the_card_lists_obligations_and_attributions(facts: ReleaseFacts) -> None:
    card = render_card(facts)
    for sentence in (
        "- CC-BY-SA-4.0 (attribution; forum): name the authors, link to the license, and say what was changed.",
        "- CC-BY-SA-4.0 (share-alike; forum): share what contains it, or is made from it, only under the same "
        "license or a compatible license.",
        "- LicenseRef-notes (unknown; notes): read the license: its terms are not in the license table of "
        "this program.",
        "- Attribution for forum: The forum, https://example.org/forum; CC-BY-SA-4.0; the utterances are unchanged, "
        "templates and spans were added.",
        "- **notes**: The publisher says nothing about it (`publish.sources` in `params.yaml`).",
    ):
        assert sentence in card


def test_the_card_states_counts_hashes_findings_and_models(facts: ReleaseFacts) -> None:
    card = render_card(facts)
    for line in (
        "Exemplars: 6 of 7 records. Rejected: 1, each with a reason. Paths are relative to the project's root.",
        f"| train | 4 | 4 | `data/splits/train.parquet` | `{facts.splits[0].data_hash}` |",
        f"- `data/splits/train.parquet`: `{facts.splits[0].file.sha256}`",
        "| forum | `raw/forum` | CC-BY-SA-4.0 | 5 | 4 | 2 | 1 | 1 |",
        "| compile | value_not_found | 1 | The value occurs neither in the utterance nor in its context, in any form "
        "that is known. |",
        "| gender: female | 3 |",
        "- gender: 3 mentions; dependence on the skill (Cramér's V) 0.50, corrected p-value 0.250.",
        "| phone | 0 | 2 |",
        "Recipe lora, from Tiny.Q4 (license Apache-2.0, SHA-256 `" + "b" * 64 + "`).",
        "Trained on 5 rows, of which 4 are in the train split of this version.",
        "| lora | 0.500 (0.250 to 0.750) | 0.500 (0.250 to 0.750) | 0.500 (0.250 to 0.750) | 0.500 (0.250 to 0.750) |",
    ):
        assert line in card.splitlines()


def test_the_card_states_an_accepted_clash_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted = [{"licenses": ["CC-BY-SA-4.0", "CC-BY-NC-4.0"], "reason": "a letter"}]
    licenses = {"forum": "CC-BY-SA-4.0", "news": "CC-BY-NC-4.0"}
    write_tree(tmp_path, licenses, {"accepted_license_clashes": accepted}, model=False)
    monkeypatch.chdir(tmp_path)
    card = render_card(read_facts())
    assert "- CC-BY-NC-4.0 and CC-BY-SA-4.0 in train: " in card
    assert "forbids commercial use. Accepted: a letter" in card
    assert "\n## Models trained on it\n\nNone.\n" in card


def test_free_text_is_escaped(facts: ReleaseFacts) -> None:
    card = render_card(facts)
    assert "# A small \\*set\\*" in card
    assert escape_markdown("a|b\n<i> `c` & [d](e)") == "a\\|b \\<i\\> \\`c\\` \\& \\[d\\]\\(e\\)"
    page = render_card_page(card + "\n<script>alert(1)</script>\n", "<title>")
    assert "<h1>A small *set*</h1>" in page
    assert "<script>" not in page
    assert "<title>&lt;title&gt;</title>" in page


def test_the_page_has_the_content_of_the_markdown(facts: ReleaseFacts) -> None:
    page = render_card_page(render_card(facts), "A small set")
    assert page.count("<table ") == page.count("</table>") == 8
    assert f"<code>{facts.splits[0].data_hash}</code>" in page
    assert "pretty_name" not in page
    assert 'href="../croissant.json"' in page
    assert 'href="README.md"' not in page


def test_each_page_links_to_all_other_documents() -> None:
    for page in (paths.CARD_PAGE, paths.DATASET_PAGE):
        targets = {(page.parent / href).resolve() for _, href in list_links(page)}
        assert targets == {path.resolve() for _, path in LINKS if path != page}
