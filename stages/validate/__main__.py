"""The shell of the stage `validate`: `python -m stages.validate`."""

from __future__ import annotations

import shutil
import sys

import msgspec
import pandas as pd

from exemplars.core import layout
from exemplars.core.errors import UserError, run_main
from exemplars.core.files import write_bytes, write_json
from exemplars.core.params import load_section
from stages.validate.checkpoint import run_checkpoint, stable_page
from stages.validate.inputs import facts_of, read_inputs
from stages.validate.params import ValidateParams
from stages.validate.report import validate_report

DATA_DOCS = layout.REPORTS / "data_docs"


def main() -> None:
    """Read what the stages before made, judge it, write Data Docs and report; fail if a rule is broken."""
    params = load_section("validate", ValidateParams)
    facts = facts_of(read_inputs(), params)
    tables = {name: pd.DataFrame(rows, columns=type_._fields) for name, (type_, rows) in facts.items()}
    suites = {name: msgspec.json.decode(layout.expectations(name).read_bytes()) for name in tables}
    shutil.rmtree(DATA_DOCS, ignore_errors=True)
    verdict = run_checkpoint(suites, tables, msgspec.to_builtins(params), DATA_DOCS)
    for page in DATA_DOCS.rglob("*.html"):
        write_bytes(page, stable_page(page.read_text("utf-8")).encode("utf-8"))
    write_json(layout.report("validate"), validate_report(verdict))
    for failure in verdict.failures:
        if not failure.critical:
            print(f"warning: {failure.diagnostic}", file=sys.stderr)
    if broken := [one.diagnostic for one in verdict.failures if one.critical]:
        raise UserError(broken)


if __name__ == "__main__":
    sys.exit(run_main(main))
