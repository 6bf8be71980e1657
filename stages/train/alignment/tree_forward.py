"""Models that compute a batch as a tree of prefixes, and logits only where a token is supervised.

TRL's trainers ask a model for the log-probabilities of tokens, or for the score of a row. The functions here replace
the model's forward by one that gives the same numbers: on two cores in a fraction of the time.
"""

from __future__ import annotations

import functools
from types import MethodType
from typing import Any

import torch
from transformers.modeling_outputs import SequenceClassifierOutput
from trl.trainer.utils import FusedCausalLMOutput

from stages.train.alignment.prefix_tree import PrefixTree, build_prefix_tree, build_tree_mask
from stages.train.rows import IGNORED


def compute_logprobs_in_trees(model: Any, temperature: float = 1.0) -> None:
    """Make a causal language model answer `fused_lm_head=True` as `trl.trainer.utils.add_fused_lm_head` does.

    model: without the wrapper of peft. temperature: the logits are divided by it.
    """
    original = model.forward

    @functools.wraps(type(model).forward)
    def forward(self: Any, *arguments: Any, fused_lm_head: bool = False, **options: Any) -> Any:
        if not fused_lm_head:
            return original(*arguments, **options)
        labels = options["labels"][:, 1:]
        tree = _build_tree(options["input_ids"], options["attention_mask"])
        hidden = _run_backbone(self.base_model, tree, labels.device)
        return _score_labels(hidden, labels, _place_nodes(tree, options["attention_mask"]), self, temperature)

    model.forward = MethodType(forward, model)


def compute_scores_in_trees(model: Any) -> None:
    """Make a classifier of sequences compute a batch as a tree. model: without the wrapper of peft."""

    @functools.wraps(type(model).forward)
    def forward(self: Any, input_ids: Any, attention_mask: Any, **_: Any) -> Any:
        tree = _build_tree(input_ids, attention_mask)
        hidden = _run_backbone(self.base_model, tree, input_ids.device)
        last = torch.tensor([nodes[-1] for nodes in tree.rows], device=input_ids.device)
        return SequenceClassifierOutput(logits=self.score(hidden[last]))

    model.forward = MethodType(forward, model)


def _build_tree(input_ids: Any, attention_mask: Any) -> PrefixTree:
    """Build the tree of padded rows, shape (rows, longest), without their padding."""
    masks = attention_mask.bool()
    return build_prefix_tree([ids[mask].tolist() for ids, mask in zip(input_ids, masks, strict=True)])


def _place_nodes(tree: PrefixTree, attention_mask: Any) -> Any:
    """Place the nodes of the rows where their tokens are in the padded rows; 0 at padding."""
    nodes = torch.zeros_like(attention_mask, dtype=torch.long)
    flat = [node for row in tree.rows for node in row]
    nodes[attention_mask.bool()] = torch.tensor(flat, device=nodes.device)
    return nodes


def _run_backbone(backbone: Any, tree: PrefixTree, device: Any) -> Any:
    """Compute the last hidden states of all nodes, shape (nodes, width)."""
    output = backbone(
        input_ids=torch.tensor([tree.tokens], device=device),
        position_ids=torch.tensor([tree.positions], device=device),
        attention_mask=build_tree_mask(tree.parents).to(device)[None, None],
        use_cache=False,
    )
    return output.last_hidden_state[0]


def _score_labels(
    hidden: Any, labels: Any, nodes: Any, model: Any, temperature: float
) -> FusedCausalLMOutput:
    """Score the labels of all rows; where the label is `IGNORED`, the figures are 0.

    hidden: of shape (nodes, width). labels: of the next tokens, shape (rows, longest - 1). nodes: of the tokens, of
    shape (rows, longest).
    """
    mask = labels != IGNORED
    asked, places = torch.unique(nodes[:, :-1][mask], return_inverse=True)
    logits = (model.get_output_embeddings()(hidden[asked]).float() / temperature).contiguous()
    logprobs = logits.log_softmax(-1)
    targets = labels[mask]
    with torch.no_grad():
        figures = {
            "entropy": -(logprobs.exp() * logprobs).sum(-1)[places],
            "mean_logits": logits.mean(-1)[places],
            "is_top1": (logits.argmax(-1)[places] == targets),
        }
    scored = logprobs[places, targets]
    return FusedCausalLMOutput(
        loss=-scored.sum() / mask.sum().clamp(min=1),
        log_probs=_scatter(scored, mask),
        label_mask=mask,
        **{name: _scatter(values, mask) for name, values in figures.items()},
    )


def _scatter(values: Any, mask: Any) -> Any:
    """Put values where a mask is true; elsewhere there is 0."""
    return values.new_zeros(mask.shape).masked_scatter(mask, values)
