"""How similar texts are, against the libraries' own figures over all rows."""

from __future__ import annotations

import pytest
import sacrebleu

from exemplars.core.bootstrap import Resamples
from exemplars.models.rows import Message
from stages.evaluate.replies import Reply
from stages.evaluate.text_metrics import TEXT_METRICS, compute_reply_columns, compute_text_columns
from tests.chat_rows import make_training_row

RIGHT = ['call(contact="Ada")', 'weather(location="Boston", day="Sunday")', "None"]
SAID = ['call(contact="Ada")', 'weather(location="Austin")', ""]


def test_texts_that_are_right_score_all() -> None:
    figures = Resamples(list("abc"), 50, 1).compute_figures(
        compute_text_columns(RIGHT, RIGHT), range(3), TEXT_METRICS
    )
    assert figures["rouge_l"] == (1.0, 1.0, 1.0)
    assert figures["bleu"].value == pytest.approx(100)
    assert figures["bert_score"].value == pytest.approx(1, abs=1e-5)


def test_bleu_is_that_of_the_corpus_and_the_others_are_means() -> None:
    figures = Resamples(list("abc"), 200, 1).compute_figures(
        compute_text_columns(SAID, RIGHT), range(3), TEXT_METRICS
    )
    assert figures["bleu"].value == pytest.approx(sacrebleu.corpus_bleu(SAID, [RIGHT]).score)
    # Words: call contact ada: 3 of 3; weather location (boston / austin) (day sunday): 2 of 3 and of 5.
    assert figures["rouge_l"].value == pytest.approx((1 + 2 * 2 / 8 + 0) / 3)
    assert figures["rouge_l"].low == 0.0
    assert figures["rouge_l"].high == 1.0


def test_each_system_has_the_columns_of_its_own_answers_under_each_condition() -> None:
    rows = [make_training_row(messages=(Message("assistant", right),)) for right in RIGHT]
    replies = {
        "oracle": {"knn": [Reply(text) for text in SAID], "lora": [Reply(text) for text in RIGHT]},
        "end_to_end": {"lora": [Reply(text) for text in reversed(SAID)]},
    }
    columns = compute_reply_columns(replies, {"oracle": rows, "end_to_end": rows})
    for condition, systems in replies.items():
        for name, answers in systems.items():
            expected = compute_text_columns([reply.text for reply in answers], RIGHT)
            for column, values in columns[condition][name].items():
                assert values == pytest.approx(expected[column], abs=1e-4)
