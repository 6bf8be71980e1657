"""Shapes come from headers, for the models that the tests and the default project have."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from exemplars.models.base_models import FolderBase
from stages.render.params import RenderParams
from stages.train.estimate.model_shape import measure_shape
from stages.train.estimate.weight_headers import list_weight_files, read_shapes
from stages.train.recipe_params import MINILM
from tests.tiny import save_tiny, save_tiny_encoder


def test_the_shape_of_the_default_models_is_read_from_gguf_and_safetensors() -> None:
    language_model = measure_shape(read_shapes(list_weight_files(RenderParams().base)))
    encoder = measure_shape(read_shapes(list_weight_files(MINILM)))
    assert language_model is not None
    assert encoder is not None
    assert language_model.parameters == 134_515_008
    assert (len(language_model.layers), language_model.hidden, language_model.vocabulary) == (30, 576, 49_152)
    assert (language_model.wide, language_model.is_gated, language_model.has_output) == (1536, True, False)
    assert encoder.parameters == 22_713_728
    assert (len(encoder.layers), encoder.hidden, encoder.wide, encoder.is_gated) == (6, 384, 1536, False)
    assert encoder.layers[0].weights == 4 * 384 * 384 + 2 * 384 * 1536


@pytest.mark.parametrize("save", [save_tiny, save_tiny_encoder])
def test_the_parameters_in_a_header_are_those_of_the_model(save: object, tmp_path: Path) -> None:
    from transformers import AutoModel

    folder = save(tmp_path / "base")  # type: ignore[operator]
    shape = measure_shape(read_shapes(list_weight_files(FolderBase(str(folder), "MIT"))))
    assert shape is not None
    assert shape.parameters == AutoModel.from_pretrained(folder).num_parameters()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x05\x00\x00",
        struct.pack("<Q", 2**62),
        struct.pack("<Q", 9) + b'{"a": 1}',
        struct.pack("<Q", 8) + b'{"a": 1}',
        struct.pack("<Q", 2) + b"[]",
    ],
)
@pytest.mark.parametrize("suffix", ["safetensors", "gguf"])
def test_a_damaged_header_has_no_shapes(content: bytes, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"model.{suffix}"
    path.write_bytes((b"GGUF" if suffix == "gguf" else b"") + content)
    assert read_shapes([path]) == {}
    assert read_shapes([tmp_path / "missing.gguf"]) == {}


def test_what_is_no_transformer_has_no_shape() -> None:
    assert measure_shape({}) is None
    assert measure_shape({"model.embed_tokens.weight": (10, 4)}) is None
    assert measure_shape({"features.0.weight": (10, 4), "features.1.weight": (10, 4)}) is None
