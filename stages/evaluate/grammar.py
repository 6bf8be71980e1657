"""The grammar of the calls that tools admit, in xgrammar's EBNF."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from exemplars.core.literals import Literal, parse_literal
from exemplars.core.records import DONTCARE
from exemplars.dataset.catalog import Parameter, Skill
from exemplars.models.calls import NO_CALL, CallFormat, format_value

_COMMON: Final = r"""
string ::= "\"" character* "\""
character ::= [^"\\\x00-\x1f] | "\\" ["\\/bfnrt]
integer ::= "-"? ("0" | [1-9] [0-9]*)
number ::= integer ("." [0-9]+)?
"""
_BOOLEAN: Final = {CallFormat.PYTHON: ("True", "False"), CallFormat.JSON: ("true", "false")}


def call_grammar(tools: Sequence[Skill], form: CallFormat) -> str:
    """A grammar whose texts are exactly: a call of one of the tools, or no call.

    Arguments stand in the order of the catalog, each at most once; listed values are the only ones of
    their parameter, beside `dontcare`; types are held to.
    """
    roots = [_quoted(NO_CALL[form])]
    rules = []
    for number, skill in enumerate(tools):
        roots.append(f"call{number}")
        rules += _skill_rules(number, skill, form)
    true, false = _BOOLEAN[form]
    boolean = f"boolean ::= {_quoted(true)} | {_quoted(false)}"
    return "\n".join([f"root ::= {' | '.join(roots)}", *rules, boolean]) + _COMMON


def _skill_rules(number: int, skill: Skill, form: CallFormat) -> list[str]:
    """Rules `call<n>`, and `rest<n>_<i>`: the arguments from parameter i on, at least one of them."""
    if form == CallFormat.PYTHON:
        opening, closing = f"{skill.name}(", ")"
    else:
        opening, closing = f'{{"name": {json.dumps(skill.name)}, "arguments": {{', "}}"
    some = f" rest{number}_0?" if skill.parameters else ""
    rules = [f"call{number} ::= {_quoted(opening)}{some} {_quoted(closing)}"]
    last = len(skill.parameters) - 1
    for place, one in enumerate(skill.parameters):
        name = f"{one.name}=" if form == CallFormat.PYTHON else f"{json.dumps(one.name)}: "
        argument = f"{_quoted(name)} {_value_rule(one, form)}"
        if place == last:
            rules.append(f"rest{number}_{place} ::= {argument}")
        else:
            follow = f"rest{number}_{place + 1}"
            rules.append(f'rest{number}_{place} ::= {argument} (", " {follow})? | {follow}')
    return rules


def _value_rule(parameter: Parameter, form: CallFormat) -> str:
    if parameter.enum:
        values = [parse_literal(one, parameter.type) for one in parameter.enum]
        texts = [
            format_value(one if isinstance(one, Literal) else str(one), form) for one in (*values, DONTCARE)
        ]
        return f"({' | '.join(_quoted(one) for one in dict.fromkeys(texts))})"
    if parameter.type in ("integer", "number", "boolean"):
        return f"({parameter.type} | {_quoted(format_value(DONTCARE, form))})"
    return "string" if parameter.type == "string" else "(string | number | boolean)"


def _quoted(text: str) -> str:
    """A literal of the grammar."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
