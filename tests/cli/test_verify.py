"""Any changed byte is found and its file named, even if the hash in `dvc.lock` was corrected."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from exemplars.audit.dvc_cache import locate_object
from exemplars.audit.revisions import open_revision
from exemplars.audit.verification.checks import Check
from exemplars.audit.verification.figures import check_figures
from exemplars.audit.verification.recomputation import Recompute, check_recomputation
from exemplars.audit.verification.tables import Tables
from exemplars.audit.verification.verification import run_checks
from exemplars.cli.main import main
from tests.cli.hidden_changes import HIDDEN, Found, flip_bit
from tests.cli.small_project import SmallProject, build_small_project
from tests.stage_server import StageServer

pytest.importorskip("trl")
FLIPS, ROUNDS = 24, 10
GROUPS = ("data/raw", "data/records", "data/exemplars", "data/curated", "data/splits", "data/training")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    root = tmp_path_factory.mktemp("built") / "small"
    return SmallProject(shutil.copytree(build_small_project(tmp_path_factory), root))


@pytest.fixture(autouse=True)
def _fork_stages(stage_server: StageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the stages that are recomputed be forked."""
    monkeypatch.setattr("exemplars.audit.verification.sandbox.PYTHON", str(stage_server.python))


@pytest.fixture
def project(built: SmallProject, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallProject]:
    """The small project; its files are restored afterwards."""
    monkeypatch.chdir(built.root)
    kept = {path: path.read_bytes() for path in list_project_files(built.root)}
    yield built
    for path in list_project_files(built.root):
        if path not in kept:
            path.unlink()
    for path, data in kept.items():
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def list_project_files(root: Path) -> list[Path]:
    folders = (
        "data",
        "models",
        "reports",
        "schemas",
        "stages",
        "params.yaml",
        "dvc.yaml",
        "dvc.lock",
        ".dvc/cache",
    )
    return [path for name in folders for path in (root / name, *(root / name).rglob("*")) if path.is_file()]


def find_problems(
    root: Path, rev: str = "workspace", history: bool = False, recompute: Recompute = Recompute.NONE
) -> dict[str, list[str]]:
    """Run the checks; return the codes of the problems, by the file that they name."""
    return collect_codes(run_checks(root, rev, history, False, recompute))


def collect_codes(checks: Iterable[Check]) -> dict[str, list[str]]:
    codes: dict[str, list[str]] = {}
    for check in checks:
        for problem in check.problems:
            codes.setdefault(problem.path.partition(": ")[0], []).append(problem.code)
    return codes


def recompute_one_stage(root: Path, path: str) -> Check:
    """Recompute what the stage wrote that has this output; of `evaluate`, the figures."""
    revision = open_revision(root)
    stage = next(
        stage
        for stage in revision.stages.values()
        for out in stage.outs
        if path == out.path or path.startswith(f"{out.path}/")
    )
    if stage.name == "evaluate":
        outputs = [out for stage in revision.stages.values() for out in stage.outs]
        return check_figures(Tables(root, outputs, ()), [stage], (), Recompute.FAST)
    return check_recomputation(revision, [stage], root, (), (), Recompute.ALL)


def test_a_project_that_the_stages_made_has_no_problems(
    project: SmallProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "--history"]) == 0
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert lines[0] == "verifying workspace against its dvc.lock"
    assert lines[-1] == "no problems"
    checks = [line.split()[0] for line in lines[1:-1] if not line.strip().startswith("(")]
    assert checks == [
        *("stages", "files", "params", "code", "origins", "rows", "conservation", "splits", "runs"),
        *("reports", "recomputed", "figures", "outputs", "history"),
    ]
    assert all(line.endswith(" ok") for line in lines[1:-1] if not line.strip().startswith("("))
    assert max(map(len, lines)) <= 80


def test_240_flipped_bits_are_found_and_their_files_named(project: SmallProject) -> None:
    """Flip bits anywhere in raw files, tables, splits, manifests, weights and reports, several at once."""
    random_ = random.Random(20)
    tracked = (*GROUPS, "models", "reports")
    names = [
        str(path.relative_to(project.root))
        for folder in tracked
        for path in sorted((project.root / folder).rglob("*"))
        if path.is_file() and path.name not in (".gitignore", "metrics.json") and path.stat().st_size
    ]
    stages = open_revision(project.root).stages.values()
    known = {entry.path for stage in stages for entry in (*stage.deps, *stage.outs)}
    names = [name for name in names if known & {name, *map(str, Path(name).parents)}]
    kinds = {name: next(folder for folder in tracked if name.startswith(folder)) for name in names}
    assert set(kinds.values()) == set(tracked)
    planted = 0
    for number in range(ROUNDS):
        kept = {name: (project.root / name).read_bytes() for name in random_.sample(names, FLIPS)}
        for name, data in kept.items():
            place, bit = random_.randrange(len(data)), random_.randrange(8)
            (project.root / name).write_bytes(flip_bit(data, place, bit))
        problems = find_problems(project.root)
        for name, data in kept.items():
            assert name in problems, (number, name)
            planted += 1
            (project.root / name).write_bytes(data)
        changed = {name for name, codes in problems.items() if "changed_file" in codes}
        assert changed == set(kept), number
    assert planted == 240
    assert find_problems(project.root) == {}


def test_every_output_but_models_and_their_answers_is_recomputed_byte_for_byte(
    project: SmallProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "--recompute"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[lines.index(next(line for line in lines if line.startswith("  recomputed "))) : -1] == [
        "  recomputed   72 outputs of 10 stages recomputed                     ok",
        "               (never recomputed: trained weights, losses, answers of models)",
        "  figures      724 figures of 128 predictions recomputed              ok",
    ]


def test_the_51_consistent_changes_are_found_in_the_numbers_that_the_page_gives() -> None:
    assert Counter(change.found for change in HIDDEN.values()) == {
        Found.CHECKS: 23,
        Found.FAST: 13,
        Found.ALL: 13,
        Found.SIGNATURE: 2,
    }


@pytest.mark.parametrize("kind", [kind for kind in HIDDEN if HIDDEN[kind].found is Found.CHECKS])
def test_a_change_with_a_corrected_md5_is_found_by_what_it_breaks(kind: str, project: SmallProject) -> None:
    change = HIDDEN[kind]
    change.make(project)
    problems = find_problems(project.root)
    assert "changed_file" not in [code for codes in problems.values() for code in codes]
    assert change.code in problems.get(change.path, []), problems


@pytest.mark.parametrize("kind", [kind for kind in HIDDEN if HIDDEN[kind].found in (Found.FAST, Found.ALL)])
def test_a_change_that_breaks_nothing_is_found_by_recomputing(kind: str, project: SmallProject) -> None:
    change = HIDDEN[kind]
    change.make(project)
    assert "changed_file" not in [code for codes in find_problems(project.root).values() for code in codes]
    check = recompute_one_stage(project.root, change.path)
    assert change.code in collect_codes([check]).get(change.path, []), check


def test_a_recomputed_output_names_the_row_the_column_and_both_values(project: SmallProject) -> None:
    HIDDEN["a message in the ledger of compile"].make(project)
    (problem,) = recompute_one_stage(project.root, "data/exemplars/rejections.parquet").problems
    row = pq.read_table("data/exemplars/rejections.parquet").to_pylist()[3]
    assert problem.path == f"data/exemplars/rejections.parquet: {row['id']} {row['reason']}: message"
    assert problem.found == "'found nothing'"
    assert problem.expected.endswith(", recomputed by compile")


def test_a_stage_that_ran_with_other_code_is_not_recomputed_but_named(project: SmallProject) -> None:
    HIDDEN["the code of a stage"].make(project)
    check = recompute_one_stage(project.root, "reports/details/curate.json")
    assert check.problems == ()
    assert check.notes[0] == "not recomputed: curate: it ran with other code than is installed"


def test_a_stage_whose_inputs_changed_is_not_recomputed(project: SmallProject) -> None:
    Path("data/curated/pairs.parquet").unlink()
    checks = {
        check.name: check for check in run_checks(project.root, "workspace", False, False, Recompute.FAST)
    }
    assert checks["recomputed"].problems == ()
    assert "not recomputed: split: its inputs changed, or are not here" in checks["recomputed"].notes


def test_a_test_row_that_the_run_saw_is_named(project: SmallProject) -> None:
    test = pq.read_table("data/training/test.parquet", columns=["digests"]).column(0).to_pylist()
    rows = sorted([*Path("models/lora/rows.txt").read_text().split(), *test[0]])
    project.hide("models/lora/rows.txt", "".join(f"{digest}\n" for digest in rows).encode())
    assert "leaked" in find_problems(project.root)["models/lora/rows.txt"]


def test_missing_and_new_files_are_named(project: SmallProject, capsys: pytest.CaptureFixture[str]) -> None:
    Path("data/curated/pairs.parquet").unlink()
    Path("data/splits/train.parquet").unlink()
    shutil.rmtree("models/lora/weights")
    Path("data/raw/skills/new.md").write_text("new")
    assert main(["verify"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "pairs" in line] == [
        "data/curated/pairs.parquet: missing_file: found no readable file, expected the one recorded by "
        "curate, split; `dvc checkout -f data/curated/pairs.parquet` restores it, or `dvc repro` recreates it"
    ]
    assert [line for line in lines if "skills/new.md" in line] == [
        "data/raw/skills/new.md: unexpected_file: the file did not exist when ingest@skills ran; "
        "remove it, or run `dvc repro`"
    ]
    assert find_problems(project.root) == {
        "data/curated/pairs.parquet": ["missing_file"],
        "data/raw/skills/new.md": ["unexpected_file"],
        "data/splits/train.parquet": ["missing_file"],
        "models/lora/weights/adapter_config.json": ["missing_file"],
        "models/lora/weights/adapter_model.safetensors": ["missing_file"],
        "models/lora/weights": ["missing_file"],
    }


def test_a_truncated_table_is_reported_once(project: SmallProject) -> None:
    path = Path("data/splits/test.parquet")
    path.write_bytes(path.read_bytes()[:-100])
    assert find_problems(project.root) == {"data/splits/test.parquet": ["changed_file", "unreadable_table"]}


def test_changed_params_are_named_by_their_keys(
    project: SmallProject, capsys: pytest.CaptureFixture[str]
) -> None:
    project.edit(
        "params.yaml", "rank: 2, alpha: 4, dropout: 0.0, layers: 2", "rank: 8, alpha: 4, dropout: 0.0"
    )
    assert main(["verify"]) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("params.yaml")]
    assert lines == [
        "params.yaml: train.recipes.lora.rank: changed_param: found 8, expected 2, as when train@lora ran; "
        "revert it, or run `dvc repro`",
        "params.yaml: train.recipes.lora.layers: changed_param: found no such key, expected 2, as when "
        "train@lora ran; revert it, or run `dvc repro`",
    ]


def test_a_committed_change_is_named_too(project: SmallProject) -> None:
    head = project.git("rev-parse", "HEAD").strip()
    Path("data/raw/skills/weather.md").write_text("nothing")
    project.git("commit", "-qam", "without dvc repro")
    try:
        problems = find_problems(project.root)
    finally:
        project.git("reset", "-q", "--soft", head)
        project.git("reset", "-q")
    assert problems == {"data/raw/skills/weather.md": ["changed_file", "changed_source"]}


def test_a_commit_is_verified_from_git_and_the_cache(project: SmallProject) -> None:
    Path("data/splits/train.parquet").write_bytes(b"other")
    Path("data/raw/skills/weather.md").write_text("nothing")
    assert find_problems(project.root, rev="HEAD") == {}
    place = locate_object(project.root, project.md5("data/splits/test.parquet"))
    data = place.read_bytes()
    place.chmod(0o644)
    place.write_bytes(flip_bit(data, 40, 2))
    assert "changed_file" in find_problems(project.root, rev="HEAD")["data/splits/test.parquet"]


def test_missing_objects_are_fetched_on_request(project: SmallProject, tmp_path: Path) -> None:
    shutil.copytree(".dvc/cache/files", tmp_path / "remote/files")
    remote = f"[core]\nremote = r\n['remote \"r\"']\nurl = {tmp_path / 'remote'}\n"
    Path(".dvc/config.local").write_text(remote)
    shutil.rmtree(".dvc/cache/files")
    try:
        problems = find_problems(project.root, rev="HEAD")
        assert problems["data/splits/train.parquet"] == ["missing_file"]
        assert "data/splits/manifest.json" not in problems
        assert [
            check.problems
            for check in run_checks(project.root, "HEAD", False, True, Recompute.NONE)
            if check.problems
        ] == []
    finally:
        Path(".dvc/config.local").unlink()


def test_history_names_damaged_objects_and_counts_missing_ones(project: SmallProject) -> None:
    place = locate_object(project.root, project.md5("models/lora/weights/adapter_model.safetensors"))
    place.chmod(0o644)
    place.write_bytes(flip_bit(place.read_bytes(), 3000, 0))
    locate_object(project.root, project.md5("data/curated/review.parquet")).unlink()
    head = project.git("rev-parse", "HEAD").strip()[:12]
    problems = find_problems(project.root, history=True)
    assert problems.pop(f"models/lora/weights/adapter_model.safetensors at {head}") == ["damaged_object"]
    assert problems.pop(f"the weights of models/lora/manifest.json at {head}") == ["wrong_weights"]
    assert problems == {}
    notes = {
        check.name: check.notes
        for check in run_checks(project.root, "workspace", True, False, Recompute.NONE)
    }
    assert any(note.endswith(" are not in the cache; --fetch fetches them") for note in notes["outputs"])


def test_history_reads_the_manifests_of_older_commits(project: SmallProject) -> None:
    head = project.git("rev-parse", "HEAD").strip()
    good = Path("models/lora/manifest.json").read_text()
    for number, text in enumerate(("{", good.replace('"rows_sha256": "', '"rows_sha256": "f'), good)):
        Path("models/lora/manifest.json").write_text(text)
        project.git("commit", "-qam", f"manifest {number}")
    commits = project.git("log", "--format=%h", "--abbrev=12", "-4").split()
    try:
        problems = find_problems(project.root, history=True)
    finally:
        project.git("reset", "-q", "--soft", head)
        project.git("reset", "-q")
    assert problems == {
        f"models/lora/manifest.json at {commits[2]}": ["unreadable_manifest"],
        f"models/lora/rows.txt at {commits[1]}": ["wrong_rows"],
    }


def cut_lock() -> bytes:
    """Return `dvc.lock` up to the middle of a line with a path, as a killed process may leave it."""
    data = Path("dvc.lock").read_bytes()
    return data[: data.index(b"- path", len(data) // 2) + len(b"- pa")]


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
    "lock that ends in the middle of a stage": (
        lambda: Path("dvc.lock").write_bytes(cut_lock()),
        [],
        "dvc.lock: unusable_revision: found a damaged dvc.lock",
    ),
    "number in place of a hash": (
        lambda: Path("dvc.lock").write_text("stages: {train: {cmd: a, outs: [{path: b, md5: 5}]}}"),
        [],
        "dvc.lock: unusable_revision: found a damaged dvc.lock (TypeError: a path or an MD5 that is no text), "
        "expected the file as `dvc repro` wrote it; run `git checkout dvc.lock`, then `dvc repro`",
    ),
    "empty lock": (
        lambda: Path("dvc.lock").write_text(""),
        [],
        "dvc.lock: unusable_revision: found an empty dvc.lock, expected the file as `dvc repro` wrote it; run "
        "`git checkout dvc.lock`, then `dvc repro`",
    ),
    "lock without stages": (
        lambda: Path("dvc.lock").write_text("stages: {}"),
        [],
        "dvc.lock: no_stages: no stage of dvc.yaml has run; run `dvc repro`",
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


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_reported_in_one_sentence(
    kind: str, project: SmallProject, capsys: pytest.CaptureFixture[str]
) -> None:
    plant, arguments, expected = BAD[kind]
    if "without" in arguments:
        tree = project.git("hash-object", "-t", "tree", "/dev/null")
        project.git("tag", "-f", "without", project.git("commit-tree", tree.strip(), "-m", "empty").strip())
    plant()
    assert main(["verify", *arguments]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "error: 1 problem(s) found"
    assert lines[1].startswith(f"  {expected}")
    assert len(lines) == 2


def test_json_has_the_same_problems(project: SmallProject, capsys: pytest.CaptureFixture[str]) -> None:
    project.hide("reports/details/split.json", b"{}")
    assert main(["verify", "--format", "json", "--recompute", "none"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["revision"], document["problems"]) == ("workspace", 7)
    reports = next(check for check in document["checks"] if check["name"] == "reports")
    assert reports["problems"][0] == {
        "path": "reports/details/split.json",
        "code": "wrong_count",
        "found": "no key exemplars",
        "expected": "257, counted in the tables",
        "fix": "`git diff reports/details/split.json` shows a change: revert it, or run `dvc repro`",
    }


def test_data_alone_is_verified_without_models_and_what_is_left_out_is_said(
    project: SmallProject, capsys: pytest.CaptureFixture[str]
) -> None:
    models = ("models", "data/training", "data/evaluated", "reports/details/evaluate.json", "reports/card")
    for name in models:
        path = project.root / name
        path.unlink() if path.is_file() else shutil.rmtree(path)
    assert main(["verify", "--data"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == [
        "  stages       8 stages of dvc.lock                                   ok",
        "               (left out: render, train@retriever, train@tagger, train@lora and 2 more)",
    ]
    assert "               (curate, validate: only with --recompute)" in lines
    assert not any(line.split()[0] in ("runs", "figures") or "weights" in line for line in lines)
    raw = project.root / "data/raw/skills/weather.md"
    raw.write_bytes(flip_bit(raw.read_bytes(), 200, 1))
    assert main(["verify", "--data"]) == 1
    assert "data/raw/skills/weather.md: changed_file: " in capsys.readouterr().out
    assert main(["verify", "--recompute", "none"]) == 1
    assert "models/lora/rows.txt" in capsys.readouterr().out


@pytest.mark.parametrize(
    "others", [["--history"], ["--attestation", "a.json", "--key", "key.pub"]], ids=["history", "attestation"]
)
def test_data_alone_does_not_go_with_what_needs_all_outputs(
    others: list[str], project: SmallProject, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["verify", "--data", *others])
    assert "--data leaves out what --attestation and --history check" in capsys.readouterr().err
