"""The learning curve: exact match by the number of train exemplars, on nested parts of the train split."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

import stages
from exemplars.core import layout
from exemplars.core.conditions import take_condition
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import read_file, read_json, write_bytes, write_json
from exemplars.core.params import PATH, load_section
from exemplars.core.yaml_documents import YamlProblem, decode_yaml
from stages.evaluate.params import EvaluateParams
from stages.render.params import RenderParams
from stages.train.params import TrainParams

_INPUTS: Final = ("data/splits", "data/exemplars", "data/raw", "schemas")
"""What `render`, `train` and `evaluate` read of the project."""


class CurvePoint(msgspec.Struct, frozen=True):
    """The evaluation of a model that was trained on a part of the train split."""

    share: float
    """Of the exemplars of the train split."""
    exemplars: int
    tokens: int
    """That training processed."""
    test_rows: int
    value: float
    """Exact match of the reference system, with its interval of 95 %."""
    low: float
    high: float


def measure_curve(
    shares: Sequence[float], report_progress: Callable[[float, int, int], None]
) -> list[CurvePoint]:
    """Train and evaluate on parts of the train split; write `reports/curve.json` and `reports/curve.svg`.

    shares: above 0, up to 1. Smaller parts are within larger ones. Each is rendered, trained and evaluated in
    a folder of its own, so that the workspace does not change. report_progress: called before each part with
    its share, its exemplars, and those of the split. Raises `UserError` if a share, the parameters or the split
    is wrong or missing, or if a stage fails.
    """
    shares = check_shares(shares)
    params, total = _read_params(), _count_train_turns()
    recipe = _choose_recipe(params)
    points = []
    for share in shares:
        exemplars = math.ceil(share * total)
        report_progress(share, exemplars, total)
        points.append(_measure_point(share, exemplars, limit_train_rows(params, recipe, exemplars)))
    document = {"reference": f"{recipe}_constrained", "points": msgspec.to_builtins(points)}
    write_json(layout.report("curve"), document)
    write_bytes(layout.report("curve").with_suffix(".svg"), draw_curve(points))
    return points


def check_shares(shares: Sequence[float]) -> list[float]:
    """Sort the shares and drop repeated ones. Raises `UserError` if one is not above 0 and up to 1.

    >>> check_shares([1, 0.5, 0.5])
    [0.5, 1]
    """
    wrong = [share for share in shares if not 0 < share <= 1]
    if wrong:
        found = ", ".join(f"{share:g}" for share in wrong)
        fix = "correct them, for example: --shares 0.5 1"
        raise UserError([_build_curve_problem("--shares", found, "shares above 0, up to 1", fix)])
    return sorted(set(shares))


def limit_train_rows(params: Mapping[str, Any], recipe: str, exemplars: int) -> dict[str, Any]:
    """Limit parameters to a number of train exemplars, and to the constrained language model of a recipe.

    params: the content of `params.yaml`.
    """
    render, evaluate = dict(params["render"]), dict(params["evaluate"])
    render["max_rows"] = {**render["max_rows"], "train": exemplars}
    system = f"{recipe}_constrained"
    evaluate.update(compare=[system], reference=system, text_metrics=False)
    if "path" in render.get("base", {}):  # The stages run in a different folder.
        render["base"] = {**render["base"], "path": str(Path(render["base"]["path"]).resolve())}
    return {**params, "render": render, "evaluate": evaluate}


def draw_curve(points: Sequence[CurvePoint]) -> bytes:
    """Draw the curve as an SVG: exact match by exemplars, with its interval of 95 %."""
    import altair as alt
    import vl_convert

    base = alt.Chart(alt.InlineData(values=msgspec.to_builtins(points))).encode(
        x=alt.X("exemplars:Q", title="train exemplars")
    )
    chart = (
        base.mark_errorband(opacity=0.25).encode(
            y=alt.Y("low:Q", title="exact match", axis=alt.Axis(format="%")), y2="high:Q"
        )
        + base.mark_line(point=True).encode(y="value:Q")
    ).properties(width=480, height=280, title="Does more data still help?")
    return str(vl_convert.vegalite_to_svg(chart.to_dict())).encode("utf-8")


def _measure_point(share: float, exemplars: int, params: Mapping[str, Any]) -> CurvePoint:
    """Render, train and evaluate in a temporary folder. Raises `UserError` if a stage fails."""
    project = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="exemplars-curve-") as name:
        folder = Path(name)
        for path in _INPUTS:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).symlink_to(project / path)
        recipe = _choose_recipe(params)
        (folder / PATH).write_text(yaml.safe_dump(params), "utf-8")
        _run_stage(folder, "render")
        _run_stage(folder, "train", recipe)
        _run_stage(folder, "evaluate", recipe)
        report = _read_report(folder, "evaluate")
        tokens = _read_report(folder, f"train/{recipe}")["tokens"]
    figure = take_condition(report)["systems"][params["evaluate"]["reference"]]["exact_match"]
    return CurvePoint(
        share, exemplars, tokens, report["rows"], figure["value"], figure["low"], figure["high"]
    )


def _choose_recipe(params: Mapping[str, Any]) -> str:
    """Choose the first language model of `train.runs`: parts of the split are sampled by `render`."""
    for name, folder in params["train"]["runs"].items():
        if folder == layout.TRAINING.name:
            return str(name)
    found = f"train.runs: {', '.join(params['train']['runs'])}"
    fix = "add one, such as `lora: training`"
    raise UserError([_build_curve_problem(str(PATH), found, "a recipe that trains a language model", fix)])


def _run_stage(folder: Path, stage: str, *arguments: str) -> None:
    """Run a stage in a folder, with what it prints on standard error. Raises `UserError` if it fails."""
    command = [sys.executable, "-m", f"stages.{stage}", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(stages.__file__).parent.parent)}
    done = subprocess.run(command, cwd=folder, env=environment, stdout=sys.stderr, check=False)
    if done.returncode:
        raise UserError(
            [
                Diagnostic(
                    path=f"stage {stage}",
                    code="no_curve",
                    found=f"exit status {done.returncode}",
                    expected="0",
                    summary="the stage failed; its errors are above",
                    fix="correct them, then run again",
                )
            ]
        )


def _read_report(folder: Path, stage: str) -> dict[str, Any]:
    path = folder / layout.details(stage)
    return read_json(
        path, dict[str, Any], code="no_curve", expected="the report of the stage", fix="run again"
    )


def _read_params() -> dict[str, Any]:
    """Read the parameters; those of the stages that run have the defaults of what the file does not name."""
    try:
        document: dict[str, Any] = decode_yaml(read_file(PATH, expected="parameters").decode("utf-8-sig"))
    except (UnicodeDecodeError, YamlProblem) as error:
        found = str(error).splitlines()[0]
        raise UserError(
            [_build_curve_problem(str(PATH), found, "parameters in YAML", "correct the file")]
        ) from None
    sections: dict[str, type[msgspec.Struct]] = {
        "render": RenderParams,
        "train": TrainParams,
        "evaluate": EvaluateParams,
    }
    filled = {name: msgspec.to_builtins(load_section(name, section)) for name, section in sections.items()}
    return {**document, **filled}


def _count_train_turns() -> int:
    """Count the turns of the train split: `render` samples turns as a whole."""
    path = layout.split("train")
    if not path.exists():
        raise UserError(
            [_build_curve_problem(str(path), "no such file", "the train split", "run `dvc repro split`")]
        )
    import pyarrow.parquet as pq  # Slow to import.

    return len(pq.ParquetFile(path).read(["turn"]).column("turn").unique())


def _build_curve_problem(path: str, found: str, expected: str, fix: str) -> Diagnostic:
    return Diagnostic(path=path, code="no_curve", found=found, expected=expected, fix=fix)
