"""The base model that rows are rendered for: its tokenizer, its chat template, and its context length."""

from __future__ import annotations

from typing import Any

from exemplars.core.digests import hash_content
from exemplars.core.errors import Diagnostic, UserError
from exemplars.models.base_models import BaseFiles, read_context_length
from exemplars.models.chat_templates import ChatTemplateError, find_chat_template, render_prompt
from exemplars.models.render_manifest import RenderManifest
from stages.render.params import RenderParams


def check_tokenizer(tokenizer: Any, base: BaseFiles) -> None:
    """Check that a tokenizer has an end-of-sequence token and a chat template that accepts a user message.

    Raises `UserError` if not.
    """
    if tokenizer.eos_token_id is None:
        raise UserError(
            [
                Diagnostic(
                    path=base.name,
                    code="base_model",
                    found="a tokenizer without an end-of-sequence token",
                    expected="eos_token in its tokenizer_config.json",
                    fix="set it to the token that ends a turn",
                )
            ]
        )
    try:
        render_prompt(tokenizer, [{"role": "user", "content": "hello"}], None)
    except ChatTemplateError as error:
        raise UserError(
            [
                Diagnostic(
                    path=base.name,
                    code="base_model",
                    found=f"a chat template that fails: {error}",
                    expected="a template that accepts a user message",
                    fix="correct chat_template of its tokenizer",
                    summary=f"the chat template rejects a user message: {error}",
                )
            ]
        ) from None


def limit_tokens(base: BaseFiles, wanted: int) -> int:
    """Limit the tokens of a row to what the model can read."""
    longest = read_context_length(base)
    return min(wanted, longest) if longest else wanted


def build_render_manifest(base: BaseFiles, tokenizer: Any, params: RenderParams) -> RenderManifest:
    """Build the record of what rows were rendered for, for the stages that read them."""
    return RenderManifest(
        base=params.base,
        name=base.name,
        sha256=base.sha256,
        license=base.license,
        call_format=params.call_format,
        tools=params.tools,
        template_sha256=hash_content(find_chat_template(tokenizer).encode()),
        vocabulary=len(tokenizer),
        instruction=params.instruction,
        context_turns=params.context_turns,
        values=params.values,
        tools_from=params.tools_from,
        candidates=params.candidates,
    )
