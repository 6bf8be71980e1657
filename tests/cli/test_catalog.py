"""`exemplars catalog diff` on a real repository with a history and a cache."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from exemplars.core import layout
from exemplars.dataset.catalog import Skill, encode_catalog
from exemplars.dataset.parameters import Parameter
from tests.cli.project import Project, exemplar, said

Printed = Callable[..., str]
CALL = Skill("call", "Calls somebody.", (Parameter("who"),))


@pytest.fixture
def committed(project: Project) -> Project:
    """Seven examples of `call(who)`, committed; in the workspace, the parameter is `contact`."""
    rows = [exemplar(f"skills:call.md#{line}", f"call A{line}", said(f"A{line}")) for line in range(1, 8)]
    project.compiled(train=rows)
    project.write(layout.CATALOG.as_posix(), encode_catalog([CALL]))
    project.commit("first")
    changed = Skill("call", "Calls somebody.", (Parameter("contact", required=True),))
    project.write(layout.CATALOG.as_posix(), encode_catalog([changed]))
    return project


def test_examples_that_no_longer_fit_are_listed(committed: Project, printed: Printed) -> None:
    assert printed("catalog", "diff").splitlines() == [
        "call.who: parameter removed",
        "  data/raw/skills/call.md:1",
        "  data/raw/skills/call.md:2",
        "  data/raw/skills/call.md:3",
        "  data/raw/skills/call.md:4",
        "  data/raw/skills/call.md:5",
        "  … and 2 more examples",
        "call.contact: parameter added (required)",
        "  data/raw/skills/call.md:1",
        "  data/raw/skills/call.md:2",
        "  data/raw/skills/call.md:3",
        "  data/raw/skills/call.md:4",
        "  data/raw/skills/call.md:5",
        "  … and 2 more examples",
        "2 changes; 7 examples no longer fit: correct them, or `exemplars rename` the skill or parameter",
    ]


def test_programs_get_every_place_and_the_status(committed: Project, printed: Printed) -> None:
    changes = json.loads(printed("catalog", "diff", "--format", "json", "--exit-code", status=1))
    assert [(change["kind"], change["parameter"], len(change["places"])) for change in changes] == [
        ("parameter removed", "who", 7),
        ("parameter added", "contact", 7),
    ]


def test_equal_catalogs_are_said_to_be_the_same(committed: Project, printed: Printed) -> None:
    assert printed("catalog", "diff", "HEAD", "HEAD", "--exit-code") == "the catalogs are the same\n"


def test_an_unknown_revision_is_one_sentence(committed: Project, printed: Printed) -> None:
    assert "v9" in printed("catalog", "diff", "v9", status=1)
