"""The base model in 4 bits, by bitsandbytes, the same on every processor."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final

from exemplars.core.errors import UserError
from exemplars.models.base_models import BaseFiles, load_model, save_errors_as_user_errors
from stages.train.checks import make_backend_diagnostic

_FIX: Final = "free some space, then run the same command again"


def load_quantized_base(base: BaseFiles, dtype: Any) -> Any:
    """Load a base model in 4 bits (NF4), prepared for adapters.

    dtype: what the weights are dequantized to for each product. Raises `UserError` if bitsandbytes has no
    backend for this machine, or if the disk has no room for an unquantized copy of a GGUF file.
    """
    import torch
    from peft import prepare_model_for_kbit_training
    from transformers import BitsAndBytesConfig

    config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)
    with tempfile.TemporaryDirectory() as name:
        files = base
        if base.is_packed:  # transformers does not quantize a GGUF file a second time.
            with save_errors_as_user_errors(Path(name), _FIX):
                load_model(base, dtype=torch.float32).save_pretrained(name)
            files = base._replace(folder=name, arguments={})
        try:
            model = load_model(files, quantization_config=config, dtype=dtype)
        except (ImportError, RuntimeError) as error:
            raise UserError([make_backend_diagnostic(str(error).splitlines()[0])]) from None
    disable_packing(model)
    return prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)


def disable_packing(model: Any) -> None:
    """Keep bitsandbytes from repacking 4-bit weights for CPUs with AVX512-BF16.

    On such a CPU, the first forward pass in evaluation mode would rewrite the frozen weights in place and
    round their scales to bf16, so that losses would differ between processors; and it would fail for a layer
    whose input size is not a multiple of the block size (bitsandbytes 0.50, `Linear4bit.forward`).
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
