"""The light encoder computes what transformers computes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tiny import save_tiny_encoder

torch = pytest.importorskip("torch")
TEXTS = ("ring mum at work", "What's the weather in Zürich, 10 °C? 東京 ﬁn ½ 😀", "")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT."""
    return save_tiny_encoder(tmp_path_factory.mktemp("encoder"))


def test_texts_have_the_same_tokens_words_and_states(folder: Path) -> None:
    from transformers import AutoModel, AutoTokenizer

    from exemplars.models.tagger.light_encoder import load_light_encoder

    loaded = load_light_encoder(folder)
    assert loaded is not None
    encoder, tokenizer = loaded
    other = AutoTokenizer.from_pretrained(str(folder))
    for text in TEXTS:
        expected = other(text, add_special_tokens=False, return_offsets_mapping=True)
        encoding = tokenizer(text)
        assert encoding["input_ids"] == expected["input_ids"]
        assert encoding["offset_mapping"] == [tuple(span) for span in expected["offset_mapping"]]
        assert encoding.word_ids() == expected.word_ids()
    special = (tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id)
    assert special == (other.cls_token_id, other.sep_token_id, other.pad_token_id)
    batch = {
        "input_ids": torch.tensor([[2, 9, 30, 3], [2, 8, 3, 0]]),
        "attention_mask": torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]]),
        "token_type_ids": torch.tensor([[0, 0, 1, 1], [0, 0, 0, 0]]),
    }
    model = AutoModel.from_pretrained(str(folder)).eval()
    with torch.inference_mode():
        expected_states = model(**batch).last_hidden_state
        states = encoder(**batch).last_hidden_state
    assert torch.allclose(states, expected_states, atol=1e-5)


@pytest.mark.parametrize("change", [{"model_type": "roberta"}, {"hidden_act": "relu"}, {"is_decoder": True}])
def test_other_encoders_are_left_to_transformers(
    change: dict[str, object], folder: Path, tmp_path: Path
) -> None:
    from exemplars.models.tagger.light_encoder import load_light_encoder

    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (tmp_path / "config.json").write_text(json.dumps({**config, **change}), "utf-8")
    assert load_light_encoder(tmp_path) is None
