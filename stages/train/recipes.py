"""What of a model a recipe trains."""

from __future__ import annotations

from typing import Any, NamedTuple

from exemplars.core.errors import Diagnostic, UserError
from exemplars.models.base_models import suppress_peft_warning
from stages.train.params import Adapter, Freeze, Lora, PromptTuning, Recipe


class Trainable(NamedTuple):
    """How many parameters a model has, and how many of them are trained."""

    all: int
    trained: int


def prepared(model: Any, recipe: Recipe) -> Any:
    """The model with what the recipe adds, and only that trainable.

    `full` and `continued` train everything; `freeze` the last layers and the norm behind them; the others
    add parameters by peft, and train those alone. Raises `UserError` where the model has fewer layers.
    """
    if isinstance(recipe, Freeze):
        return _frozen(model, recipe.layers)
    config = _peft_config(model, recipe)
    if config is None:
        return model
    from peft import get_peft_model

    with suppress_peft_warning():
        made = get_peft_model(model, config)
    for one in made.peft_config.values():
        one.base_model_name_or_path = ""  # Else peft asks the hub for its config at each checkpoint.
    return made


def trainable(model: Any) -> Trainable:
    """Counts of parameters."""
    counts = [(one.numel(), one.requires_grad) for one in model.parameters()]
    return Trainable(sum(count for count, _ in counts), sum(count for count, trained in counts if trained))


def needs_quantized_base(recipe: Recipe) -> bool:
    """Whether the base is loaded in 4 bits."""
    return isinstance(recipe, Lora) and recipe.quantized


def _peft_config(model: Any, recipe: Recipe) -> Any:
    from peft import IA3Config, LoraConfig, PromptTuningConfig, PromptTuningInit

    if isinstance(recipe, Lora):
        layers = None if recipe.layers is None else _last_layers(model, recipe.layers)
        return LoraConfig(
            task_type="CAUSAL_LM",
            r=recipe.rank,
            lora_alpha=recipe.alpha,
            lora_dropout=recipe.dropout,
            use_dora=recipe.dora,
            target_modules="all-linear" if layers is None else _linear_names(model, layers),
        )
    if isinstance(recipe, PromptTuning):
        return PromptTuningConfig(
            task_type="CAUSAL_LM",
            num_virtual_tokens=recipe.virtual_tokens,
            prompt_tuning_init=PromptTuningInit.SAMPLE_VOCAB,
        )
    if isinstance(recipe, Adapter):
        return IA3Config(task_type="CAUSAL_LM")
    return None


def _linear_names(model: Any, layers: list[int]) -> list[str]:
    """The full names of the linear layers within the given layers, which peft takes as they are."""
    import torch

    stack = f"{_stack_name(model)}."
    chosen = tuple(f"{stack}{number}." for number in layers)
    return [
        name
        for name, module in model.named_modules()
        if name.startswith(chosen) and isinstance(module, torch.nn.Linear)
    ]


def _frozen(model: Any, layers: int) -> Any:
    chosen = tuple(f"{_stack_name(model)}.{number}." for number in _last_layers(model, layers))
    last_norm = f"{_stack_name(model).rpartition('.')[0]}.norm."
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith((*chosen, last_norm)))
    return model


def _last_layers(model: Any, wanted: int) -> list[int]:
    count = int(model.config.num_hidden_layers)
    if not 1 <= wanted <= count:
        raise UserError(
            [
                Diagnostic(
                    path="params.yaml",
                    code="invalid_value",
                    found=f"layers: {wanted}, of a model with {count} layers",
                    expected=f"a number from 1 to {count}",
                    fix="correct the recipe",
                )
            ]
        )
    return list(range(count - wanted, count))


def _stack_name(model: Any) -> str:
    """The name of the list of the model's layers, such as `model.layers`."""
    import torch

    count = int(model.config.num_hidden_layers)
    return next(
        str(name)
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.ModuleList) and len(module) == count
    )
