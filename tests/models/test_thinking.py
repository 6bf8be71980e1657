"""A base that thinks before it answers: with `template_arguments`, rows have an empty thought in the prompt."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import msgspec
import pytest
import yaml

from exemplars.core.errors import UserError
from exemplars.core.params import load_section
from exemplars.core.records import Reason
from exemplars.core.tables import rows_from_table, rows_to_table
from exemplars.models.base_models import Base, FolderBase, find_base, load_tokenizer
from exemplars.models.chat_templates import find_chat_template
from exemplars.models.prompt_style import ToolForm
from exemplars.models.rows import TrainingRow
from stages.render.base import build_render_manifest
from stages.render.params import RenderParams
from stages.render.training_rows import RenderedSplit, render_split
from tests.qwen import EMPTY_THOUGHT, save_tiny_qwen
from tests.render.rows import SKILLS, argument, exemplar, params
from tests.train.test_recipes import SHARED

pytest.importorskip("torch")
ROWS = [
    exemplar("ring mum", "call", argument("contact", "mum", "mum")),
    exemplar("Oslo", "weather", argument("location", "Oslo", "Oslo"), before=("hi", "which city?")),
    exemplar("no thanks", None, mode="none"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_qwen(tmp_path_factory.mktemp("qwen"))


def qwen(folder: Path, **arguments: bool | int | float | str) -> FolderBase:
    return FolderBase(path=str(folder), license="Apache-2.0", template_arguments=dict(arguments))


def rendered(base: Base, tools: ToolForm = ToolForm.COMPACT) -> RenderedSplit:
    return render_split(ROWS, "train", SKILLS, load_tokenizer(find_base(base)), params(tools=tools), 1200)


@pytest.mark.parametrize("tools", list(ToolForm))
def test_with_thinking_off_only_the_call_and_its_end_are_supervised(folder: Path, tools: ToolForm) -> None:
    base = qwen(folder, enable_thinking=False)
    tokenizer = load_tokenizer(find_base(base))
    split = rendered(base, tools)
    assert split.rejections == ()
    completions = []
    for row in split.rows:
        prompt = tokenizer.decode(row.input_ids[: row.prompt_tokens])
        assert prompt.endswith(f"<|im_start|>assistant\n{EMPTY_THOUGHT}")
        assert prompt.count("<think>") == 1
        completions.append(tokenizer.decode(row.input_ids[row.prompt_tokens :]))
    assert completions == [
        'weather(location="Oslo")<|im_end|>',
        "None<|im_end|>",
        'call(contact="mum")<|im_end|>',
    ]


def test_with_thinking_on_rows_are_rejected_and_the_remedy_is_named(folder: Path) -> None:
    split = rendered(qwen(folder))
    assert split.rows == ()
    assert {rejection.reason for rejection in split.rejections} == {Reason.NOT_SUPERVISED}
    assert "such as thinking: render.base.template_arguments" in split.rejections[0].message


def test_an_argument_that_the_template_does_not_read_is_an_error(folder: Path) -> None:
    message = (
        "does not read 'enable_thinkin', expected a variable of the template; did you mean 'enable_thinking'?"
    )
    with pytest.raises(UserError, match=message.replace("?", r"\?")):
        load_tokenizer(find_base(qwen(folder, enable_thinkin=False)))


def test_a_saved_tokenizer_renders_as_training_did(folder: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(find_base(qwen(folder, enable_thinking=False)))
    tokenizer.save_pretrained(str(tmp_path))
    from transformers import AutoTokenizer

    saved = AutoTokenizer.from_pretrained(str(tmp_path))
    assert find_chat_template(saved) == find_chat_template(tokenizer)
    text = saved.apply_chat_template(
        [{"role": "user", "content": "hi"}], tokenize=False, add_generation_prompt=True
    )
    assert text == f"<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n{EMPTY_THOUGHT}"


def test_the_arguments_are_in_the_manifest_of_the_rows(folder: Path) -> None:
    base = qwen(folder, enable_thinking=False)
    files = find_base(base)
    on, off = (
        build_render_manifest(files, load_tokenizer(find_base(other)), params(base=other))
        for other in (qwen(folder), base)
    )
    assert off.base == base
    assert on.template_sha256 != off.template_sha256
    assert on.sha256 == off.sha256


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("{enable-thinking: false}", "enable-thinking"),
        ("{enable_thinking: [1]}", "expected bool | int | float | str, got array"),
        ("{enable_thinking: null}", "is null: expected bool | int | float | str"),
        ("false", "is false: expected object"),
    ],
)
def test_arguments_have_names_and_plain_values(tmp_path: Path, arguments: str, message: str) -> None:
    base = f"  base: {{from: folder, path: q, license: MIT, template_arguments: {arguments}}}\n"
    path = tmp_path / "params.yaml"
    path.write_text(f"render:\n{base}", "utf-8")
    with pytest.raises(UserError, match="template_arguments") as caught:
        load_section("render", RenderParams, path)
    assert message in str(caught.value)


def test_a_tiny_qwen_is_trained_and_merged(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("trl")
    from exemplars.export.merge import merge_adapters
    from stages.train.params import RunParams
    from stages.train.recipe_params import Lora
    from stages.train.rows import PromptRow
    from stages.train.run import keep_run, train_run

    monkeypatch.chdir(tmp_path)
    base = qwen(folder, enable_thinking=False)
    files = find_base(base)
    table = rows_to_table(rendered(base).rows, TrainingRow)
    rows = rows_from_table(table, PromptRow)
    shared = msgspec.structs.replace(SHARED, max_steps=2)
    chosen = RunParams("lora", Lora(learning_rate=1e-2, rank=4, alpha=8, layers=1), shared)
    manifest = build_render_manifest(files, load_tokenizer(files), params(base=base))
    trained = train_run(chosen, manifest, {"train": rows, "validation": rows[:1]}, {}, Path("models"))
    assert trained is not None
    keep_run(trained, Path("models/lora"))
    assert merge_adapters(Path("models/lora"), Path("merged"), ["MIT"], {}) < 1e-3
    saved = load_tokenizer(find_base(FolderBase(path="merged", license="MIT")))
    assert "set enable_thinking = false" in find_chat_template(saved)


def test_the_bases_of_the_document_are_read() -> None:
    text = (Path(__file__).parents[2] / "docs/models.md").read_text("utf-8")
    blocks = re.findall(r"^    base:.*?(?=\n\n)", text, re.DOTALL | re.MULTILINE)
    one_line, several_lines = (textwrap.dedent(block) for block in blocks)
    documents = [*one_line.splitlines(), several_lines]
    bases = [msgspec.convert(yaml.safe_load(document)["base"], Base) for document in documents]  # type: ignore[call-overload]
    assert [type(base).__name__ for base in bases] == ["HubBase", "FolderBase", "FolderBase"]
    assert bases[2].template_arguments == {"enable_thinking": False}
