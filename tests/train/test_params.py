from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import yaml

from stages.train.params import TrainParams

PARAMS = Path(__file__).parents[2] / "params.yaml"


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("epochs", 0, "Expected epochs above 0, got 0"),
        ("max_grad_norm", -1.0, "Expected max_grad_norm above 0, got -1"),
        ("adam_beta2", 1.0, "Expected adam_beta2 from 0 to below 1, got 1"),
        ("warmup_share", 1.5, "Expected warmup_share from 0 to below 1, got 1.5"),
        ("weight_decay", -0.1, "Expected weight_decay from 0 to below inf, got -0.1"),
        ("batch_rows", 0, "Expected batch_rows of at least 1, got 0"),
        ("checkpoint_every", 0, "Expected checkpoint_every of at least 1, got 0"),
        ("max_steps", 0, "Expected max_steps of at least 1, got 0"),
        ("validation_rows", -1, "Expected validation_rows of at least 0, got -1"),
    ],
)
def test_a_bound_that_is_broken_is_named(name: str, value: float, found: str) -> None:
    section = yaml.safe_load(PARAMS.read_bytes())["train"]
    section["shared"][name] = value
    with pytest.raises(msgspec.ValidationError, match=found):
        msgspec.convert(section, TrainParams)
