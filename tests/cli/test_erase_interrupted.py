"""An erasure that is killed, or meets a running stage or a shared cache, with real DVC."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stages.ingest.tombstones import hash_with_key
from tests.cli.erasure_project import KEY, ErasureProject, make_project
from tests.conftest import PROJECT

PIN = hash_with_key("please ring Augusta Byron at the mill", KEY.encode())
ROW = "skills:call.md#7"


@pytest.fixture(scope="module")
def made(forked_commands: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("made"))


@pytest.fixture
def project(made: Path, tmp_path: Path) -> ErasureProject:
    return ErasureProject(shutil.copytree(made, tmp_path / "copy") / "project")


@pytest.fixture(scope="module")
def reproduced(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project after `--redact`, `dvc repro`, a commit and `dvc push`."""
    folder = shutil.copytree(made, tmp_path_factory.mktemp("reproduced") / "copy")
    ErasureProject(folder / "project").redact_and_reproduce()
    return folder


@pytest.fixture
def erased(reproduced: Path, tmp_path: Path) -> ErasureProject:
    return ErasureProject(shutil.copytree(reproduced, tmp_path / "copy") / "project")


def read_tombstones(project: ErasureProject) -> dict[str, dict[str, Any]]:
    lines = (project.root / "data/raw/erasures.jsonl").read_text("utf-8").splitlines()
    return {tombstone["id"]: tombstone for tombstone in map(json.loads, lines)}


def pin(project: ErasureProject, **pins: dict[str, str]) -> None:
    """Write the tombstones as they are when a redaction is killed after pinning."""
    tombstones = read_tombstones(project)
    for name, pending in pins.items():
        tombstones[name]["pending"] = pending
    lines = "".join(json.dumps(tombstone) + "\n" for tombstone in tombstones.values())
    project.write("data/raw/erasures.jsonl", lines)


@pytest.mark.slow
@pytest.mark.parametrize(("step", "prepared"), [("redact", "made"), ("purge", "reproduced")])
def test_a_killed_step_is_finished_by_the_same_command(
    step: str, prepared: str, request: pytest.FixtureRequest
) -> None:
    # One kill after a random time, and one right before a random change of the file system. In a new Python: a process
    # that has used threads cannot be forked.
    kills = str(PROJECT / "tests/benchmarks/kills.py")
    folder = str(request.getfixturevalue(prepared))
    command = [sys.executable, kills, step, "2", "--seed", "1", "--prepared", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_redaction_that_was_killed_after_pinning_is_finished(project: ErasureProject) -> None:
    pin(project, t1={ROW: PIN})
    assert project.find_records_taken_back() == []
    done = project.erase("--redact", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert project.find_names("data/raw") == []
    tombstone = read_tombstones(project)["t1"]
    assert (tombstone["redacted"], "pending" in tombstone) == ({ROW: PIN}, False)
    again = project.erase("--redact", "--yes")
    assert (again.returncode, again.stdout) == (
        0,
        "now run `dvc repro`, commit, and run `exemplars erase --purge`\n",
    )


def test_a_pinned_row_that_moved_before_the_redaction_was_finished_is_found(project: ErasureProject) -> None:
    pin(project, t1={ROW: PIN})
    path = project.root / "data/raw/skills/call.md"
    path.write_text(
        path.read_text("utf-8").replace(
            "#### Examples:\n",
            '#### Examples:\n\n### User: ring the office for me now\n### Assistant: call(contact="the office")\n',
        ),
        "utf-8",
    )
    assert project.find_records_taken_back() == []
    done = project.erase("--redact", "--yes")
    assert done.returncode == 0, done.stderr
    assert project.find_names("data/raw/skills") == []
    assert path.read_text("utf-8").count("ring the office for me now") == 2


def test_a_redacted_row_that_git_brings_back_is_erased_again(project: ErasureProject) -> None:
    project.erase("--redact", "--yes")
    project.run("git", "checkout", "-q", "data/raw/skills/call.md")
    assert project.find_names("data/raw") == [str(project.root / "data/raw/skills/call.md")]
    assert project.find_records_taken_back() == []
    assert project.erase("--redact", "--yes").returncode == 0
    assert project.find_names("data/raw") == []


def test_a_redaction_is_logged_with_the_hashes_of_each_file(project: ErasureProject) -> None:
    before = subprocess.run(
        ["sha256sum", "data/raw/skills/call.md"], cwd=project.root, capture_output=True, text=True
    ).stdout.split()[0]
    project.erase("--redact", "--yes")
    after = subprocess.run(
        ["sha256sum", "data/raw/skills/call.md"], cwd=project.root, capture_output=True, text=True
    ).stdout.split()[0]
    lines = (project.root / "reports/erasures/redactions.jsonl").read_text("utf-8").splitlines()
    log = {entry["path"]: entry for entry in map(json.loads, lines)}
    assert sorted(log) == [
        "data/raw/lines/part0.jsonl",
        "data/raw/lines/part1.jsonl",
        "data/raw/sgd/train/dialogues_001.json",
        "data/raw/skills/call.md",
        "data/raw/skills/ring.md",
    ]
    entry = log["data/raw/skills/call.md"]
    assert (entry["rows"], entry["sha256_before"], entry["sha256_after"], entry["tombstones"]) == (
        1,
        before,
        after,
        ["t1"],
    )


def test_the_receipt_of_a_purge_has_the_files_that_were_redacted_before(erased: ErasureProject) -> None:
    done = erased.erase("--purge", "--all-revisions", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    receipt = erased.receipt()
    assert [file["path"] for file in receipt["raw_files"]] == [
        "data/raw/lines/part0.jsonl",
        "data/raw/lines/part1.jsonl",
        "data/raw/sgd/train/dialogues_001.json",
        "data/raw/skills/call.md",
        "data/raw/skills/ring.md",
    ]
    assert receipt["continues_an_interrupted_purge"] is False


def test_a_purge_removes_what_an_unfinished_one_had_found_though_all_tables_of_the_cache_are_gone(
    erased: ErasureProject,
) -> None:
    project = erased
    held = project.find_names(".dvc/cache", "../remote")
    in_remote = [path for path in held if "/remote/" in path]
    objects = [
        {
            "md5": path[-33:].replace("/", ""),
            "store": "the remote store" if path in in_remote else "the cache",
        }
        for path in held
    ]
    project.write(".dvc/tmp/exemplars-purge.json", json.dumps(objects))
    for path in set(held) - set(in_remote):
        Path(path).unlink()
    done = project.erase("--purge", "--all-revisions", "--yes")
    assert done.returncode == 0, done.stderr
    assert project.find_names("data", "reports", ".dvc", "../remote") == []
    assert project.receipt()["continues_an_interrupted_purge"] is True
    removed = {(item["md5"], item["store"]) for item in project.receipt()["removed_objects"]}
    assert removed >= {(item["md5"], item["store"]) for item in objects}


def test_an_unfinished_purge_of_a_different_remote_is_named(erased: ErasureProject) -> None:
    erased.write(".dvc/tmp/exemplars-purge.json", json.dumps([{"md5": "0" * 32, "store": "the remote away"}]))
    done = erased.erase("--purge", "--all-revisions", "--yes")
    assert done.returncode == 1
    assert (
        ".dvc/tmp/exemplars-purge.json: unfinished_purge: found an unfinished purge of the remote away, expected a "
        "purge of the same remote; finish it with the same `--remote`; if that remote no longer exists, delete the "
        "file\n"
    ) in done.stderr


def test_a_damaged_journal_is_named(erased: ErasureProject) -> None:
    erased.write(".dvc/tmp/exemplars-purge.json", "[{")
    done = erased.erase("--purge", "--all-revisions", "--yes")
    assert done.returncode == 1
    assert ".dvc/tmp/exemplars-purge.json: unfinished_purge: found " in done.stderr
    assert (
        ", expected the objects that an interrupted purge was to remove; delete the file; objects that it named may "
        "then stay in the cache and the remote\n"
    ) in done.stderr


def test_what_a_killed_stage_left_is_removed(erased: ErasureProject) -> None:
    old = erased.root / ".dvc/cache/files"
    table = next(path for path in map(Path, erased.find_names(".dvc/cache")) if path.is_relative_to(old))
    left = erased.root / "data/records/.skills.parquet.x1.partial"
    left.write_bytes(table.read_bytes()[:-8])
    assert erased.erase("--plan").returncode == 0
    assert left.exists()
    done = erased.erase("--purge", "--all-revisions", "--yes")
    assert done.returncode == 0, done.stderr
    assert not left.exists()


WAITING = "import pathlib, time\npathlib.Path('started').touch()\ntime.sleep(60)\n"


@pytest.fixture
def start(project: ErasureProject) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a command in the project, and wait until it has made the file `started`."""
    processes = []

    def run(*command: str) -> subprocess.Popen[bytes]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path}
        environment.pop("PYTHONPATH", None)  # `stages` is the project's own folder here, not the package.
        process = subprocess.Popen(command, cwd=project.root, env=environment, start_new_session=True)
        processes.append(process)
        deadline = time.monotonic() + 60
        while not (project.root / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert (project.root / "started").exists()
        return process

    yield run
    for process in processes:
        os.killpg(process.pid, 9)
        process.wait()


def add_waiting_stage(project: ErasureProject) -> None:
    project.write("stages/wait.py", WAITING)
    text = (project.root / "dvc.yaml").read_text("utf-8")
    stage = "  wait:\n    cmd: python -m stages.wait\n    deps: [data/raw]\n    outs: [data/waited]\n"
    project.write("dvc.yaml", text + stage)


def test_a_stage_that_dvc_runs_stops_the_erasure(
    project: ErasureProject, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    add_waiting_stage(project)
    process = start(sys.executable, "-m", "dvc", "repro", "-q", "-s", "wait")
    locks = json.loads((project.root / ".dvc/tmp/rwlock").read_bytes())
    assert sorted(locks) == ["read", "write"]
    done = project.erase("--redact", "--yes")
    assert done.returncode == 1
    assert f"(process {process.pid}) is running; wait for it to finish, then run again" in done.stderr
    assert len(project.find_names("data/raw")) == 5


def test_a_stage_without_dvc_stops_the_erasure(
    project: ErasureProject, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    add_waiting_stage(project)
    process = start(sys.executable, "-m", "stages.wait")
    done = project.erase("--redact", "--yes")
    assert done.returncode == 1
    assert f"`{sys.executable} -m stages.wait` (process {process.pid}) is running" in done.stderr
    assert len(project.find_names("data/raw")) == 5


def test_the_lock_of_a_dvc_that_was_killed_stops_nothing_and_a_damaged_one_is_named(
    project: ErasureProject,
) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    holder = {"pid": dead.pid, "cmd": "dvc repro"}
    locks = {"read": {"data/raw": [holder]}, "write": {"data/records": holder}}
    project.write(".dvc/tmp/rwlock", json.dumps(locks))
    assert project.erase("--plan").returncode == 0
    for damaged in ('{"read": ', '{"read": []}', '{"data/x": {"read": [], "write": {}}}'):
        project.write(".dvc/tmp/rwlock", damaged)
        done = project.erase("--plan")
        assert done.returncode == 1
        assert (
            ".dvc/tmp/rwlock: damaged_lock: found a damaged file, as after a crash, expected the files that DVC's "
            "stages read and write now, as JSON; if no DVC command is running, delete it, then run again\n"
        ) in done.stderr


@pytest.mark.parametrize("level", ["global", "system", "local", "group"])
def test_a_cache_that_other_clones_may_use_is_purged_only_if_that_is_said_to_be_ok(
    erased: ErasureProject, level: str
) -> None:
    shared = erased.root.parent / "shared"
    folders = {"DVC_GLOBAL_CONFIG_DIR": "global", "DVC_SYSTEM_CONFIG_DIR": "system"}
    environment = {variable: str(erased.root.parent / name) for variable, name in folders.items()}
    text = f"[cache]\n    dir = {shared}\n"
    if level == "group":
        erased.write(".dvc/config.local", "[cache]\n    shared = group\n")
        reason = "DVC's setting cache.shared is `group`"
    else:
        shutil.move(erased.root / ".dvc/cache", shared)
        erased.write(".dvc/config.local" if level == "local" else f"../{level}/config", text)
        reason = f"it is outside of the project, at {shared.resolve()}"
    folder = "../shared" if shared.exists() else ".dvc/cache"
    held = erased.find_names(folder)
    done = erased.erase("--purge", "--all-revisions", "--yes", **environment)
    assert done.returncode == 1
    assert (
        f"DVC's cache: shared_cache: other clones may need objects that a purge removes from the cache, since {reason}; "
        "make sure that no other clone needs them (after the same erasure there, `exemplars erase --plan` lists none), "
        "then add --shared-cache-ok; nothing was changed\n"
    ) in done.stderr
    assert erased.find_names(folder) == held != []
    done = erased.erase("--purge", "--all-revisions", "--shared-cache-ok", "--yes", **environment)
    assert done.returncode == 0, done.stderr
    assert erased.find_names(folder) == []


@pytest.mark.parametrize("where", ["commit", "side", "remote", "workspace"])
def test_an_object_that_only_another_commit_needs_is_kept(project: ErasureProject, where: str) -> None:
    """The object is in a folder under `dvc add`, of a commit that changes no `dvc.lock` or that a merge dropped."""
    project.write("data/notes/a.txt", "please ring Augusta Byron at the mill")
    project.dvc("add", "-q", "data/notes")
    project.dvc("push", "-q")
    (added,) = {path for path in project.find_names(".dvc/cache") if Path(path).stat().st_size < 100}
    if where != "workspace":
        identity = ("-c", "user.name=Test", "-c", "user.email=test@localhost")
        project.run("git", "checkout", "-q", "-b", "side")
        project.run("git", "add", "data/notes.dvc", "data/.gitignore")
        project.run("git", *identity, "commit", "-q", "-m", "notes")
        project.run("git", "checkout", "-q", "-")
        project.run("git", "checkout", "-q", "master", "--")
        if where == "side":
            project.run("git", *identity, "merge", "-q", "-s", "ours", "side", "-m", "merge")
            project.run("git", "branch", "-D", "side")
        shutil.rmtree(project.root / "data/notes", ignore_errors=True)
    if where == "remote":
        for path in (project.root / ".dvc/cache/files/md5").glob("*/*.dir"):
            path.unlink()
    done = project.erase("--plan", "--format", "json")
    assert done.returncode == 0, done.stderr
    objects = {
        item["md5"]: item for item in json.loads(done.stdout)["objects"] if item["store"] == "the cache"
    }
    item = objects[added[-33:].replace("/", "")]
    assert item["paths"] == ["data/notes/a.txt"]
    assert len(item["needed_by"]) == (0 if where == "workspace" else 1)
