"""Secondary figures: how alike the texts of calls are, whatever they mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exemplars.dataset.embeddings import find_model_folder
from stages.evaluate.metrics import Metric, Sums, ratio

_BERT_LAYERS: Final = 6
"""The layers of all-MiniLM-L6-v2."""
_BLEU_ORDERS: Final = 4
_BLEU_SUMS: Final = ("counts", "totals")
"""As sacrebleu names the n-grams that are right and those that are there."""


def text_columns(predicted: Sequence[str], right: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """What `TEXT_METRICS` need: ROUGE-L and BERTScore (F1) of each row, and the counts that BLEU sums."""
    import sacrebleu
    from rouge_score.rouge_scorer import RougeScorer

    scorer, bleu = RougeScorer(["rougeL"]), sacrebleu.BLEU(effective_order=True)
    pairs = list(zip(predicted, right, strict=True))
    counted = [bleu.sentence_score(text, [target]) for text, target in pairs]
    return {
        "rouge_l": np.array([scorer.score(target, text)["rougeL"].fmeasure for text, target in pairs]),
        "bert_score": _bert_scores(predicted, right),
        "bleu_length": np.array([one.sys_len for one in counted], dtype=np.float64),
        "bleu_right_length": np.array([one.ref_len for one in counted], dtype=np.float64),
        **{
            f"{name}_{order}": np.array([getattr(one, name)[order] for one in counted], dtype=np.float64)
            for name in _BLEU_SUMS
            for order in range(_BLEU_ORDERS)
        },
    }


def _bleu(sums: Sums) -> NDArray[np.float64]:
    """sacrebleu's corpus score of each resample, in [0, 100]."""
    from sacrebleu import BLEU

    correct, total = (
        np.stack([sums[f"{name}_{order}"] for order in range(_BLEU_ORDERS)], axis=1).astype(int)
        for name in _BLEU_SUMS
    )
    lengths = zip(sums["bleu_length"], sums["bleu_right_length"], strict=True)
    return np.array(
        [
            BLEU.compute_bleu(list(one), list(of), int(length), int(right), smooth_method="exp").score
            for one, of, (length, right) in zip(correct, total, lengths, strict=True)
        ]
    )


TEXT_METRICS: Final[dict[str, Metric]] = {
    "rouge_l": lambda one: ratio(one["rouge_l"], one["rows"]),
    "bleu": _bleu,
    "bert_score": lambda one: ratio(one["bert_score"], one["rows"]),
}
"""Mean ROUGE-L F1; BLEU (sacrebleu); mean BERTScore F1 (packaged MiniLM, unscaled)."""


def _bert_scores(predicted: Sequence[str], right: Sequence[str]) -> NDArray[np.float64]:
    from bert_score import BERTScorer

    scorer = BERTScorer(model_type=str(find_model_folder()), num_layers=_BERT_LAYERS, device="cpu")
    _, _, f1 = scorer.score([text or "." for text in predicted], list(right))
    return np.array(f1.numpy(), dtype=np.float64)
