"""One changed byte anywhere is found and named; so is what hides behind a corrected hash."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from exemplars.audit.revisions import cached_object, open_revision
from exemplars.cli.main import main
from exemplars.cli.verify import checks_of
from tests.cli.hidden_changes import HIDDEN, flipped
from tests.cli.small_project import SmallProject

pytest.importorskip("trl")
FLIPS, ROUNDS = 12, 20
GROUPS = ("data/raw", "data/records", "data/exemplars", "data/curated", "data/splits", "data/training")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallProject]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield SmallProject(tmp_path_factory.mktemp("small"), monkeypatch)


@pytest.fixture
def project(built: SmallProject, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallProject]:
    """The small project, which is afterwards as it was before."""
    monkeypatch.chdir(built.root)
    kept = {path: path.read_bytes() for path in files_of(built.root)}
    yield built
    for path in files_of(built.root):
        if path not in kept:
            path.unlink()
    for path, data in kept.items():
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def files_of(root: Path) -> list[Path]:
    folders = ("data", "models", "reports", "params.yaml", "dvc.yaml", "dvc.lock", ".dvc/cache")
    return [path for one in folders for path in (root / one, *(root / one).rglob("*")) if path.is_file()]


def found(root: Path, **how: Any) -> dict[str, list[str]]:
    """The problems, by the file that they name: codes."""
    named: dict[str, list[str]] = {}
    for check in checks_of(root, how.get("rev", "workspace"), how.get("history", False), False):
        for one in check.problems:
            named.setdefault(one.path.partition(": ")[0], []).append(one.code)
    return named


def test_a_chain_that_the_stages_made_is_well(
    project: SmallProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "--history"]) == 0
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert lines[0] == "the chain of workspace, against its dvc.lock"
    assert lines[-1] == "all well"
    checks = [line.split()[0] for line in lines[1:-1] if not line.strip().startswith("(")]
    assert checks == [
        *("stages", "files", "params", "origins", "rows", "sums", "splits", "runs", "reports"),
        *("outputs", "history"),
    ]
    assert all(line.endswith(" ok") for line in lines[1:-1] if not line.strip().startswith("("))
    assert max(map(len, lines)) <= 80


def test_240_flipped_bits_are_found_and_their_files_named(project: SmallProject) -> None:
    """Anywhere in raw files, tables, splits, manifests, weights and reports, several at once."""
    random_ = random.Random(20)
    tracked = (*GROUPS, "models", "reports")
    names = [
        str(path.relative_to(project.root))
        for folder in tracked
        for path in sorted((project.root / folder).rglob("*"))
        if path.is_file() and path.name != ".gitignore" and path.stat().st_size
    ]
    # What the project brings from stages that did not run in it, such as cards, is in no dvc.lock.
    stages = open_revision(project.root).stages.values()
    known = {one.path for stage in stages for one in (*stage.deps, *stage.outs)}
    names = [name for name in names if known & {name, *map(str, Path(name).parents)}]
    kinds = {name: next(one for one in tracked if name.startswith(one)) for name in names}
    assert set(kinds.values()) == set(tracked)
    planted = 0
    for number in range(ROUNDS):
        kept = {name: (project.root / name).read_bytes() for name in random_.sample(names, FLIPS)}
        for name, data in kept.items():
            place, bit = random_.randrange(len(data)), random_.randrange(8)
            (project.root / name).write_bytes(flipped(data, place, bit))
        named = found(project.root)
        for name, data in kept.items():
            assert name in named, (number, name)
            planted += 1
            (project.root / name).write_bytes(data)
        changed = {name for name, codes in named.items() if "changed_file" in codes}
        assert changed == set(kept), number
    assert planted == 240
    assert found(project.root) == {}


@pytest.mark.parametrize("what", HIDDEN)
def test_a_change_whose_md5_is_corrected_is_found_by_what_it_breaks(what: str, project: SmallProject) -> None:
    path, edit, expected = HIDDEN[what]
    project.hide(path, edit(project.root / path))
    named = found(project.root)
    assert "changed_file" not in [code for codes in named.values() for code in codes]
    for name, code in expected.items():
        assert code in named.get(name, []), named


def test_a_test_row_that_the_run_saw_is_named(project: SmallProject) -> None:
    test = pq.read_table("data/training/test.parquet", columns=["digest"]).column(0).to_pylist()
    rows = sorted([*Path("models/lora/rows.txt").read_text().split(), test[0]])
    project.hide("models/lora/rows.txt", "".join(f"{one}\n" for one in rows).encode())
    assert "leaked" in found(project.root)["models/lora/rows.txt"]


def test_missing_and_new_files_are_named(project: SmallProject, capsys: pytest.CaptureFixture[str]) -> None:
    Path("data/curated/pairs.parquet").unlink()
    Path("data/splits/train.parquet").unlink()
    shutil.rmtree("models/lora/weights")
    Path("data/raw/skills/new.md").write_text("new")
    assert main(["verify"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "pairs" in line] == [
        "data/curated/pairs.parquet: missing_file: found no file that can be read, expected that of curate, split; "
        "`dvc checkout -f data/curated/pairs.parquet` brings it back, or `dvc repro` makes it anew"
    ]
    assert [line for line in lines if "skills/new.md" in line] == [
        "data/raw/skills/new.md: unexpected_file: found a file that was not there, expected those of "
        "ingest@skills; bring it back, or run `dvc repro`"
    ]
    assert found(project.root) == {
        "data/curated/pairs.parquet": ["missing_file"],
        "data/raw/skills/new.md": ["unexpected_file"],
        "data/splits/train.parquet": ["missing_file"],
        "models/lora/weights/adapter_config.json": ["missing_file"],
        "models/lora/weights/adapter_model.safetensors": ["missing_file"],
        "models/lora/weights": ["missing_file"],
    }


def test_a_cut_table_is_told_in_one_sentence(project: SmallProject) -> None:
    path = Path("data/splits/test.parquet")
    path.write_bytes(path.read_bytes()[:-100])
    assert found(project.root) == {"data/splits/test.parquet": ["changed_file", "unreadable_table"]}


def test_changed_params_are_named_by_their_keys(
    project: SmallProject, capsys: pytest.CaptureFixture[str]
) -> None:
    project.edit(
        "params.yaml", "rank: 2, alpha: 4, dropout: 0.0, layers: 2", "rank: 8, alpha: 4, dropout: 0.0"
    )
    assert main(["verify"]) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("params.yaml")]
    assert lines == [
        "params.yaml: train.recipes.lora.rank: changed_param: found 8, expected 2, with which train ran; "
        "take it back, or run `dvc repro`",
        "params.yaml: train.recipes.lora.layers: changed_param: found no such key, expected 2, with which "
        "train ran; take it back, or run `dvc repro`",
    ]


def test_a_change_that_was_committed_is_named_too(project: SmallProject) -> None:
    head = project.git("rev-parse", "HEAD").strip()
    Path("data/raw/skills/weather.md").write_text("nothing")
    project.git("commit", "-qam", "without dvc repro")
    try:
        named = found(project.root)
    finally:
        project.git("reset", "-q", "--soft", head)
        project.git("reset", "-q")
    assert named == {"data/raw/skills/weather.md": ["changed_file", "changed_source"]}


def test_a_commit_is_verified_from_git_and_the_cache(project: SmallProject) -> None:
    Path("data/splits/train.parquet").write_bytes(b"other")
    Path("data/raw/skills/weather.md").write_text("nothing")
    assert found(project.root, rev="HEAD") == {}
    place = cached_object(project.root, project.md5("data/splits/test.parquet"))
    data = place.read_bytes()
    place.chmod(0o644)
    place.write_bytes(flipped(data, 40, 2))
    assert "changed_file" in found(project.root, rev="HEAD")["data/splits/test.parquet"]


def test_what_the_cache_lacks_is_fetched_when_asked(project: SmallProject, tmp_path: Path) -> None:
    shutil.copytree(".dvc/cache/files", tmp_path / "remote/files")
    remote = f"[core]\nremote = r\n['remote \"r\"']\nurl = {tmp_path / 'remote'}\n"
    Path(".dvc/config.local").write_text(remote)
    shutil.rmtree(".dvc/cache/files")
    try:
        named = found(project.root, rev="HEAD")
        assert named["data/splits/train.parquet"] == ["missing_file"]
        assert "data/splits/manifest.json" not in named
        assert [
            check.problems for check in checks_of(project.root, "HEAD", False, True) if check.problems
        ] == []
    finally:
        Path(".dvc/config.local").unlink()


def test_history_names_damaged_objects_and_counts_what_the_cache_lacks(project: SmallProject) -> None:
    place = cached_object(project.root, project.md5("models/lora/weights/adapter_model.safetensors"))
    place.chmod(0o644)
    place.write_bytes(flipped(place.read_bytes(), 3000, 0))
    cached_object(project.root, project.md5("data/curated/review.parquet")).unlink()
    head = project.git("rev-parse", "HEAD").strip()[:12]
    named = found(project.root, history=True)
    assert named.pop(f"models/lora/weights/adapter_model.safetensors at {head}") == ["damaged_object"]
    assert named.pop(f"the weights of models/lora/manifest.json at {head}") == ["wrong_weights"]
    assert named == {}
    notes = {one.name: one.notes for one in checks_of(project.root, "workspace", True, False)}
    assert any(note.endswith("not in the cache: --fetch brings them") for note in notes["outputs"])


def test_history_reads_the_manifests_of_older_commits(project: SmallProject) -> None:
    head = project.git("rev-parse", "HEAD").strip()
    good = Path("models/lora/manifest.json").read_text()
    for number, text in enumerate(("{", good.replace('"rows_sha256": "', '"rows_sha256": "f'), good)):
        Path("models/lora/manifest.json").write_text(text)
        project.git("commit", "-qam", f"manifest {number}")
    commits = project.git("log", "--format=%h", "--abbrev=12", "-4").split()
    try:
        named = found(project.root, history=True)
    finally:
        project.git("reset", "-q", "--soft", head)
        project.git("reset", "-q")
    assert named == {
        f"models/lora/manifest.json at {commits[2]}": ["unreadable_manifest"],
        f"models/lora/rows.txt at {commits[1]}": ["wrong_rows"],
    }


BAD: dict[str, tuple[Callable[[], Any], list[str], str]] = {
    "no lock": (lambda: Path("dvc.lock").unlink(), [], "dvc.lock: unusable_revision: found no dvc.lock"),
    "damaged lock": (
        lambda: Path("dvc.lock").write_text("stages: ["),
        [],
        "dvc.lock: unusable_revision: found a damaged dvc.lock",
    ),
    "binary lock": (
        lambda: Path("dvc.lock").write_bytes(b"\xff\x00"),
        [],
        "dvc.lock: unusable_revision: found a damaged dvc.lock",
    ),
    "empty lock": (
        lambda: Path("dvc.lock").write_text("stages: {}"),
        [],
        "dvc.lock: no_stages: found no stage of dvc.yaml, expected those that ran; run `dvc repro`",
    ),
    "no params": (
        lambda: Path("params.yaml").unlink(),
        [],
        "params.yaml: unreadable_file: found no such file",
    ),
    "damaged params": (
        lambda: Path("params.yaml").write_text("a: ["),
        [],
        "params.yaml: unreadable_file: found no YAML",
    ),
    "unknown revision": (lambda: None, ["--rev", "v9"], "git: unknown_revision: found no revision 'v9'"),
    "revision without a lock": (
        lambda: None,
        ["--rev", "without"],
        "dvc.lock at without: unusable_revision: found no dvc.lock",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_one_sentence(
    what: str, project: SmallProject, capsys: pytest.CaptureFixture[str]
) -> None:
    plant, arguments, expected = BAD[what]
    if "without" in arguments:
        tree = project.git("hash-object", "-t", "tree", "/dev/null")
        project.git("tag", "-f", "without", project.git("commit-tree", tree.strip(), "-m", "empty").strip())
    plant()
    assert main(["verify", *arguments]) == 1
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "error: 1 problem(s) found"
    assert told[1].startswith(f"  {expected}")
    assert len(told) == 2


def test_json_says_the_same(project: SmallProject, capsys: pytest.CaptureFixture[str]) -> None:
    project.hide("reports/split.json", b"{}")
    assert main(["verify", "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["revision"], document["problems"]) == ("workspace", 7)
    reports = next(one for one in document["checks"] if one["name"] == "reports")
    assert reports["problems"][0] == {
        "path": "reports/split.json",
        "code": "wrong_count",
        "found": "no key exemplars",
        "expected": "727 by the tables",
        "fix": "`git diff reports/split.json` shows a change: take it back, or run `dvc repro`",
    }
