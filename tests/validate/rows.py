"""The exemplar and the catalog that tests of validation share."""

from __future__ import annotations

from exemplars.core.records import Argument, Exemplar, Grounding, Mode, Origin
from exemplars.dataset.catalog import Parameter, Skill

CALL = Skill("call", parameters=(Parameter("who"), Parameter("kind", enum=("home", "work"))))
SKILLS = {"call": CALL}
WHO = Argument("who", "Mum", "mum", 5, 8, Grounding.CASE)
ROW = Exemplar(
    id="s:a#1",
    digest="d" * 64,
    source="s",
    service=None,
    skill="call",
    mode=Mode.NORMAL,
    utterance="call mum at home",
    exemplar="call <who> at home",
    arguments=(WHO,),
    context=(),
    group="s:a",
    license="MIT",
    origin=Origin("a", "0" * 64, "1"),
)
