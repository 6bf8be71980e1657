"""Secondary figures: how alike the texts of calls are, whatever they mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from stages.core.embeddings import model_folder

_BERT_LAYERS: Final = 6
"""The layers of all-MiniLM-L6-v2."""


def text_figures(predicted: Sequence[str], right: Sequence[str]) -> dict[str, float]:
    """ROUGE-L (mean F1), BLEU (sacrebleu, in [0, 100]) and BERTScore (mean F1, packaged MiniLM, unscaled)."""
    import sacrebleu
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"])
    pairs = list(zip(predicted, right, strict=True))
    rouge = [scorer.score(target, text)["rougeL"].fmeasure for text, target in pairs]
    return {
        "rouge_l": round(sum(rouge) / len(rouge), 4),
        "bleu": round(sacrebleu.corpus_bleu(list(predicted), [list(right)]).score, 2),
        "bert_score": round(_bert_score(predicted, right), 4),
    }


def _bert_score(predicted: Sequence[str], right: Sequence[str]) -> float:
    from bert_score import BERTScorer

    scorer = BERTScorer(model_type=str(model_folder()), num_layers=_BERT_LAYERS, device="cpu")
    _, _, f1 = scorer.score([text or "." for text in predicted], list(right))
    return float(f1.mean())
