"""A small project from raw files to documents, made by the stages themselves; DVC writes its `dvc.lock`."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from exemplars.audit.verification.hashes import hash_dir_manifest
from tests.pipeline.conftest import Clone
from tests.sharing import build_once
from tests.tiny import save_tiny, save_tiny_encoder

SOURCES = ("bots", "labelled", "sgd", "skills")
STAGES = (
    *("compile", "curate", "split", "validate", "render"),
    *("train@retriever", "train@tagger", "train@lora", "evaluate", "publish"),
)


class SmallProject(Clone):
    """Its stages run in this process; only `dvc commit` does not."""

    def build(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Run all stages, and commit to DVC and git."""
        monkeypatch.chdir(self.root)
        self._prepare()
        for stage in (*(f"ingest@{name}" for name in SOURCES), *STAGES):
            self._run(stage, monkeypatch)
        done = self.dvc("commit", "-f")
        assert done.returncode == 0, done.stderr
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "compiled, trained and evaluated")

    def edit_lock(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the document of `dvc.lock`."""
        document = yaml.safe_load((self.root / "dvc.lock").read_bytes())
        change(document)
        (self.root / "dvc.lock").write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")

    def hide(self, path: str, data: bytes) -> None:
        """Replace a file and correct its MD5 in `dvc.lock`, so that no MD5 gives the change away."""
        before, lock = self.md5(path), (self.root / "dvc.lock").read_bytes()
        folders = [folder for folder in self.folders() if path.startswith(f"{folder}/")]
        listings = {folder: self.listing(folder) for folder in folders}
        (self.root / path).write_bytes(data)
        self._lock(path, before, self.md5(path))
        for folder, listing in listings.items():
            self._lock(folder, hash_dir_manifest(listing), hash_dir_manifest(self.listing(folder)))
        assert lock != (self.root / "dvc.lock").read_bytes()

    def md5(self, path: str) -> str:
        """Return the MD5 of a file, by another program than the one that is tested."""
        return self._md5s([path])[path]

    def _md5s(self, paths: list[str]) -> dict[str, str]:
        command = ["md5sum", "--", *paths]
        done = subprocess.run(
            command, cwd=self.root, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
        )
        return dict(zip(paths, (line.split()[0] for line in done.stdout.splitlines()), strict=True))

    def folders(self) -> list[str]:
        """List the folders that stages of `dvc.lock` read or wrote."""
        stages = yaml.safe_load((self.root / "dvc.lock").read_bytes())["stages"].values()
        entries = [entry for stage in stages for entry in (*stage["deps"], *stage["outs"])]
        return sorted({entry["path"] for entry in entries if entry["md5"].endswith(".dir")})

    def listing(self, folder: str) -> dict[str, str]:
        """Return the MD5 of each file of a folder."""
        root = self.root / folder
        ignored = {"__pycache__", ".gitignore", "metrics.json"}  # As in .dvcignore.
        files = [path for path in root.rglob("*") if path.is_file() and not ignored & set(path.parts)]
        hashes = self._md5s([str(path.relative_to(self.root)) for path in files])
        return {str(Path(path).relative_to(folder)): md5 for path, md5 in hashes.items()}

    def manifest(self) -> dict[str, object]:
        """Read the manifest of the run."""
        return dict(json.loads((self.root / "models/lora/manifest.json").read_bytes()))

    def _lock(self, path: str, before: str, after: str) -> None:
        entry = f"- path: {path}\n      hash: md5\n      md5: "
        lock = (self.root / "dvc.lock").read_text("utf-8")
        (self.root / "dvc.lock").write_text(lock.replace(f"{entry}{before}", f"{entry}{after}"), "utf-8")

    def _prepare(self) -> None:
        """Make the base models; other projects add their rows."""
        save_tiny(self.root / "base")
        save_tiny_encoder(self.root / "encoder")

    def _run(self, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Run a stage in this process, with the arguments that `dvc.yaml` gives it."""
        pipeline = yaml.safe_load((self.root / "dvc.yaml").read_bytes())["stages"]
        name, _, key = stage.partition("@")
        command = pipeline[name]["do"]["cmd"] if key else pipeline[name]["cmd"]
        for reference, value in (("$DVC_STAGE", stage), ("${key}", key)):
            command = command.replace(reference, value)
        monkeypatch.setattr(sys, "argv", shlex.split(command)[2:])
        import_module(f"stages.{name}.__main__").main()


def build_small_project(factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small project as the stages made it, which all workers share: copy it."""

    def build(root: Path) -> None:
        with pytest.MonkeyPatch.context() as monkeypatch:
            SmallProject(root).build(monkeypatch)

    return build_once(factory, "small", build)
