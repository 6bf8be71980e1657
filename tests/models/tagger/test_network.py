"""The heads of the network."""

from __future__ import annotations

from pathlib import Path

import pytest

from exemplars.core.records import Speaker
from exemplars.models.tagger.features import EncodedText
from exemplars.models.tagger.marks import MARKS
from exemplars.models.tagger.matches import Matcher
from exemplars.models.tagger.vocabulary import build_vocabulary
from tests.models.tagger.rows import ROWS, SKILLS, make_tokenizer
from tests.tiny import save_tiny_encoder

torch = pytest.importorskip("torch")


def test_outputs_with_the_same_description_share_what_is_not_their_own() -> None:
    from exemplars.models.tagger.network import Head

    torch.manual_seed(0)
    head = Head(4, 3, 2)
    head.vectors[:] = torch.tensor([[1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    states = torch.randn(5, 4)
    shared = head(states) - head.own(states)
    assert torch.allclose(shared[:, 0], shared[:, 2])
    assert float(shared[:, 1].detach().abs().max()) < 1e-6
    head(states)[:, 0].sum().backward()
    assert head.shared.weight.grad is not None
    with torch.no_grad():
        head.shared.weight -= head.shared.weight.grad
    moved = head(states) - head.own(states)
    assert torch.allclose(moved[:, 0], moved[:, 2])
    assert float(moved[:, 2].detach().sum()) < float(shared[:, 2].detach().sum())


def test_an_average_without_tokens_is_zero() -> None:
    from exemplars.models.tagger.network import _average

    states = torch.tensor([[[1.0], [3.0]], [[5.0], [7.0]]])
    assert _average(states, torch.tensor([[1, 1], [0, 0]])).tolist() == [[2.0], [0.0]]


def test_the_own_weights_of_an_output_can_be_left_out() -> None:
    from exemplars.models.tagger.network import Head

    torch.manual_seed(0)
    head = Head(4, 2, 3)
    states = torch.randn(1, 4)
    scores = head(states, torch.tensor([[1.0, 0.0]]))
    assert torch.allclose(scores[0, 0], head.own(states)[0, 0])
    assert float(scores[0, 1].detach()) == 0.0  # Its description has no vector.


def test_each_output_reads_the_tokens_that_a_description_asks_for_and_no_padding() -> None:
    from exemplars.models.tagger.network import Reader

    reader = Reader(2, 2, [0, 1, 1])
    with torch.no_grad():
        reader.query.weight.copy_(100 * torch.eye(2))
        reader.query.bias.zero_()
        reader.shared.weight.copy_(torch.eye(2))
        reader.own.weight.copy_(torch.tensor([[0.0, 0.0], [0.0, 0.0], [0.0, 5.0]]))
        reader.asked.copy_(torch.eye(2))
    states = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [0.0, 9.0]]])
    both, first = torch.tensor([[1, 1, 0]]), torch.tensor([[1, 0, 0]])
    assert torch.allclose(reader(states, both, torch.ones(3, 2)), torch.tensor([[1.0, 1.0, 6.0]]))
    own = torch.tensor([[1.0, 1.0, 0.0]])
    assert torch.allclose(reader(states, both, torch.ones(3, 2), own), torch.tensor([[1.0, 1.0, 1.0]]))
    assert torch.allclose(reader(states, first, torch.ones(3, 2)), torch.tensor([[1.0, 1.0, 1.0]]))


def test_a_mark_makes_beginning_and_inside_of_all_slots_likelier_alike(tmp_path: Path) -> None:
    from transformers import AutoModel

    from exemplars.models.tagger.features import encode_text
    from exemplars.models.tagger.network import TaggerNetwork
    from exemplars.models.tagger.tensors import collate

    tagger_vocabulary = build_vocabulary(SKILLS, ROWS)
    encoder = AutoModel.from_pretrained(str(save_tiny_encoder(tmp_path)))
    network = TaggerNetwork(encoder, tagger_vocabulary, 0.0).eval()
    attention = [module for name, module in encoder.named_modules() if name.endswith("attention.self")]
    assert [module.dropout.p for module in attention] == [0.0] * encoder.config.num_hidden_layers
    text = encode_text(make_tokenizer(), "ring mum", Speaker.USER, (), 48)
    assert isinstance(text, EncodedText)
    matcher = Matcher(tagger_vocabulary, {skill.name: skill for skill in SKILLS})
    marked, unmarked = (collate([row], 0, matcher) for row in (text, text._replace(marks=())))
    with torch.no_grad():
        network.tag_mark.weight.copy_(
            torch.tensor([[2.0], [3.0]]).expand(2, MARKS)
        )  # One mark: the user speaks.
        moved = network(marked).tags - network(unmarked).tags
    said = [turn == 0 for turn in text.turns]
    assert torch.allclose(moved[0, said, 1::2], torch.tensor(2.0), atol=1e-5)
    assert torch.allclose(moved[0, said, 2::2], torch.tensor(3.0), atol=1e-5)
    assert float(moved[:, :, 0].abs().max()) < 1e-6
