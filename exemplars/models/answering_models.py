"""Language models that are ready to answer: merged, and in the number format of their training."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from exemplars.models.number_formats import supports_bf16
from exemplars.models.run_manifest import Manifest, load_run, read_manifest


def load_answering_model(folder: Path) -> tuple[Any, Any]:
    """Load the model of a run, merged, on the GPU if there is one, and its tokenizer.

    Raises `UserError` as `load_run` does.
    """
    model, tokenizer = load_run(folder, dtype="float32")
    if hasattr(model, "merge_and_unload") and not model.active_peft_config.is_prompt_learning:
        model = model.merge_and_unload()
    if answers_in_bf16(read_manifest(folder)):
        hold_weights_in_bf16(model)
    return move_to_device(model), tokenizer


def answers_in_bf16(manifest: Manifest) -> bool:
    """Return whether a run answers in bf16: if it was trained in bf16, and this machine has instructions for it."""
    return manifest.precision.get("chosen") == "bf16" and supports_bf16()


def hold_weights_in_bf16(model: Any) -> None:
    """Convert the weights of a language model to bf16, but for its output layer: rounded logits would often be equal.

    Buffers stay in fp32, too: rounded frequencies would move the positions of tokens.
    """
    import torch

    output_layer = copy.deepcopy(model.get_output_embeddings())  # Its weights may be those of the embeddings.
    for weights in model.parameters():
        if weights.is_floating_point():
            weights.data = weights.data.to(torch.bfloat16)
    model.set_output_embeddings(output_layer)
    output_layer.register_forward_pre_hook(lambda _, inputs: (inputs[0].float(),))


def move_to_device(model: Any) -> Any:
    """Move a model to the GPU if there is one, ready to predict."""
    import torch

    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
