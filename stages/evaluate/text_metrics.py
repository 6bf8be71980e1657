"""Secondary metrics: how similar the texts of calls are, whatever they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exemplars.core.bootstrap import Columns, Metric, Sums, divide_or_nan
from exemplars.dataset.embeddings import find_model_folder
from exemplars.models.rows import TrainingRow
from stages.evaluate.replies import Replies

_BERT_LAYERS: Final = 6
"""The layers of all-MiniLM-L6-v2."""
_BLEU_ORDERS: Final = 4
_BLEU_SUMS: Final = ("counts", "totals")
"""sacrebleu's names of the matching n-grams and of all n-grams."""


def compute_reply_columns(
    replies: Replies, rows: Mapping[str, Sequence[TrainingRow]]
) -> dict[str, dict[str, Columns]]:
    """Compute the text columns of each system, by condition. rows: what they answered, by condition.

    A pair of an answer and a right answer is scored once, whatever system gave it: most systems agree on many turns.
    """
    pairs = {
        condition: {
            system: [
                (reply.text, row.messages[-1].content) for reply, row in zip(answers, asked, strict=True)
            ]
            for system, answers in replies[condition].items()
        }
        for condition, asked in rows.items()
    }
    unique = list(
        dict.fromkeys(pair for systems in pairs.values() for said in systems.values() for pair in said)
    )
    columns = compute_text_columns([text for text, _ in unique], [right for _, right in unique])
    places = {pair: place for place, pair in enumerate(unique)}
    return {
        condition: {
            system: {name: column[[places[pair] for pair in said]] for name, column in columns.items()}
            for system, said in systems.items()
        }
        for condition, systems in pairs.items()
    }


def compute_text_columns(
    predicted: Sequence[str], references: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """Compute the columns that `TEXT_METRICS` need.

    ROUGE-L and BERTScore (F1) of each row, and the counts that BLEU sums.
    """
    import sacrebleu
    from rouge_score.rouge_scorer import RougeScorer

    rouge, bleu = RougeScorer(["rougeL"]), sacrebleu.BLEU(effective_order=True)
    pairs = list(zip(predicted, references, strict=True))
    counted = [bleu.sentence_score(text, [reference]) for text, reference in pairs]
    return {
        "rouge_l": np.array([rouge.score(reference, text)["rougeL"].fmeasure for text, reference in pairs]),
        "bert_score": _compute_bert_scores(predicted, references),
        "bleu_length": np.array([score.sys_len for score in counted], dtype=np.float64),
        "bleu_reference_length": np.array([score.ref_len for score in counted], dtype=np.float64),
        **{
            f"{name}_{order}": np.array([getattr(score, name)[order] for score in counted], dtype=np.float64)
            for name in _BLEU_SUMS
            for order in range(_BLEU_ORDERS)
        },
    }


def _compute_bleu(sums: Sums) -> NDArray[np.float64]:
    """Compute sacrebleu's corpus score of each resample, in [0, 100]."""
    from sacrebleu import BLEU

    matching, total = (
        np.stack([sums[f"{name}_{order}"] for order in range(_BLEU_ORDERS)], axis=1).astype(int)
        for name in _BLEU_SUMS
    )
    lengths = zip(sums["bleu_length"], sums["bleu_reference_length"], strict=True)
    return np.array(
        [
            BLEU.compute_bleu(
                list(matches), list(ngrams), int(length), int(reference), smooth_method="exp"
            ).score
            for matches, ngrams, (length, reference) in zip(matching, total, lengths, strict=True)
        ]
    )


TEXT_METRICS: Final[dict[str, Metric]] = {
    "rouge_l": lambda sums: divide_or_nan(sums["rouge_l"], sums["rows"]),
    "bleu": _compute_bleu,
    "bert_score": lambda sums: divide_or_nan(sums["bert_score"], sums["rows"]),
}
"""Mean ROUGE-L F1; BLEU (sacrebleu); mean BERTScore F1 (packaged MiniLM, unscaled)."""


def _compute_bert_scores(predicted: Sequence[str], references: Sequence[str]) -> NDArray[np.float64]:
    from bert_score import BERTScorer

    scorer = BERTScorer(model_type=str(find_model_folder()), num_layers=_BERT_LAYERS, device="cpu")
    # BERTScore has no score for an empty text.
    _, _, f1 = scorer.score([text or "." for text in predicted], list(references))
    return np.array(f1.numpy(), dtype=np.float64)
