from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exemplars.core.errors import UserError
from stages.publish import paths
from stages.publish.__main__ import main
from stages.publish.facts import Facts, LossFacts
from stages.publish.licenses.clashes import Declared
from tests.publish.tree import PARAMS, SYSTEM, read_facts, write_tree


def test_records_are_exemplars_or_lost(facts: Facts) -> None:
    assert (facts.records, facts.exemplars, facts.lost) == (7, 6, 1)
    assert [(one.name, one.rows, one.groups) for one in facts.splits] == [
        ("train", 4, 4),
        ("validation", 1, 1),
        ("test", 1, 1),
    ]
    [loss] = facts.losses
    assert loss == LossFacts(
        "compile",
        "value_not_found",
        1,
        "The value stands neither in the utterance, nor in its context, in any way known.",
    )


def test_sources_are_told_with_path_licence_rows_and_what_was_stated(facts: Facts) -> None:
    forum, notes = facts.sources
    assert forum.folder is not None
    assert (forum.name, forum.folder.path, forum.licence) == ("forum", "raw/forum", "CC-BY-SA-4.0")
    assert (forum.records, forum.exemplars, forum.rows) == (5, 4, {"train": 2, "validation": 1, "test": 1})
    assert forum.statement is not None and forum.statement.authors == "The forum"
    assert (notes.licence, notes.statement) == ("MIT OR LicenseRef-notes", None)
    assert facts.splits[0].declared == (
        Declared("forum", "CC-BY-SA-4.0", 2),
        Declared("notes", "MIT OR LicenseRef-notes", 2),
    )


def test_a_model_is_told_with_the_rows_that_are_still_there(facts: Facts) -> None:
    [model] = facts.models
    assert (model.manifest.run, model.trained_rows, model.rows_in_train) == ("lora-1-2", 5, 4)
    assert model.systems["tuned"]["exact_match"] == SYSTEM["exact_match"]


def test_a_project_without_a_model_has_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, {"forum": "MIT"}, model=False)
    monkeypatch.chdir(tmp_path)
    facts = read_facts()
    assert facts.models == ()
    assert [one.name for one in facts.pipeline] == ["ingest@forum", "split"]


def written(root: Path) -> set[str]:
    return {path.as_posix() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("licences", "publish", "message"),
    [
        (
            {"forum": "CC-BY-SA-4.0", "news": "CC-BY-NC-4.0"},
            {},
            r"split train: licence_clash: found source forum .* and source news .*accept it in params\.yaml",
        ),
        ({"forum": "CC-BY-ND-4.0"}, {}, r"splits train, validation, test: licence_clash: found source forum"),
        ({"forum": "MIT", "x": "LicenseRef-x"}, {}, "the terms of LicenseRef-x are not known here"),
        ({"forum": "Apache 2"}, {}, r"ingest\.sources\.forum\.license is 'Apache 2': .* did you mean 'Apache-2\.0'"),
        (
            {"forum": "MIT"},
            {"accepted_licence_clashes": [{"licences": ["MIT", "BSD"], "reason": "we asked"}]},
            r"publish\.accepted_licence_clashes\[0\]\.licences\[1\] is 'BSD'",
        ),
        (
            {"forum": "MIT"},
            {"accepted_licence_clashes": [{"licences": ["MIT", "ODbL-1.0"], "reason": " "}]},
            r"publish\.accepted_licence_clashes\.0\.reason is ' '",
        ),
        (
            {"forum": "MIT"},
            {"sources": {"forun": PARAMS["sources"]["forum"]}},
            "publish.sources speaks of 'forun', expected one of forum",
        ),
        ({"forum": "MIT"}, {"released": "soon"}, "publish.released is 'soon'"),
        ({"forum": "MIT"}, {"openlineage_url": "localhost:5000"}, "publish.openlineage_url is 'localhost:5000'"),
    ],
)  # fmt: skip
def test_nothing_is_written_where_licences_clash_or_parameters_are_wrong(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    licences: dict[str, str],
    publish: dict[str, Any],
    message: str,
) -> None:
    write_tree(tmp_path, licences, publish, model=False)
    monkeypatch.chdir(tmp_path)
    before = written(tmp_path)
    with pytest.raises(UserError, match=message):
        main()
    assert written(tmp_path) == before


def test_an_accepted_clash_is_a_fact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted = [{"licences": ["CC-BY-SA-4.0", "CC-BY-NC-4.0"], "reason": "a letter of 2026-09-01"}]
    licences = {"forum": "CC-BY-SA-4.0", "news": "CC-BY-NC-4.0"}
    write_tree(tmp_path, licences, {"accepted_licence_clashes": accepted}, model=False)
    monkeypatch.chdir(tmp_path)
    [clash] = read_facts().clashes
    assert (clash.splits, clash.reason) == (("train",), "a letter of 2026-09-01")


def test_a_project_without_dvc_yaml_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, {"forum": "MIT"}, model=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.yaml").unlink()
    with pytest.raises(UserError, match=r"dvc\.yaml: unreadable_pipeline: found no such file"):
        read_facts()


def test_all_documents_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vl_convert.javascript_bundle", lambda snippet: "")
    write_tree(tmp_path, {"forum": "MIT"}, model=False)
    monkeypatch.chdir(tmp_path)
    before = written(tmp_path)
    main()
    assert {Path(one).relative_to(tmp_path) for one in written(tmp_path) - before} == {
        paths.DATASET_PAGE,
        paths.CARD,
        paths.CARD_PAGE,
        paths.CROISSANT,
        paths.OPENLINEAGE,
        paths.MLBOM,
        paths.CONTENT_SUMMARY,
    }
    first = {path: Path(path).read_bytes() for path in written(tmp_path)}
    main()
    assert {path: Path(path).read_bytes() for path in written(tmp_path)} == first
