from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exemplars.core.errors import UserError
from exemplars.core.remedies import Where
from stages.publish import paths
from stages.publish.__main__ import main
from stages.publish.facts import ReleaseFacts
from stages.publish.flow import RejectionSummary
from stages.publish.licenses.clashes import DeclaredLicense
from tests.publish.tree import PARAMS, SYSTEM, read_facts, write_tree


def test_each_record_is_an_exemplar_or_rejected(facts: ReleaseFacts) -> None:
    assert (facts.records, facts.exemplars, facts.rejected) == (7, 6, 1)
    assert [(split.name, split.rows, split.groups) for split in facts.splits] == [
        ("train", 4, 4),
        ("validation", 1, 1),
        ("test", 1, 1),
    ]
    [rejection] = facts.rejections
    assert rejection == RejectionSummary(
        "compile",
        "value_not_found",
        1,
        "The value occurs neither in the utterance nor in its context, in any form that is known.",
        Where.SOURCE,
        "correct the value, say it in the text, add its words to a recognizer, or declare the parameter `composed` if the "
        "model writes it",
        ("message",),
    )


def test_sources_have_path_license_rows_and_statement(facts: ReleaseFacts) -> None:
    forum, notes = facts.sources
    assert forum.folder is not None
    assert (forum.name, forum.folder.path, forum.license) == ("forum", "raw/forum", "CC-BY-SA-4.0")
    assert (forum.records, forum.exemplars, forum.rows) == (5, 4, {"train": 2, "validation": 1, "test": 1})
    assert forum.statement is not None and forum.statement.authors == "The forum"
    assert (notes.license, notes.statement) == ("MIT OR LicenseRef-notes", None)
    assert facts.splits[0].declared == (
        DeclaredLicense("forum", "CC-BY-SA-4.0", 2),
        DeclaredLicense("notes", "MIT OR LicenseRef-notes", 2),
    )


def test_a_model_has_the_number_of_its_rows_that_are_still_in_train(facts: ReleaseFacts) -> None:
    [model] = facts.models
    assert (model.manifest.run, model.trained_rows, model.rows_in_train) == ("lora-1-2", 5, 4)
    assert model.systems["lora"]["exact_match"] == SYSTEM["exact_match"]


def test_a_project_without_a_model_has_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, {"forum": "MIT"}, model=False)
    monkeypatch.chdir(tmp_path)
    facts = read_facts()
    assert facts.models == ()
    assert [run.name for run in facts.pipeline] == ["ingest@forum", "split"]


def list_files(root: Path) -> set[str]:
    return {path.as_posix() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("licenses", "publish", "message"),
    [
        (
            {"forum": "CC-BY-SA-4.0", "news": "CC-BY-NC-4.0"},
            {},
            r"split train: license_clash: source forum .* and source news .* may not be in the same dataset: .*accept the "
            r"clash in params\.yaml",
        ),
        ({"forum": "CC-BY-ND-4.0"}, {}, r"splits train, validation, test: license_clash: source forum .* may not be in the dataset"),
        ({"forum": "MIT", "x": "LicenseRef-x"}, {}, "the terms of LicenseRef-x are not in the license table"),
        ({"forum": "Apache 2"}, {}, r"ingest\.sources\.forum\.license is 'Apache 2': .* did you mean 'Apache-2\.0'"),
        (
            {"forum": "MIT"},
            {"accepted_license_clashes": [{"licenses": ["MIT", "BSD"], "reason": "we asked"}]},
            r"publish\.accepted_license_clashes\[0\]\.licenses\[1\] is 'BSD'",
        ),
        (
            {"forum": "MIT"},
            {"accepted_license_clashes": [{"licenses": ["MIT", "ODbL-1.0"], "reason": " "}]},
            r"publish\.accepted_license_clashes\[0\]\.reason is ' '",
        ),
        (
            {"forum": "MIT"},
            {"sources": {"forun": PARAMS["sources"]["forum"]}},
            "publish.sources describes 'forun', but the sources are forum",
        ),
        ({"forum": "MIT"}, {"released": "soon"}, "publish.released is 'soon'"),
        ({"forum": "MIT"}, {"openlineage_url": "localhost:5000"}, "publish.openlineage_url is 'localhost:5000'"),
    ],
)  # fmt: skip
def test_nothing_is_written_where_licenses_clash_or_parameters_are_wrong(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    licenses: dict[str, str],
    publish: dict[str, Any],
    message: str,
) -> None:
    write_tree(tmp_path, licenses, publish, model=False)
    monkeypatch.chdir(tmp_path)
    before = list_files(tmp_path)
    with pytest.raises(UserError, match=message):
        main()
    assert list_files(tmp_path) == before


def test_an_accepted_clash_is_a_fact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted = [{"licenses": ["CC-BY-SA-4.0", "CC-BY-NC-4.0"], "reason": "a letter of 2026-09-01"}]
    licenses = {"forum": "CC-BY-SA-4.0", "news": "CC-BY-NC-4.0"}
    write_tree(tmp_path, licenses, {"accepted_license_clashes": accepted}, model=False)
    monkeypatch.chdir(tmp_path)
    [clash] = read_facts().clashes
    assert (clash.splits, clash.reason) == (("train",), "a letter of 2026-09-01")


def test_a_project_without_dvc_yaml_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, {"forum": "MIT"}, model=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.yaml").unlink()
    with pytest.raises(UserError, match=r"dvc\.yaml: unreadable_pipeline: found no such file"):
        read_facts()


def test_all_documents_are_list_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, {"forum": "MIT"}, model=False)
    monkeypatch.chdir(tmp_path)
    before = list_files(tmp_path)
    main()
    assert {Path(file).relative_to(tmp_path) for file in list_files(tmp_path) - before} == {
        paths.DATASET_PAGE,
        paths.CARD,
        paths.CARD_PAGE,
        paths.CROISSANT,
        paths.OPENLINEAGE,
        paths.MLBOM,
        paths.CONTENT_SUMMARY,
    }
    contents = {path: Path(path).read_bytes() for path in list_files(tmp_path)}
    main()
    assert {path: Path(path).read_bytes() for path in list_files(tmp_path)} == contents
