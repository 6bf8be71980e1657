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


def build_call_grammar(tools: Sequence[Skill], form: CallFormat) -> str:
    """Build a grammar whose texts are exactly: a call of one of the tools, or no call.

    Arguments are in the order of the catalog, each at most once. A parameter with listed values takes only
    these, others any value of their type; `dontcare` is a value where the tool says so.
    """
    roots = [_quote(NO_CALL[form])]
    rules = []
    for number, skill in enumerate(tools):
        roots.append(f"call{number}")
        rules += _build_skill_rules(number, skill, form)
    true, false = _BOOLEAN[form]
    boolean = f"boolean ::= {_quote(true)} | {_quote(false)}"
    return "\n".join([f"root ::= {' | '.join(roots)}", *rules, boolean]) + _COMMON


def _build_skill_rules(number: int, skill: Skill, form: CallFormat) -> list[str]:
    """Build the rules `call<n>`, and `rest<n>_<i>`: at least one argument, from parameter i on."""
    if form == CallFormat.PYTHON:
        opening, closing = f"{skill.name}(", ")"
    else:
        opening, closing = f'{{"name": {json.dumps(skill.name)}, "arguments": {{', "}}"
    arguments = f" rest{number}_0?" if skill.parameters else ""
    rules = [f"call{number} ::= {_quote(opening)}{arguments} {_quote(closing)}"]
    last = len(skill.parameters) - 1
    for place, parameter in enumerate(skill.parameters):
        name = f"{parameter.name}=" if form == CallFormat.PYTHON else f"{json.dumps(parameter.name)}: "
        argument = f"{_quote(name)} {_build_value_rule(parameter, form)}"
        if place == last:
            rules.append(f"rest{number}_{place} ::= {argument}")
        else:
            rest = f"rest{number}_{place + 1}"
            rules.append(f'rest{number}_{place} ::= {argument} (", " {rest})? | {rest}')
    return rules


def _build_value_rule(parameter: Parameter, form: CallFormat) -> str:
    dontcare = (DONTCARE,) if parameter.dontcare else ()
    if parameter.enum:
        values = [parse_literal(text, parameter.type) for text in parameter.enum]
        texts = [
            format_value(value if isinstance(value, Literal) else str(value), form)
            for value in (*values, *dontcare)
        ]
        return f"({' | '.join(_quote(text) for text in dict.fromkeys(texts))})"
    if parameter.type in ("integer", "number", "boolean"):
        return f"({' | '.join((parameter.type, *(_quote(format_value(value, form)) for value in dontcare)))})"
    return "string" if parameter.type == "string" else "(string | number | boolean)"


def _quote(text: str) -> str:
    """Quote a text as a literal of the grammar."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
