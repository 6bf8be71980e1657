"""The shell of the stage `validate`: `python -m stages.validate`."""

from __future__ import annotations

import shutil
import sys

import msgspec
import pandas as pd

from stages.core import layout
from stages.core.catalog import decode_catalog
from stages.core.errors import UserError, run_shell
from stages.core.files import write_bytes, write_json
from stages.core.params import load_section
from stages.core.tables import EXEMPLAR_SCHEMA, REJECTION_SCHEMA, exemplars_of, read_table
from stages.validate.checkpoint import run_checkpoint, stable_page
from stages.validate.facts import RowFacts, SkillFacts, SourceFacts, row_facts, skill_facts, source_facts
from stages.validate.params import ValidateParams
from stages.validate.report import validate_report


def main() -> None:
    """Read exemplars and ledger, judge them, write Data Docs and report; fail if a rule is broken."""
    params = load_section("validate", ValidateParams)
    exemplars = read_table(layout.EXEMPLARS, EXEMPLAR_SCHEMA)
    rejections = read_table(layout.rejections_of(layout.EXEMPLARS), REJECTION_SCHEMA)
    skills = {skill.name: skill for skill in decode_catalog(layout.CATALOG.read_bytes())}
    tables = {
        "exemplars": pd.DataFrame(row_facts(exemplars_of(exemplars), skills), columns=RowFacts._fields),
        "skills": pd.DataFrame(skill_facts(exemplars, skills), columns=SkillFacts._fields),
        "sources": pd.DataFrame(source_facts(exemplars, rejections), columns=SourceFacts._fields),
    }
    suites = {name: msgspec.json.decode(layout.expectations(name).read_bytes()) for name in tables}
    shutil.rmtree(layout.DATA_DOCS, ignore_errors=True)
    verdict = run_checkpoint(suites, tables, msgspec.to_builtins(params), layout.DATA_DOCS)
    for page in layout.DATA_DOCS.rglob("*.html"):
        write_bytes(page, stable_page(page.read_text("utf-8")).encode("utf-8"))
    write_json(layout.report("validate"), validate_report(verdict))
    for failure in verdict.failures:
        if not failure.critical:
            print(f"warning: {failure.diagnostic}", file=sys.stderr)
    if broken := [one.diagnostic for one in verdict.failures if one.critical]:
        raise UserError(broken)


if __name__ == "__main__":
    sys.exit(run_shell(main))
