"""A merged model as GGUF: the same tokens and logits in transformers, a grammar, and a Modelfile."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exemplars.cli.main import main
from exemplars.core import layout
from exemplars.core.errors import UserError
from exemplars.core.files import hash_file, write_bytes
from exemplars.dataset.catalog import encode_catalog
from exemplars.export.gguf_model import build_modelfile, check_architecture
from exemplars.models.base_models import (
    BaseFiles,
    hash_model,
    load_model,
    load_tokenizer,
    read_context_length,
)
from exemplars.models.prompt_style import PromptStyle
from exemplars.models.prompting import encode_prompt
from exemplars.models.questions import Question
from exemplars.models.unpacked_copies import CACHE_VARIABLE, Part, find_copy
from tests.answering.project import save_language_model
from tests.models.tagger.rows import SKILLS
from tests.tiny import make_tokenizer

torch = pytest.importorskip("torch")
pytest.importorskip("gguf")
LLAMA = os.environ.get("LLAMA_CLI") or shutil.which("llama-cli")
NODE_MODULES = os.environ.get("NODE_LLAMA_CPP")
"""A folder `node_modules` in which `npm install node-llama-cpp` has put a build of llama.cpp."""
SCRIPT = """
import {getLlama, LlamaGrammarEvaluationState} from "%s/node-llama-cpp/dist/index.js";
import fs from "fs";
const [file, grammarFile, prompt] = process.argv.slice(2);
const llama = await getLlama({gpu: false, build: "never", logLevel: "error"});
const model = await llama.loadModel({modelPath: file});
const tokens = model.tokenize(prompt, true);
const grammar = await llama.createGrammar({grammar: fs.readFileSync(grammarFile, "utf8")});
const state = new LlamaGrammarEvaluationState({model, grammar});
const sequence = (await model.createContext({contextSize: 256, threads: 1})).getSequence();
const answer = [];
for await (const token of sequence.evaluate(tokens, {temperature: 0, grammarEvaluationState: state})) {
  if (model.isEogToken(token) || answer.push(token) === 40) break;
}
console.log(JSON.stringify([[...tokens], model.detokenize(answer, true)]));
process.exit(0);
"""
TEXT = "ring mum at work, 7 € für Zoë<|user|>\n\n  <|assistant|>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the command wrote."""
    root = tmp_path_factory.mktemp("gguf")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        Path(".dvc").mkdir()
        save_language_model("lora")
        write_bytes(layout.CATALOG, encode_catalog(SKILLS))
        assert main(["merge", "--format", "gguf", "--precision", "f32"]) == 0
    return root / "models/lora/gguf"


def test_transformers_computes_the_same_logits_of_the_same_tokens(folder: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    assert sorted(path.name for path in folder.iterdir()) == ["Modelfile", "calls.gbnf", "lora-1-2.gguf"]
    weights = folder.parent / "weights"
    own, other = (
        AutoTokenizer.from_pretrained(str(weights)),
        AutoTokenizer.from_pretrained(str(folder), gguf_file="lora-1-2.gguf"),
    )
    ids = own(TEXT)["input_ids"]
    assert other(TEXT)["input_ids"] == ids
    with torch.inference_mode():
        first, second = (
            AutoModelForCausalLM.from_pretrained(str(path), dtype="float32", **options)
            .eval()(torch.tensor([ids]))
            .logits
            for path, options in ((weights, {}), (folder, {"gguf_file": "lora-1-2.gguf"}))
        )
    assert torch.allclose(first, second, atol=1e-4)


def test_a_second_load_reads_a_copy_and_saves_the_same_files(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    arguments = {"gguf_file": "lora-1-2.gguf"}
    files = BaseFiles("lora", str(folder), arguments, hash_file(folder / "lora-1-2.gguf"), "MIT")
    for name in ("first", "second"):
        model, tokenizer = load_model(files, dtype="float32"), load_tokenizer(files)
        assert {model.name_or_path, model.config.name_or_path, tokenizer.name_or_path} == {str(folder)}
        model.save_pretrained(tmp_path / name)
        tokenizer.save_pretrained(tmp_path / name)
        assert read_context_length(files) == 512
    assert hash_model(tmp_path / "first") == hash_model(tmp_path / "second")
    kept = find_copy(files.sha256, Part.MODEL, hash_model)
    assert kept is not None
    monkeypatch.setenv(CACHE_VARIABLE, "")
    plain = load_model(files, dtype="float32")
    plain.save_pretrained(tmp_path / "plain")
    plain_weights, copied = (path / "model.safetensors" for path in (tmp_path / "plain", kept))
    assert hash_file(plain_weights) == hash_file(copied)


def test_its_chat_template_takes_tools(folder: Path) -> None:
    from transformers import AutoTokenizer

    from exemplars.dataset.catalog import build_tool_definition

    tokenizer = AutoTokenizer.from_pretrained(str(folder), gguf_file="lora-1-2.gguf")
    tokens = tokenizer.apply_chat_template(
        [{"role": "user", "content": "ring mum"}],
        tools=[build_tool_definition(skill) for skill in SKILLS],
        add_generation_prompt=True,
        return_dict=False,
    )
    assert tokens == encode_prompt(make_tokenizer(), PromptStyle(), SKILLS, Question("ring mum"))


def test_the_grammar_has_only_what_gbnf_has_and_admits_calls(folder: Path) -> None:
    xgrammar = pytest.importorskip("xgrammar")
    grammar = (folder / "calls.gbnf").read_text("utf-8")
    names = re.findall(r"^(\S+) ::=", grammar, re.MULTILINE)
    assert [name for name in names if not re.fullmatch("[a-z][a-z0-9-]*", name)] == []
    compiled = xgrammar.GrammarCompiler(
        xgrammar.TokenizerInfo([bytes([byte]) for byte in range(256)])
    ).compile_grammar(xgrammar.Grammar.from_ebnf(grammar))
    for text, is_call in (
        ('call(contact="mum", device="work")', True),
        ("None", True),
        ('call(device="car")', False),
    ):
        matcher = xgrammar.GrammarMatcher(compiled, terminate_without_stop_token=True)
        assert (matcher.accept_string(text) and matcher.is_completed()) == is_call


def test_the_modelfile_writes_the_prompts_of_training(folder: Path) -> None:
    text = (folder / "Modelfile").read_text("utf-8")
    template, system = re.findall(r'"""(.*?)"""', text, re.DOTALL)
    assert text.startswith("FROM ./lora-1-2.gguf\n")
    assert 'PARAMETER stop "</s>"\n' in text
    turns = [("system", system), ("user", "ring mum")]
    body, start = re.fullmatch(
        r"\{\{ range \.Messages \}\}(.*)\{\{ end \}\}([^}]*)", template, re.DOTALL
    ).groups()  # type: ignore[union-attr]
    written = dict(re.findall(r'\{\{ if eq \.Role "(\w+)" \}\}(.*?)\{\{ end \}\}', body, re.DOTALL))
    prompt = "".join(written[role].replace("{{ .Content }}", content) for role, content in turns) + start
    tokenizer = make_tokenizer()
    assert tokenizer(prompt)["input_ids"] == encode_prompt(
        tokenizer, PromptStyle(), SKILLS, Question("ring mum")
    )


def test_a_template_that_ollama_cannot_write_is_refused() -> None:
    tokenizer = make_tokenizer(
        "{% for m in messages %}<|{{ m.role }}|>{{ m.content | upper }}{{ loop.index }}</s>{% endfor %}"
    )
    with pytest.raises(
        UserError, match="not_gguf: found a template that writes more than a text before and after"
    ):
        build_modelfile("a.gguf", tokenizer, SKILLS, PromptStyle(), 512)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            lambda: __import__("transformers").GPT2Config(),
            "found a model of the architecture gpt2, expected a Llama",
        ),
        (
            lambda: __import__("transformers").LlamaConfig(
                rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}
            ),
            "found rotary positions of the type linear",
        ),
    ],
)
def test_other_architectures_are_one_sentence(config: Callable[[], Any], message: str) -> None:
    model = type("Model", (), {"config": config()})
    with pytest.raises(UserError, match=message):
        check_architecture(model, make_tokenizer())


@pytest.mark.skipif(LLAMA is None, reason="no build of llama.cpp: neither llama-cli in PATH nor $LLAMA_CLI")
def test_llama_cpp_answers_within_the_grammar(folder: Path) -> None:
    assert LLAMA is not None
    done = subprocess.run(
        [LLAMA, "-m", str(folder / "lora-1-2.gguf"), "--grammar-file", str(folder / "calls.gbnf"), "-p", "ring mum", "-n", "40", "-no-cnv", "--temp", "0", "--no-display-prompt"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )  # fmt: skip
    assert re.match(r"\s*(None|\[?(call|set_timer|weather)\()", done.stdout)


@pytest.mark.skipif(NODE_MODULES is None, reason="no build of llama.cpp for Node: $NODE_LLAMA_CPP is not set")
def test_llama_cpp_for_node_reads_the_same_tokens_and_answers_within_the_grammar(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "ask.mjs").write_text(SCRIPT % NODE_MODULES, "utf-8")
    tokenizer = make_tokenizer()
    expected = encode_prompt(tokenizer, PromptStyle(), SKILLS, Question("ring mum at 7, für Zoë"))
    done = subprocess.run(
        [
            "node",
            "ask.mjs",
            str(folder / "lora-1-2.gguf"),
            str(folder / "calls.gbnf"),
            tokenizer.decode(expected),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    tokens, answer = json.loads(done.stdout)
    assert tokens == expected
    assert re.match(r"None|\[?(call|set_timer|weather)\(", answer)
