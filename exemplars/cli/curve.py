"""`exemplars curve`: does more data still help? Trains on nested parts of the train split."""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from exemplars.cli.parsers import Commands, command_parser
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError, run_main
from exemplars.core.files import write_bytes, write_json
from exemplars.core.params import PATH

SHARES: Final = (0.1, 0.25, 0.5, 1.0)
_READ: Final = ("data/splits", "data/exemplars", "data/raw", "schemas")
_HELP: Final = """\
examples:
  exemplars curve                      10, 25, 50 and 100 % of the train split
  exemplars curve --shares 0.5 1       these alone
All four train on 1.85 times the rows of the split, and evaluate four times.
The result: reports/curve.json, and a picture, reports/curve.svg. Smaller parts
are within larger ones (by stable hash), and each is trained and judged as
`dvc repro` does, in a folder of its own: the workspace stays as it is.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = command_parser(
        commands,
        "curve",
        short="the learning curve: does more data still help?",
        long="Train on nested parts of the train split, and judge each.",
        examples=_HELP,
    )
    parser.add_argument(
        "--shares", type=float, nargs="+", default=list(SHARES), help="of the train split, above 0 to 1"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train, judge, write and print the curve; answer the exit status."""

    def measure() -> None:
        shares = checked_shares(arguments.shares)
        params, rows = _params(), _train_rows()
        points = []
        for share in shares:
            most = math.ceil(share * rows)
            print(f"{share:.0%}: {most} of {rows} exemplars", file=sys.stderr)
            points.append({"share": share, "exemplars": most, **_point(part_params(params, most))})
        write_json(layout.report("curve"), {"reference": params["evaluate"]["reference"], "points": points})
        write_bytes(layout.report("curve").with_suffix(".svg"), picture(points))
        print(as_text(points), end="")

    return run_main(measure)


def checked_shares(shares: Sequence[float]) -> list[float]:
    """The shares in rising order, each once. Raises `UserError` for one that is none."""
    wrong = [one for one in shares if not 0 < one <= 1]
    if wrong:
        found = ", ".join(f"{one:g}" for one in wrong)
        raise UserError([_problem("--shares", found, "shares above 0, up to 1", "for one: --shares 0.5 1")])
    return sorted(set(shares))


def part_params(params: dict[str, Any], most: int) -> dict[str, Any]:
    """The parameters of a point: so many train rows, and the reference alone is judged."""
    render, evaluate = dict(params["render"]), dict(params["evaluate"])
    render["max_rows"] = {**render["max_rows"], "train": most}
    evaluate.update(compare=[evaluate["reference"]], text_metrics=False)
    if "path" in render.get("base", {}):  # A point runs in a folder of its own.
        render["base"] = {**render["base"], "path": str(Path(render["base"]["path"]).resolve())}
    return {**params, "render": render, "evaluate": evaluate}


def picture(points: Sequence[dict[str, Any]]) -> bytes:
    """The curve as an SVG: exact match by exemplars, with its interval of 95 %."""
    import altair as alt
    import vl_convert

    base = alt.Chart(alt.InlineData(values=[dict(one) for one in points])).encode(
        x=alt.X("exemplars:Q", title="train exemplars")
    )
    chart = (
        base.mark_errorband(opacity=0.25).encode(
            y=alt.Y("low:Q", title="exact match", axis=alt.Axis(format="%")), y2="high:Q"
        )
        + base.mark_line(point=True).encode(y="value:Q")
    ).properties(width=480, height=280, title="Does more data still help?")
    return str(vl_convert.vegalite_to_svg(chart.to_dict())).encode("utf-8")


def as_text(points: Sequence[dict[str, Any]]) -> str:
    """The curve as a table."""
    lines = [f"{'share':>6}{'exemplars':>11}{'tokens':>9}{'exact match':>13}   interval of 95 %"]
    lines += [
        f"{one['share']:>6.0%}{one['exemplars']:>11,}{one['tokens']:>9,}{one['value']:>13.3f}"
        f"   {one['low']:.3f} to {one['high']:.3f}"
        for one in points
    ]
    return "\n".join(lines) + "\n"


def _point(params: dict[str, Any]) -> dict[str, Any]:
    """Render, train and evaluate in a folder of its own. Raises `UserError` where a stage fails."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="exemplars-curve-") as name:
        folder = Path(name)
        for path in _READ:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).symlink_to(here / path)
        (folder / PATH).write_text(yaml.safe_dump(params), "utf-8")
        for stage in ("render", "train", "evaluate"):
            judged = [params["train"]["recipe"]] if stage == "evaluate" else []
            command = [sys.executable, "-m", f"stages.{stage}", *judged]
            known = {**os.environ, "PYTHONPATH": str(here)}
            if subprocess.run(command, cwd=folder, env=known, stdout=sys.stderr, check=False).returncode:
                raise UserError(
                    [
                        _problem(
                            f"stage {stage}", "an error, told above", "a run", "correct it, then run again"
                        )
                    ]
                )
        report = msgspec.json.decode((folder / layout.report("evaluate")).read_bytes())
        tokens = msgspec.json.decode((folder / layout.report("train")).read_bytes())["tokens"]
    figure = report["systems"][params["evaluate"]["reference"]]["exact_match"]
    return {"tokens": tokens, "test_rows": report["rows"], **figure}


def _params() -> dict[str, Any]:
    try:
        document: dict[str, Any] = yaml.safe_load(PATH.read_text("utf-8"))
        return document
    except FileNotFoundError:
        raise UserError([_problem(str(PATH), "no such file", "a project", "run it in its root")]) from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        found = str(error).splitlines()[0]
        raise UserError([_problem(str(PATH), found, "parameters in YAML", "correct the file")]) from None


def _train_rows() -> int:
    path = layout.split("train")
    if not path.exists():
        raise UserError([_problem(str(path), "no such file", "the train split", "run `dvc repro split`")])
    import pyarrow.parquet as pq

    return int(pq.ParquetFile(path).metadata.num_rows)


def _problem(path: str, found: str, expected: str, fix: str) -> Diagnostic:
    return Diagnostic(path=path, code="no_curve", found=found, expected=expected, fix=fix)
