from __future__ import annotations

import re

import msgspec
import pytest
import yaml

from stages.train.params import TrainParams
from tests.conftest import SAMPLE

PARAMS = SAMPLE / "params.yaml"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("epochs", 0, "Expected `float` > 0.0 - at `$.shared.epochs`"),
        ("max_grad_norm", -1.0, "Expected `float` > 0.0 - at `$.shared.max_grad_norm`"),
        ("adam_beta2", 1.0, "Expected `float` < 1.0 - at `$.shared.adam_beta2`"),
        ("warmup_share", 1.5, "Expected `float` < 1.0 - at `$.shared.warmup_share`"),
        ("weight_decay", -0.1, "Expected `float` >= 0.0 - at `$.shared.weight_decay`"),
        ("batch_rows", 0, "Expected `int` >= 1 - at `$.shared.batch_rows`"),
        ("checkpoint_every", 0, "Expected `int` >= 1 - at `$.shared.checkpoint_every`"),
        ("max_steps", 0, "Expected `int` >= 1 - at `$.shared.max_steps`"),
        ("validation_rows", -1, "Expected `int` >= 0 - at `$.shared.validation_rows`"),
        ("seed", -1, "Expected `int` >= 0 - at `$.shared.seed`"),
    ],
)
def test_a_value_out_of_bounds_is_named(name: str, value: float, message: str) -> None:
    section = yaml.safe_load(PARAMS.read_bytes())["train"]
    section["shared"][name] = value
    with pytest.raises(msgspec.ValidationError, match=re.escape(message)):
        msgspec.convert(section, TrainParams)


@pytest.mark.parametrize(
    ("recipe", "name", "value", "message"),
    [
        ("lora", "learning_rate", 0, "Expected `float` > 0.0"),
        ("lora", "rank", 0, "Expected `int` >= 1"),
        ("lora", "dropout", 1.0, "Expected `float` < 1.0"),
        ("lora", "layers", 0, "Expected `int` >= 1"),
        ("prompt_tuning", "virtual_tokens", 0, "Expected `int` >= 1"),
        ("freeze", "layers", 0, "Expected `int` >= 1"),
        ("continued", "block_tokens", 1, "Expected `int` >= 2"),
    ],
)
def test_a_value_of_a_recipe_out_of_bounds_is_named(
    recipe: str, name: str, value: float, message: str
) -> None:
    section = yaml.safe_load(PARAMS.read_bytes())["train"]
    section["recipes"] = {"lora": section["recipes"]["lora"], recipe: section["recipes"][recipe]}
    section["recipes"][recipe][name] = value
    with pytest.raises(msgspec.ValidationError, match=re.escape(f"{message} - at `$.recipes[...].{name}`")):
        msgspec.convert(section, TrainParams)
