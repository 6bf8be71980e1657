"""Which parameters of a model a recipe trains."""

from __future__ import annotations

from typing import Any, NamedTuple

from exemplars.core.errors import Diagnostic, UserError
from exemplars.models.base_models import suppress_peft_warning
from stages.train.recipe_params import Adapter, Freeze, Lora, PromptTuning, Recipe


class ParameterCounts(NamedTuple):
    """How many parameters a model has, and how many of them are trained."""

    all: int
    trained: int


def prepare_model(model: Any, recipe: Recipe, *, scores: bool = False) -> Any:
    """Add to a model what the recipe adds, and make only that trainable.

    `full` and `continued` train everything; `freeze` the last layers and the norm after them; the others
    add parameters by peft, and train only those. scores: whether the model scores rows; its map to the score is then
    trained, too. Raises `UserError` if the model has fewer layers.
    """
    if isinstance(recipe, Freeze):
        return _freeze_lower_layers(model, recipe.layers)
    config = _build_peft_config(model, recipe)
    if config is None:
        return model
    if scores:
        config.task_type, config.modules_to_save = "SEQ_CLS", ["score"]
    from peft import get_peft_model

    with suppress_peft_warning():
        adapted = get_peft_model(model, config)
    for adapter_config in adapted.peft_config.values():
        # Otherwise peft asks the hub for the base's config at each checkpoint.
        adapter_config.base_model_name_or_path = ""
    return adapted


def count_parameters(model: Any) -> ParameterCounts:
    """Count the parameters of a model, and the trainable ones."""
    counts = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return ParameterCounts(
        sum(count for count, _ in counts), sum(count for count, trained in counts if trained)
    )


def has_quantized_base(recipe: Recipe) -> bool:
    """Return whether the base is loaded in 4 bits."""
    return isinstance(recipe, Lora) and recipe.quantized


def _build_peft_config(model: Any, recipe: Recipe) -> Any:
    """Build the configuration of what peft adds; `None` if the recipe adds nothing."""
    from peft import IA3Config, LoraConfig, PromptTuningConfig, PromptTuningInit

    if isinstance(recipe, Lora):
        layers = None if recipe.layers is None else _list_last_layers(model, recipe.layers)
        return LoraConfig(
            task_type="CAUSAL_LM",
            r=recipe.rank,
            lora_alpha=recipe.alpha,
            lora_dropout=recipe.dropout,
            use_dora=recipe.dora,
            target_modules="all-linear" if layers is None else _list_linear_names(model, layers),
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


def _list_linear_names(model: Any, layers: list[int]) -> list[str]:
    """List the full names of the linear modules within some layers; peft takes full names literally."""
    import torch

    stack = f"{_name_layers(model) or ''}."
    prefixes = tuple(f"{stack}{number}." for number in layers)
    return [
        name
        for name, module in model.named_modules()
        if name.startswith(prefixes) and isinstance(module, torch.nn.Linear)
    ]


def _freeze_lower_layers(model: Any, layers: int) -> Any:
    stack = _name_layers(model) or ""
    trained = tuple(f"{stack}.{number}." for number in _list_last_layers(model, layers))
    last_norm = f"{stack.rpartition('.')[0]}.norm."
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith((*trained, last_norm)))
    return model


def _list_last_layers(model: Any, wanted: int) -> list[int]:
    """List the numbers of the last layers. Raises `UserError` if the model has fewer."""
    count = int(model.config.num_hidden_layers)
    if not 1 <= wanted <= count:
        raise UserError(
            [
                Diagnostic(
                    path="params.yaml",
                    code="invalid_value",
                    found=f"layers: {wanted}, for a model with {count} layers",
                    expected=f"a number from 1 to {count}",
                    fix="correct the recipe",
                )
            ]
        )
    return list(range(count - wanted, count))


def find_layers(model: Any) -> Any:
    """Find the list of the model's layers; `None` if it has none of this length."""
    name = _name_layers(model)
    return None if name is None else model.get_submodule(name)


def _name_layers(model: Any) -> str | None:
    """Find the name of the list of the model's layers, such as `model.layers`."""
    import torch

    count = int(model.config.num_hidden_layers)
    return next(
        (
            str(name)
            for name, module in model.named_modules()
            if isinstance(module, torch.nn.ModuleList) and len(module) == count
        ),
        None,
    )
