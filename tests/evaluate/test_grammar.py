from __future__ import annotations

import pytest

from exemplars.dataset.catalog import Parameter, Skill
from exemplars.models.calls import Call, CallFormat, format_calls
from stages.evaluate.grammar import build_call_grammar

xgrammar = pytest.importorskip("xgrammar")

TIMER = Skill("set_timer", parameters=(Parameter("minutes", type="integer"), Parameter("label")))
LIGHT = Skill(
    "light",
    parameters=(
        Parameter("action", enum=("on", "off"), dontcare=True),
        Parameter("dim", type="boolean", dontcare=True),
    ),
)
STOP = Skill("stop")
TOOLS = (TIMER, LIGHT, STOP)


@pytest.fixture(scope="module")
def matches() -> object:
    vocabulary = [bytes([byte]) for byte in range(256)] + ["</s>"]
    info = xgrammar.TokenizerInfo(vocabulary, stop_token_ids=[256])
    compiler = xgrammar.GrammarCompiler(info)

    def match(text: str, form: CallFormat) -> bool:
        compiled = compiler.compile_grammar(xgrammar.Grammar.from_ebnf(build_call_grammar(TOOLS, form)))
        matcher = xgrammar.GrammarMatcher(compiled)
        return bool(matcher.accept_string(text)) and bool(matcher.accept_token(256))

    return match


@pytest.mark.parametrize("form", list(CallFormat))
@pytest.mark.parametrize(
    "call",
    [
        None,
        Call("stop", {}),
        Call("set_timer", {}),
        Call("set_timer", {"minutes": 5}),
        Call("set_timer", {"label": 'the "big" pie, äöü 🥧'}),
        Call("set_timer", {"minutes": -5, "label": "a\\b\n"}),
        Call("light", {"action": "off", "dim": True}),
        Call("light", {"action": "dontcare", "dim": "dontcare"}),
    ],
)
def test_calls_of_the_tools_are_admitted(matches: object, call: Call | None, form: CallFormat) -> None:
    assert matches(format_calls([] if call is None else [call], form), form)  # type: ignore[operator]


@pytest.mark.parametrize(
    "text",
    [
        "none",
        "fly()",
        "set_timer(hours=5)",
        "set_timer(minutes=05)",
        'set_timer(minutes="5")',
        'set_timer(minutes="dontcare")',
        'set_timer(label="x", minutes=5)',
        "set_timer(minutes=5, minutes=6)",
        'light(action="dim")',
        "light(dim=true)",
        "stop(now=True)",
        'set_timer(label="x)',
        "set_timer(minutes=5,)",
        "set_timer(minutes=5) and more",
    ],
)
def test_other_texts_are_not(matches: object, text: str) -> None:
    assert not matches(text, CallFormat.PYTHON)  # type: ignore[operator]
