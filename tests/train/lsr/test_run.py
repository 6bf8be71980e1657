"""A run of the recipe `lsr` with tiny models: what is trained, what is not, and what is kept."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exemplars.core.errors import UserError
from exemplars.core.files import hash_file
from exemplars.core.schemas import derive_schema
from exemplars.core.tables import read_table, rows_from_table
from exemplars.models.base_models import FolderBase, find_base, load_tokenizer
from exemplars.models.questions import Question
from exemplars.models.turns import collect_turns
from stages.train.lsr.questions import CandidateScore, PromptWriter, sample_turns
from stages.train.recipe_params import Direction
from stages.train.rows import IGNORED
from tests.models.tagger.rows import ROWS, SKILLS, make_row
from tests.tiny import save_tiny
from tests.train.lsr.trained import train_tiny

pytest.importorskip("sentence_transformers")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("direction", list(Direction))
def test_the_encoder_of_questions_learns_and_nothing_else_changes(
    project: Path, direction: Direction
) -> None:
    from safetensors.torch import load_file

    from exemplars.models.retriever.retriever import load_retriever

    save_tiny(project / "generator")
    generator = hash_file(project / "generator/model.safetensors")
    trained, folder = train_tiny(direction=direction, generator_temperature=0.01)
    losses = trained.manifest.losses
    assert losses["loss_after"] < 0.9 * losses["loss_before"]
    assert hash_file(project / "generator/model.safetensors") == generator
    before = load_file(project / "encoder/model.safetensors")
    documents = load_file(folder / "weights/documents.safetensors")
    questions = load_file(folder / "weights/model.safetensors")
    assert all((documents[f"0.model.{name}"] == weights).all() for name, weights in before.items())
    changed = {name for name, weights in before.items() if not (questions[name] == weights).all()}
    assert "embeddings.word_embeddings.weight" in changed
    assert any(name.startswith("encoder.layer.0.") for name in changed)
    retriever = load_retriever(folder, SKILLS)
    texts = [entry.text for entry in retriever.index.entries]
    # The index is that of the encoder that was not trained, and so are texts that are added to it.
    assert np.allclose(retriever.encode_documents(texts), retriever.index.vectors, atol=1e-5)
    assert not np.allclose(
        retriever.encode_questions([Question(text) for text in texts]), retriever.index.vectors, atol=1e-2
    )


def test_the_scores_are_kept_and_a_killed_training_goes_on_from_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from stages.train.lsr import likelihoods
    from stages.train.retriever import training

    whole, folder = train_tiny()
    expected = {path.name: hash_file(path) for path in (folder / "weights").iterdir() if path.is_file()}
    table = read_table(folder / "weights/lsr.parquet", derive_schema(CandidateScore))
    scores = rows_from_table(table, CandidateScore)
    called = {row.digest for row in ROWS if row.skill}
    assert {score.digest for score in scores} == called
    assert [score.rank for score in scores] == [1, 2, 3] * len(called)
    assert all(score.log_likelihood < 0 and score.candidate != score.digest for score in scores)
    assert all(first.similarity >= second.similarity for first, second in pairwise(scores) if second.rank > 1)
    take_step = training.PlannedTrainer.training_step

    def die(self: Any, *arguments: Any, **options: Any) -> Any:
        if self.state.global_step == 3:
            raise KeyboardInterrupt
        return take_step(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(training.PlannedTrainer, "training_step", die)
        with pytest.raises(KeyboardInterrupt):
            train_tiny()
    monkeypatch.setattr(likelihoods, "measure_likelihoods", None)  # The generator is not asked again.
    resumed, folder = train_tiny()
    assert resumed.manifest.resumed_from == 2
    assert {
        path.name: hash_file(path) for path in (folder / "weights").iterdir() if path.is_file()
    } == expected
    assert resumed.manifest.losses == whole.manifest.losses
    report = json.loads(Path("reports/details/train/lsr.json").read_bytes())
    assert (report["questions"], report["candidates"]) == (7, 3)
    assert set(report["retrieval"]["all"]) == {"rows", "bm25", "before", "examples", "descriptions", "fused"}


def test_a_prompt_has_one_example_and_the_likelihood_is_that_of_the_answer_alone() -> None:
    import torch

    from exemplars.models.base_models import load_model
    from stages.train.lsr.likelihoods import measure_likelihoods

    files = find_base(FolderBase(path=str(save_tiny(Path("generator"))), license="MIT"))
    tokenizer = load_tokenizer(files)
    writer = PromptWriter(tokenizer, {skill.name: skill for skill in SKILLS}, ROWS)
    (turn,) = collect_turns([ROWS[0]])
    rows = list(writer.write(turn, [ROWS[3].digest, ROWS[7].digest]))
    texts = [tokenizer.decode(row.input_ids) for row in rows]
    assert texts[0] == (
        "<|system|>Call one tool, or answer None.\ncall(contact, device=home|work)\n"
        "set_timer(minutes:int, label)</s><|user|>set a timer for ten minutes</s>"
        '<|assistant|>set_timer(minutes=10)</s><|user|>ring mum</s><|assistant|>call(contact="mum")'
    )
    assert "<|user|>no thanks</s><|assistant|>None</s><|user|>ring mum</s>" in texts[1]
    answer = [token for token in rows[0].labels if token != IGNORED]
    assert tokenizer.decode(answer) == 'call(contact="mum")'
    model = load_model(files, dtype="float32").eval()
    with torch.inference_mode():
        logits = model(torch.tensor([rows[0].input_ids])).logits[0].log_softmax(-1)
    places = range(len(rows[0].input_ids) - len(answer), len(rows[0].input_ids))
    alone = sum(float(logits[place - 1, rows[0].input_ids[place]]) for place in places) / len(answer)
    assert measure_likelihoods(model, rows, tokenizer.eos_token_id)[0] == pytest.approx(alone, abs=1e-3)


def test_a_smaller_sample_of_turns_is_part_of_a_larger_one() -> None:
    samples = [{turn.id for turn in sample_turns(ROWS, count)} for count in (2, 4, 100)]
    assert [len(sample) for sample in samples] == [2, 4, 7]
    assert samples[0] < samples[1] < samples[2]


def test_without_examples_of_other_groups_nothing_is_learned() -> None:
    with pytest.raises(
        UserError, match=r"found a turn with 1 example\(s\) of other groups, expected at least 2"
    ):
        train_tiny(rows=[ROWS[0], make_row("no", None)])
