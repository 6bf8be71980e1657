"""What a grammar admits if texts are copied from the conversation."""

from __future__ import annotations

import pytest

from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.models.calls import CallFormat
from exemplars.models.copying import CopyRules, is_span, learn_copy_rules
from exemplars.models.grammar import Copying, build_call_grammar
from exemplars.models.rows import Answer, Message, TargetCall
from tests.chat_rows import make_training_row

xgrammar = pytest.importorskip("xgrammar")

NOTE = Skill("note", parameters=(Parameter("title"), Parameter("body"), Parameter("tags", type="array")))
RULES = CopyRules(frozenset({("note", "body")}), {("note", "title"): ("shopping",)})
TEXTS = ['remind me of Ada\'s "big" day, at half past 7', "which day?"]


def admits(answer: str, rules: CopyRules = RULES, form: CallFormat = CallFormat.PYTHON) -> bool:
    info = xgrammar.TokenizerInfo([chr(code) for code in range(256)], vocab_type=xgrammar.VocabType.RAW)
    grammar = build_call_grammar([NOTE], form, copying=Copying(rules, TEXTS))
    compiled = xgrammar.GrammarCompiler(info).compile_grammar(xgrammar.Grammar.from_ebnf(grammar))
    matcher = xgrammar.GrammarMatcher(compiled, terminate_without_stop_token=True)
    return bool(matcher.accept_string(answer) and matcher.is_completed())


@pytest.mark.parametrize(
    ("title", "is_admitted"),
    [
        ("Ada", True),
        ("Ada's", True),
        ('Ada\'s \\"big\\" day', True),
        ("half past 7", True),
        ("07:30", True),
        ("dontcare", True),
        ("shopping", True),
        ("day", True),
        ("big day", False),
        ("Ad", False),
        ("7 which", False),
        ("Bob", False),
        ("", False),
    ],
)
def test_a_text_is_a_span_a_reading_or_a_known_value(title: str, is_admitted: bool) -> None:
    assert admits(f'note(title="{title}")') == is_admitted
    assert (
        admits(f'{{"name": "note", "arguments": {{"title": "{title}"}}}}', form=CallFormat.JSON)
        == is_admitted
    )


def test_texts_of_parameters_with_composed_values_are_free() -> None:
    assert admits('note(title="Ada", body="Dear Bob, happy birthday")')
    assert not admits('note(title="Ada", body="Dear Bob")', CopyRules(frozenset(), {}))


def test_a_conversation_of_a_thousand_words_has_a_grammar_of_as_many_rules() -> None:
    text = " ".join(f"word{number}" for number in range(1000))
    grammar = build_call_grammar([NOTE], CallFormat.PYTHON, copying=Copying(RULES, [text]))
    assert 2000 <= grammar.count("::=") < 2100


def test_rules_are_learned_from_what_train_rows_say_and_compose() -> None:
    def make_row(slot: str, value: str, grounding: str) -> object:
        call = TargetCall("note", (Answer(slot, value, (value,), grounding),))
        messages = (Message("system", "note(title)"), Message("user", "note milk"), Message("assistant", ""))
        return make_training_row(calls=(call,), messages=messages)

    rows = [
        make_row("title", "milk", "verbatim"),
        make_row("title", "note(title)", "default"),
        make_row("body", "Dear Bob", "composed"),
        make_row("body", "None", "default"),
        make_row("tags[0]", "dontcare", "dontcare"),
    ]
    assert learn_copy_rules(rows) == CopyRules(  # type: ignore[arg-type]
        frozenset({("note", "body")}),
        {("note", "tags"): ("dontcare",), ("note", "title"): ("note(title)",)},
    )


def test_a_span_begins_and_ends_with_a_word_or_a_sign() -> None:
    text = "at 7:30 pm, Ada"
    assert [
        value for value in ("7:30 pm", "7", ":30", "30  pm", "t 7", " 7", "Ada") if is_span(value, text)
    ] == [*("7:30 pm", "7", ":30", "Ada")]
