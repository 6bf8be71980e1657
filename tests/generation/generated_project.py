"""A project of the sample with a generated source, whose stages run in this process."""

from __future__ import annotations

import shutil
import sys
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from tests.conftest import PROJECT, SAMPLE

SOURCES = ("generated", "labelled", "skills")


class GeneratedProject:
    """A folder with two small sources of the sample, and a generated one that is empty."""

    def __init__(self, root: Path) -> None:
        """Make the folder. Stages run by `run_stages`."""
        self.root = root
        for name in ("labelled", "skills"):
            shutil.copytree(SAMPLE / "data/raw" / name, root / "data/raw" / name)
        for name in ("erasures.jsonl", "reviews.jsonl"):
            shutil.copy(SAMPLE / "data/raw" / name, root / "data/raw" / name)
        shutil.copytree(PROJECT / "schemas", root / "schemas")
        (root / ".dvc/tmp").mkdir(parents=True)
        params = yaml.safe_load((SAMPLE / "params.yaml").read_text("utf-8"))
        sources = params["ingest"]["sources"]
        del sources["bots"], sources["sgd"]
        sources["generated"] = {"format": "generated", "path": "data/raw/generated", "license": "CC0-1.0"}
        params["compile"]["sources"] = list(SOURCES)
        (root / "params.yaml").write_text(yaml.safe_dump(params), "utf-8")

    @property
    def answers(self) -> list[bytes]:
        """The lines of all files of answers."""
        files = sorted((self.root / "data/raw/generated").glob("*.jsonl"))
        return [line for file in files for line in file.read_bytes().splitlines()]

    def run_stages(self, monkeypatch: pytest.MonkeyPatch, *, first: bool = False) -> None:
        """Run the stages up to the splits. first: before there are answers."""
        monkeypatch.chdir(self.root)
        monkeypatch.setenv("EXEMPLARS_WORKERS", "1")
        sources = SOURCES[1:] if first else SOURCES
        params = self.root / "params.yaml"
        whole = params.read_text("utf-8")
        if first:
            document = yaml.safe_load(whole)
            document["compile"]["sources"].remove("generated")
            params.write_text(yaml.safe_dump(document), "utf-8")
        for stage in (*(f"ingest@{name}" for name in sources), "compile", "curate", "split"):
            name = stage.partition("@")[0]
            monkeypatch.setattr(sys, "argv", [name, *([stage] if "@" in stage else [])])
            import_module(f"stages.{name}.__main__").main()
        params.write_text(whole, "utf-8")
