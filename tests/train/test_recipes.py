"""Each recipe on a tiny model: only its parameters change, the loss falls, and the run loads again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exemplars.core.errors import UserError
from exemplars.models.base_models import FolderBase, find_base, load_model, load_tokenizer
from exemplars.models.chat_templates import encode_text
from stages.train.params import Batching, Precision, Schedule, Shared
from stages.train.recipe_params import Adapter, Continued, Freeze, Full, Lora, PromptTuning, Recipe
from stages.train.recipes import count_parameters, prepare_model
from stages.train.rows import TokenRow
from tests.tiny import save_tiny

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

SHARED = Shared(
    epochs=1,
    batch_rows=4,
    warmup_share=0.0,
    schedule=Schedule.CONSTANT,
    weight_decay=0.0,
    max_grad_norm=1.0,
    adam_beta2=0.95,
    precision=Precision.FP32,
    batching=Batching.SHARED_PREFIX,
    seed=1,
    log_every=1,
    checkpoint_every=1000,
    validation_rows=2,
    max_steps=12,
)
CALLS = ['call(contact="mum")</s>', "set_timer(minutes=10)</s>", 'weather(location="Oslo")</s>', "None</s>"]
ASKED = ["ring mum", "ten minutes please", "what is the weather in Oslo tomorrow", "no thanks"]
RECIPES: dict[str, tuple[Recipe, str]] = {
    "full": (Full(learning_rate=3e-3), r".*"),
    "lora": (Lora(learning_rate=1e-2, rank=4, alpha=8), r".*lora_[AB].*"),
    "lora_last": (Lora(learning_rate=1e-2, rank=4, alpha=8, layers=1), r".*layers\.2\..*lora_[AB].*"),
    "dora": (Lora(learning_rate=1e-2, rank=4, alpha=8, dora=True), r".*lora_(A|B|magnitude).*"),
    "prompt_tuning": (PromptTuning(learning_rate=3e-1, virtual_tokens=4), r"prompt_encoder.*"),
    "adapter": (Adapter(learning_rate=1e-1), r".*ia3_l.*"),
    "freeze": (Freeze(learning_rate=3e-3, layers=1), r"model\.(layers\.2\..*|norm\..*)"),
    "continued": (Continued(learning_rate=3e-3, text="t", license="MIT", block_tokens=32), r".*"),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("base"))


def loaded(base: Path) -> tuple[Any, Any]:
    files = find_base(FolderBase(path=str(base), license="MIT"))
    return load_model(files, dtype="float32"), load_tokenizer(files)


def tokenize_rows(tokenizer: Any) -> list[TokenRow]:
    rows = []
    for asked, call in zip(ASKED, CALLS, strict=True):
        prompt, answer = (
            encode_text(tokenizer, f"<|user|>{asked}</s><|assistant|>"),
            encode_text(tokenizer, call),
        )
        rows.append(TokenRow(prompt + answer, [-100] * len(prompt) + answer, ""))
    return rows


def fitted(
    model: Any, tokenizer: Any, recipe: Recipe, folder: Path, shared: Shared = SHARED
) -> tuple[Any, list[float]]:
    from stages.train.run import adjust_batching, set_seeds
    from stages.train.training import fit

    losses: list[float] = []
    set_seeds(shared.seed)
    rows = tokenize_rows(tokenizer)
    done = fit(
        prepare_model(model, recipe),
        tokenizer,
        rows,
        rows[:2],
        adjust_batching(recipe, shared),
        recipe.learning_rate,
        folder,
        lambda step, found: losses.append(found["loss"]) if "loss" in found else None,
    )
    return done, losses


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_trains_its_parameters_alone_and_the_loss_falls(name: str, base: Path, tmp_path: Path) -> None:
    import re

    recipe, pattern = RECIPES[name]
    model, tokenizer = loaded(base)
    from stages.train.run import set_seeds

    set_seeds(SHARED.seed)
    twin = prepare_model(loaded(base)[0], recipe)
    before = {key: value.detach().clone() for key, value in twin.named_parameters()}
    done, losses = fitted(model, tokenizer, recipe, tmp_path / "c")
    changed = {key for key, value in done.model.named_parameters() if not torch.equal(value, before[key])}
    expected = {key for key in before if re.fullmatch(pattern, key)}
    assert changed == expected
    assert expected
    assert losses[-1] < losses[0]
    assert (done.steps, done.resumed_from) == (12, None)
    assert done.tokens > 12 * sum(label != -100 for row in tokenize_rows(tokenizer) for label in row.labels)


@pytest.mark.parametrize("name", ["full", "freeze", "continued"])
def test_whole_model_is_saved_and_loaded_with_the_same_logits(name: str, base: Path, tmp_path: Path) -> None:
    model, tokenizer = loaded(base)
    done, _ = fitted(model, tokenizer, RECIPES[name][0], tmp_path / "c")
    ids = torch.tensor([encode_text(tokenizer, "<|user|>ring mum</s>")])
    done.model.eval().save_pretrained(str(tmp_path / "saved"))
    tokenizer.save_pretrained(str(tmp_path / "saved"))
    again = loaded(tmp_path / "saved")[0].eval()
    with torch.inference_mode():
        assert torch.equal(done.model(input_ids=ids).logits, again(input_ids=ids).logits)


@pytest.mark.parametrize("avx512bf16", [False, True])
def test_a_base_in_four_bits_stays_as_it_is_and_its_adapters_learn(
    avx512bf16: bool, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("bitsandbytes")
    monkeypatch.setattr("bitsandbytes.nn.modules.has_avx512bf16", lambda: avx512bf16)
    monkeypatch.setattr("stages.train.training.supports_bf16", lambda: avx512bf16)
    from stages.train.run import load_base

    recipe = Lora(learning_rate=1e-2, rank=4, alpha=8, quantized=True)
    files = find_base(FolderBase(path=str(base), license="MIT"))
    model = load_base(files, recipe, SHARED)
    kept = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    assert any(weight.dtype == torch.uint8 for weight in kept.values())
    shared = msgspec.structs.replace(SHARED, precision=Precision.AUTO)
    done, losses = fitted(model, load_tokenizer(files), recipe, tmp_path, shared)
    assert done.precision.chosen == Precision.FP32
    assert losses[-1] < losses[0]
    trained = {name for name, parameter in done.model.named_parameters() if parameter.requires_grad}
    assert trained == {name for name, _ in done.model.named_parameters() if ".lora_" in name}
    for name, parameter in done.model.named_parameters():
        if ".lora_" not in name:
            plain = name.removeprefix("base_model.model.").replace(".base_layer", "")
            assert torch.equal(parameter, kept[plain]), name


@pytest.mark.parametrize("name", ["lora", "dora", "adapter", "prompt_tuning"])
def test_adapter_is_saved_and_loaded_with_the_same_logits(name: str, base: Path, tmp_path: Path) -> None:
    from peft import PeftModel

    model, tokenizer = loaded(base)
    done, _ = fitted(model, tokenizer, RECIPES[name][0], tmp_path / "c")
    ids = torch.tensor([encode_text(tokenizer, "<|user|>ring mum</s>")])
    done.model.eval()
    done.model.save_pretrained(str(tmp_path / "saved"))
    again = PeftModel.from_pretrained(loaded(base)[0], str(tmp_path / "saved")).eval()
    with torch.inference_mode():
        assert torch.equal(done.model(input_ids=ids).logits, again(input_ids=ids).logits)


def test_loss_is_the_mean_over_supervised_tokens_alone(base: Path, tmp_path: Path) -> None:
    model, tokenizer = loaded(base)
    rows = tokenize_rows(tokenizer)
    total = count = 0.0
    for row in rows:
        ids, labels = torch.tensor([row.input_ids]), torch.tensor(row.labels[1:])
        with torch.inference_mode():
            logits = model(input_ids=ids).logits[0, :-1]
        total += float(torch.nn.functional.cross_entropy(logits, labels, reduction="sum", ignore_index=-100))
        count += sum(label != -100 for label in row.labels)
    one_step = msgspec.structs.replace(SHARED, max_steps=1)
    _, losses = fitted(model, tokenizer, Full(learning_rate=1e-9), tmp_path / "c", one_step)
    assert losses == pytest.approx([total / count], rel=1e-4)


@pytest.mark.parametrize(
    "batching", [batching for batching in Batching if batching != Batching.SHARED_PREFIX]
)
def test_every_batching_computes_the_loss_of_the_rows_one_by_one(
    batching: Batching, base: Path, tmp_path: Path
) -> None:
    shared = msgspec.structs.replace(SHARED, max_steps=1)
    _, right = fitted(*loaded(base), RECIPES["lora"][0], tmp_path / "shared", shared)
    other = msgspec.structs.replace(shared, batching=batching)
    _, found = fitted(*loaded(base), RECIPES["lora"][0], tmp_path / "other", other)
    assert found == pytest.approx(right, rel=1e-5)


def test_a_pack_holds_about_the_rows_of_a_step(base: Path, tmp_path: Path) -> None:
    from stages.train.training import fit

    model, tokenizer = loaded(base)
    rows = [tokenize_rows(tokenizer)[0]] * 8
    shared = msgspec.structs.replace(SHARED, max_steps=None, batching=Batching.PACKING, validation_rows=0)
    done = fit(model, tokenizer, rows, [], shared, 1e-3, tmp_path, lambda step, found: None)
    assert (done.steps, done.tokens) == (2, sum(len(row.input_ids) for row in rows))


@pytest.mark.parametrize("batching", [Batching.SHARED_PREFIX, Batching.PACKING])
def test_prompt_tuning_neither_packs_rows_nor_shares_prefixes(batching: Batching) -> None:
    from stages.train.run import adjust_batching

    shared = msgspec.structs.replace(SHARED, batching=batching)
    assert adjust_batching(RECIPES["prompt_tuning"][0], shared).batching == Batching.GROUP_BY_LENGTH
    assert adjust_batching(RECIPES["lora"][0], shared).batching == batching


def test_packing_cuts_no_row_however_long(base: Path, tmp_path: Path) -> None:
    model, tokenizer = loaded(base)
    (row, *_) = tokenize_rows(tokenizer)
    long = TokenRow(row.input_ids[:1] * 1200 + row.input_ids, [-100] * 1200 + row.labels, "")
    from stages.train.training import fit

    shared = msgspec.structs.replace(SHARED, max_steps=1, batching=Batching.PACKING, validation_rows=0)
    done = fit(model, tokenizer, [long], [], shared, 1e-3, tmp_path, lambda step, found: None)
    assert done.tokens == len(long.input_ids)


def test_same_rows_and_seed_give_the_same_weights(base: Path, tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        done, _ = fitted(*loaded(base), RECIPES["lora"][0], tmp_path / name)
        found.append({key: value.detach().clone() for key, value in done.model.named_parameters()})
    assert all(torch.equal(value, found[1][key]) for key, value in found[0].items())


# What peft says at each checkpoint where it knows a base by a name that is no folder.
@pytest.mark.filterwarnings("error:Could not find a config file")
@pytest.mark.parametrize("log_every", [1, 5])
def test_killed_training_goes_on_and_ends_with_the_same_weights(
    log_every: int, base: Path, tmp_path: Path
) -> None:
    class Killed(RuntimeError):
        pass

    # With `log_every: 5`, the last two of twelve steps come after the last logged loss.
    shared = msgspec.structs.replace(SHARED, checkpoint_every=5, log_every=log_every)
    whole, losses = fitted(*loaded(base), RECIPES["lora"][0], tmp_path / "whole", shared)

    from stages.train.run import set_seeds
    from stages.train.training import fit

    model, tokenizer = loaded(base)
    recipe = RECIPES["lora"][0]

    def kill(step: int, found: object) -> None:
        if step >= 8:
            raise Killed

    set_seeds(shared.seed)
    rows = tokenize_rows(tokenizer)
    with pytest.raises(Killed):
        fit(prepare_model(model, recipe), tokenizer, rows, rows[:2], shared, 1e-2, tmp_path / "cut", kill)
    before = json.loads((tmp_path / "cut" / "checkpoint-5" / "notes.json").read_bytes())["seconds"]
    assert before > 0
    # A checkpoint that was being written when the power went has no state yet, and is passed over.
    (tmp_path / "cut" / "checkpoint-8").mkdir()
    resumed, resumed_losses = fitted(*loaded(base), recipe, tmp_path / "cut", shared)
    assert resumed.resumed_from == 5
    assert resumed.steps == 12
    assert resumed_losses == pytest.approx(losses, rel=1e-5)
    assert resumed.losses == pytest.approx(whole.losses, rel=1e-4)
    assert resumed.seconds > before
    theirs = dict(resumed.model.named_parameters())
    assert all(torch.allclose(value, theirs[key]) for key, value in whole.model.named_parameters())


def test_more_layers_than_the_model_has_are_an_error(base: Path) -> None:
    with pytest.raises(
        UserError, match=r"layers: 9, for a model with 3 layers, expected a number from 1 to 3"
    ):
        prepare_model(loaded(base)[0], Freeze(learning_rate=1e-3, layers=9))


def test_counts_of_parameters(base: Path) -> None:
    model = prepare_model(loaded(base)[0], Freeze(learning_rate=1e-3, layers=1))
    counts = count_parameters(model)
    assert counts.trained == sum(weight.numel() for weight in model.model.layers[2].parameters()) + 32
    assert counts.all > counts.trained
