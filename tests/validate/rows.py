"""The exemplar and the catalog that tests of validation share."""

from __future__ import annotations

from exemplars.core.records import Argument, Exemplar, Grounding, Mode, Origin, Speaker
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter

CALL = Skill("call", parameters=(Parameter("who"), Parameter("kind", enum=("home", "work"))))
SKILLS = {"call": CALL}
WHO = Argument("who", "Mum", "mum", 5, 8, Grounding.CASE)
ROW = Exemplar(
    id="s:a#1",
    digest="d" * 64,
    source="s",
    turn="s:a#1",
    call=0,
    service=None,
    skill="call",
    mode=Mode.NORMAL,
    speaker=Speaker.USER,
    utterance="call mum at home",
    exemplar="call <who> at home",
    arguments=(WHO,),
    reply=None,
    context=(),
    group="s:a",
    license="MIT",
    origin=Origin("a", "0" * 64, "1"),
)
