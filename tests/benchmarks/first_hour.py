"""The first hour of a user, timed: the built wheel, a new project, 36 examples pasted, then a second source.

    python tests/benchmarks/first_hour.py

The wheel is installed into an environment of its own, which sees the other packages of this one, so that nothing is
downloaded; `exemplars` and `stages` come from the wheel alone. Prints the seconds of each step as JSON, and fails if
a step fails, if it prints an error, or if it needs another edit.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

PROJECT: Final = Path(__file__).parents[2]
HOTEL: Final = Path(__file__).parent / "hotel"
SECOND_SOURCE: Final = "    logs: {format: jsonl, path: data/raw/logs, license: LicenseRef-hotel}\n"


def run(
    command: list[str], folder: Path, environment: Mapping[str, str] = os.environ, fails: bool = False
) -> str:
    """Run a command; return all that it printed. Raises `SystemExit` with that if it fails, or should and does not."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if bool(done.returncode) is not fails:
        raise SystemExit(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stdout}")
    return done.stdout


def build_wheel(folder: Path) -> Path:
    """Build the wheel of the files that git tracks, in a folder outside the repository."""
    source = folder / "source"
    for name in run(["git", "ls-files", "-z"], PROJECT).split("\0"):
        if name.startswith(("exemplars/", "stages/", "schemas/", "docs/")) or (name and "/" not in name):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, source / name, follow_symlinks=False)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    run([sys.executable, "-m", "pip", "wheel", *options, str(source)], folder)
    return next(folder.glob("*.whl"))


def make_environment(folder: Path, wheel: Path) -> dict[str, str]:
    """Make an environment with the wheel, and with the other packages of this one; return its variables."""
    environment = folder / "env"
    run([sys.executable, "-m", "venv", "--without-pip", str(environment)], folder)
    packages = next(environment.glob("lib/python*/site-packages"))
    # The folder is appended to the path; the `.pth` files in it, such as that of an editable install, are not read.
    (packages / "others.pth").write_text(
        "".join(f"{path}\n" for path in sys.path if path.endswith("site-packages"))
    )
    options = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    python = environment / "bin" / "python"
    run([sys.executable, "-m", "pip", "--python", str(python), "install", *options, str(wheel)], folder)
    dvc = environment / "bin" / "dvc"
    dvc.write_text(f'#!/bin/sh\nexec "{python}" -m dvc "$@"\n')
    dvc.chmod(0o755)
    variables = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    return {**variables, "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"}


class FirstHour:
    """The steps of the first hour, with their seconds."""

    def __init__(self, folder: Path) -> None:
        """folder: an empty one, outside the repository."""
        self.folder = folder
        self.project = folder / "home" / "hotel"
        self.seconds: dict[str, float] = {}
        self.environment: dict[str, str] = {}
        self.compiled: dict[str, Any] = {}
        """The entry of `compile` in `dvc.lock`, with the first source alone."""

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Measure the seconds of a step."""
        start = time.perf_counter()
        yield
        self.seconds[step] = round(time.perf_counter() - start, 1)

    def install(self) -> None:
        """Build the wheel and install it."""
        with self.measure("build and install"):
            self.environment = make_environment(self.folder, build_wheel(self.folder))
        places = "import exemplars, stages; print(exemplars.__file__, stages.__file__)"
        for place in run(["python", "-c", places], self.folder, self.environment).split():
            assert Path(place).is_relative_to(self.folder / "env"), f"the code is not the wheel's: {place}"

    def init(self) -> None:
        """Make the project, and compile it as it is."""
        self.project.parent.mkdir()
        command = ["exemplars", "init", "hotel", "--skills", "book_room,room_service"]
        with self.measure("exemplars init"):
            run(command, self.project.parent, self.environment)
        lines = (self.project / "params.yaml").read_text("utf-8").splitlines()
        assert len(lines) <= 20, f"params.yaml has {len(lines)} lines"
        self.call("exemplars", "check")

    def paste_examples(self) -> None:
        """Replace the examples by those of a hotel, and run the pipeline once."""
        for file in HOTEL.glob("*.md"):
            shutil.copy(file, self.project / "data/raw/hotel")
        self.call("exemplars", "lint")
        self.validate("dvc repro validate", {"hotel": 36})
        self.compiled = self.read_lock()["compile"]

    def add_source(self) -> None:
        """Add labeled JSONL: its file, and one block in params.yaml."""
        (self.project / "data/raw/logs").mkdir()
        shutil.copy(HOTEL / "calls.jsonl", self.project / "data/raw/logs")
        params = self.project / "params.yaml"
        text = params.read_text("utf-8")
        params.write_text(text.replace("compile: {}", f"{SECOND_SOURCE}compile: {{}}"), "utf-8")
        self.validate("dvc repro validate, second source", {"hotel": 36, "logs": 12})
        with self.measure("exemplars verify"):
            assert "no problems" in self.call("exemplars", "verify", "--data")

    def remove_source(self) -> None:
        """Remove the second source again: what it left changes no lock."""
        params = self.project / "params.yaml"
        params.write_text(params.read_text("utf-8").replace(SECOND_SOURCE, ""), "utf-8")
        self.call("dvc", "repro", "compile")
        assert not list((self.project / "data/records").glob("logs.*"))
        assert self.read_lock()["compile"] == self.compiled

    def upgrade(self) -> None:
        """Upgrade to the same version, which changes nothing; then to one with other code of `split`."""
        before = (self.project / "code.yaml").read_bytes()
        assert "the same code of all stages" in self.call("exemplars", "upgrade")
        assert (self.project / "code.yaml").read_bytes() == before
        module = next((self.folder / "env").glob("lib/python*/site-packages/stages/split/splits.py"))
        module.write_text(f"{module.read_text('utf-8')}\n# A later version.\n", "utf-8")
        refused = self.call("dvc", "repro", "--force", "--single-item", "split", fails=True)
        assert "with other code of split than this file names; run `exemplars upgrade`" in refused, refused
        assert "other code of split\n" in self.call("exemplars", "upgrade")
        with self.measure("dvc repro validate, upgraded"):
            printed = self.call("dvc", "repro", "validate")
        started = [line.split("'")[1] for line in printed.splitlines() if line.startswith("Running stage")]
        assert started == ["split"], printed

    def validate(self, step: str, kept: Mapping[str, int]) -> None:
        """Run the pipeline up to `validate`. kept: how many exemplars each source has then."""
        with self.measure(step):
            printed = self.call("dvc", "repro", "validate")
        assert "error:" not in printed, printed
        assert sorted(name for name in self.read_lock() if "@" in name) == [f"ingest@{name}" for name in kept]
        code = "import polars as pl; print(pl.read_parquet('data/curated/exemplars.parquet')['source'].to_list())"
        sources = self.call("python", "-c", code)
        assert {name: sources.count(repr(name)) for name in kept} == kept, printed

    def read_lock(self) -> dict[str, Any]:
        """Read the stages of `dvc.lock`."""
        stages: dict[str, Any] = yaml.safe_load((self.project / "dvc.lock").read_bytes())["stages"]
        return stages

    def call(self, *command: str, fails: bool = False) -> str:
        """Run a command in the project; return what it printed. fails: whether it must fail."""
        return run(list(command), self.project, self.environment, fails)


def main() -> None:
    """Run all steps, and print their seconds."""
    with tempfile.TemporaryDirectory(prefix="first-hour-") as name:
        hour = FirstHour(Path(name).resolve())
        for step in (
            hour.install,
            hour.init,
            hour.paste_examples,
            hour.add_source,
            hour.upgrade,
            hour.remove_source,
        ):
            step()
        print(json.dumps({**hour.seconds, "total": round(sum(hour.seconds.values()), 1)}, indent=2))


if __name__ == "__main__":
    main()
