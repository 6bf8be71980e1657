"""The base model as far as rendering asks: its tokenizer, its template, how much it can read."""

from __future__ import annotations

from typing import Any

from exemplars.core.digests import hash_content
from exemplars.core.errors import Diagnostic, UserError
from exemplars.models.base_models import BaseFiles, read_context_length
from exemplars.models.chat_templates import ChatTemplateError, find_chat_template, render_prompt
from exemplars.models.render_manifest import RenderManifest
from stages.render.params import RenderParams


def checked_tokenizer(tokenizer: Any, base: BaseFiles) -> Any:
    """The tokenizer. Raises `UserError` where it has no end token, or a template that writes no chat."""
    if tokenizer.eos_token_id is None:
        found = "a tokenizer without an end token"
        expected, fix = "eos_token in its tokenizer_config.json", "name the token that ends a turn there"
        raise UserError([_problem(base, found, expected, fix)])
    try:
        render_prompt(tokenizer, [{"role": "user", "content": "hello"}], None)
    except ChatTemplateError as error:
        found, fix = f"a chat template that says: {error}", "correct chat_template of its tokenizer"
        raise UserError([_problem(base, found, "a template that writes a user's turn", fix)]) from None
    return tokenizer


def _problem(base: BaseFiles, found: str, expected: str, fix: str) -> Diagnostic:
    return Diagnostic(path=base.name, code="base_model", found=found, expected=expected, fix=fix)


def row_limit(base: BaseFiles, wanted: int) -> int:
    """The most tokens of a row: what is wanted, as far as the model can read it."""
    longest = read_context_length(base)
    return min(wanted, longest) if longest else wanted


def rendered_for(base: BaseFiles, tokenizer: Any, params: RenderParams) -> RenderManifest:
    """What the rows were rendered for, for the stages that read them."""
    return RenderManifest(
        base=params.base,
        name=base.name,
        sha256=base.sha256,
        license=base.license,
        call_format=params.call_format,
        tools=params.tools,
        template_sha256=hash_content(find_chat_template(tokenizer).encode()),
        vocabulary=len(tokenizer),
    )
