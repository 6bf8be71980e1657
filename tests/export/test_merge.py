"""A merged model is asked as its card says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from exemplars.core import layout
from exemplars.export.merge import merge_adapters
from tests.answering.project import save_language_model
from tests.tiny import TEMPLATE

pytest.importorskip("torch")
REFUSING = "{% for message in messages %}{% if message.role == 'tool' %}{{ raise_exception('no') }}{% endif %}{% endfor %}"


@pytest.mark.parametrize(
    ("template", "is_shown"), [(TEMPLATE, True), (REFUSING + TEMPLATE, False)], ids=["any role", "no tool"]
)
def test_the_code_of_the_card_runs_and_its_prompt_is_that_of_training(
    template: str, is_shown: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_language_model("lora", template)
    merge_adapters(layout.model("lora"), Path("merged"), ["MIT"], {})
    monkeypatch.chdir("merged")
    card = Path("README.md").read_text("utf-8")
    assert ("The chat template takes `tools`, and shows" in card) == is_shown
    namespace: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", card, re.DOTALL):
        exec(code, namespace)
    assert isinstance(namespace["answer"], str)
    shown = namespace["tokenizer"].decode(namespace["inputs"]["input_ids"][0])
    assert shown == (
        "<|system|>Call one tool, or answer None.\nring(contact, time)</s>"
        "<|user|>ring Maria at half past 7</s><|assistant|>"
    )
    assert f"```text\n{shown}\n```" in card
