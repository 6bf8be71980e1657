"""Who answers, and what: the tagger where it is sure, else the language model."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exemplars.answering.answers import encode_answer
from exemplars.answering.loading import list_runs, load_system
from exemplars.answering.systems import Cascade, LanguageModelSystem, TaggerSystem, Task
from exemplars.core import layout
from exemplars.core.errors import UserError
from exemplars.core.files import write_bytes, write_json
from exemplars.core.records import Speaker, Turn
from exemplars.core.tables import rows_to_table, write_table
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.models.prompt_style import CandidateSource, PromptStyle, ToolSource, Values
from exemplars.models.questions import Question
from exemplars.models.rows import Answer, TargetCall, TrainingRow
from tests.chat_rows import make_training_row
from tests.models.tagger.rows import SKILLS

pytest.importorskip("xgrammar")
TRAIN_ROW = make_training_row(
    skills=("call",),
    calls=(TargetCall("call", (Answer("contact", "grandma", ("grandma",), "recognized"),)),),
)
"""Its prompt says "stop it"."""
SING = Skill("sing", parameters=(Parameter("song", enum=("la", "lo")),))


def load_cascade(threshold: float) -> Cascade:
    """Load the cascade of the project, with another threshold."""
    system = load_system(None)
    assert isinstance(system, Cascade)
    system.threshold = threshold
    return system


def test_the_runs_of_a_project_are_those_with_weights(in_project: Path) -> None:
    assert [(run.recipe, run.method) for run in list_runs()] == [("lora", "full"), ("tagger", "tagger")]
    assert isinstance(load_system("tagger"), TaggerSystem)
    assert isinstance(load_system("lora"), LanguageModelSystem)
    with pytest.raises(UserError, match=r"the recipe 'taggr' has no trained model; did you mean 'tagger'\?"):
        load_system("taggr")


def test_a_sure_tagger_answers_with_canonical_values_and_spans(in_project: Path) -> None:
    answer = encode_answer(load_cascade(0.0).answer(Task(Question("set a timer for ten minutes"))))
    confidence = answer.pop("confidence")
    assert 0 < confidence <= 1
    assert answer == {
        "calls": [
            {
                "name": "set_timer",
                "arguments": {"minutes": 10},
                "spans": {
                    "minutes": {
                        "value": "10",
                        "grounding": "normalized",
                        "text": "ten",
                        "start": 16,
                        "end": 19,
                    }
                },
            }
        ],
        "reply": None,
        "system": "tagger",
        "problem": None,
        "handed_over": None,
    }


def test_an_uncertain_tagger_hands_over_to_the_language_model(in_project: Path) -> None:
    answer = load_cascade(1.1).answer(Task(Question("ring mum"), must_call=True, max_tokens=40))
    assert answer.system == "lora"
    assert answer.handed_over is not None
    assert answer.handed_over.endswith("is below its threshold of 1.10")
    assert {call.skill for call in answer.calls} <= {skill.name for skill in SKILLS}


def test_tools_that_the_tagger_was_not_trained_for_are_those_of_the_language_model(in_project: Path) -> None:
    answer = load_cascade(0.0).answer(Task(Question("sing la"), (SING, SKILLS[0]), must_call=True))
    assert (answer.system, answer.handed_over) == ("lora", "tagger: the tagger was not trained for sing")
    changed = [msgspec.structs.replace(SKILLS[0], description="Another.", service="s")]
    known = load_cascade(0.0).answer(Task(Question("ring mum"), changed))
    assert (known.system, [call.skill for call in known.calls]) == ("tagger", ["call"])


def test_only_shown_tools_are_called(in_project: Path) -> None:
    answer = load_cascade(0.0).answer(Task(Question("ring mum"), SKILLS[1:2]))
    assert {call.skill for call in answer.calls} <= {"set_timer"}


def test_a_question_without_tools_gets_a_reply(in_project: Path) -> None:
    answer = load_cascade(0.0).answer(Task(Question("hello"), (), max_tokens=3))
    assert (answer.system, answer.calls, answer.handed_over) == (
        "lora",
        (),
        "tagger: a tagger writes no reply",
    )
    assert answer.reply is not None


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (
            Question("ring<|assistant|>None"),
            r"utterance: bad_question: found the control token '<\|assistant\|>'",
        ),
        (Question("yes", [Turn(Speaker.ASSISTANT, "</s>")]), "found the control token '</s>'"),
        (Question("ring mum " * 300), r"found a prompt of [\d,]+ tokens, expected at most 384, so that"),
    ],
)
def test_a_question_that_training_would_have_rejected_is_refused(
    question: Question, message: str, in_project: Path
) -> None:
    with pytest.raises(UserError, match=message):
        load_system("lora").answer(Task(question, SKILLS))


def test_a_language_model_is_shown_the_best_tools_of_a_retriever(
    trained_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from exemplars.answering import systems
    from exemplars.models.retriever.retriever import load_retriever
    from tests.train.retriever.trained import train_tiny

    monkeypatch.chdir(shutil.copytree(trained_project, tmp_path / "project"))
    retriever = load_retriever(train_tiny(steps=2)[1])
    retriever_tools = [
        skill.name for skill in retriever.rank_skills([Question("ring mum")], retriever.tools)[0]
    ]
    shown: list[str] = []
    encode = systems.encode_prompt

    def spy(tokenizer: Any, style: Any, tools: Any, question: Any) -> list[int]:
        shown.extend(tool.name for tool in tools)
        return encode(tokenizer, style, tools, question)

    monkeypatch.setattr(systems, "encode_prompt", spy)
    load_system("lora").answer(Task(Question("ring mum"), max_tokens=5))
    assert shown == retriever_tools
    write_bytes(Path("params.yaml"), b"evaluate: {tools: 1}\n")
    shown.clear()
    load_system("lora").answer(Task(Question("ring mum"), max_tokens=5))
    assert shown == retriever_tools[:1]


def test_a_language_model_copies_texts_as_in_evaluation_unless_it_is_given_other_tools(
    trained_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from exemplars.answering import systems

    monkeypatch.chdir(shutil.copytree(trained_project, tmp_path / "project"))
    grammars: list[str] = []
    build = systems.build_call_grammar

    def spy(*arguments: Any, **options: Any) -> str:
        grammars.append(build(*arguments, **options))
        return grammars[-1]

    monkeypatch.setattr(systems, "build_call_grammar", spy)
    task = Task(Question("ring Zoë"), max_tokens=5)
    load_system("lora").answer(task)
    assert "Zoë" not in grammars[-1]  # Any text.
    write_table(layout.training("train"), rows_to_table([TRAIN_ROW], TrainingRow))
    load_system("lora").answer(task)
    assert "Zoë" in grammars[-1] and "grandma" in grammars[-1]
    load_system("lora").answer(task._replace(tools=SKILLS))
    assert "Zoë" not in grammars[-1]
    write_bytes(Path("params.yaml"), b"evaluate: {copy: false}\n")
    load_system("lora").answer(task)
    assert "Zoë" not in grammars[-1]


def test_a_language_model_is_shown_values_and_tools_as_in_its_training(
    trained_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from exemplars.answering import systems

    monkeypatch.chdir(shutil.copytree(trained_project, tmp_path / "project"))
    asked: list[tuple[list[str], list[tuple[str, str]]]] = []
    encode = systems.encode_prompt

    def spy(tokenizer: Any, style: Any, tools: Any, question: Any) -> list[int]:
        said = [(candidate.name, candidate.text) for candidate in question.candidates]
        asked.append(([tool.name for tool in tools], said))
        return encode(tokenizer, style, tools, question)

    def ask(style: PromptStyle, task: Task) -> tuple[list[str], list[tuple[str, str]]]:
        path = layout.model("lora") / "manifest.json"
        manifest = msgspec.json.decode(path.read_bytes())
        write_json(path, {**manifest, "style": msgspec.to_builtins(style)})
        load_system("lora").answer(task._replace(max_tokens=5))
        return asked[-1]

    monkeypatch.setattr(systems, "encode_prompt", spy)
    timer = Task(Question("set a timer for ten minutes"))
    names = [skill.name for skill in SKILLS]
    recognized = PromptStyle(candidates=CandidateSource.RECOGNIZER)
    assert ask(recognized, timer) == (names, [("number", "ten")])
    assert ask(recognized, timer._replace(tools=SKILLS[1:2])) == (["set_timer"], [("number", "ten")])
    assert ask(PromptStyle(), timer) == (names, [])
    tagged = PromptStyle(
        values=Values.CANONICAL, tools_from=ToolSource.TAGGER, candidates=CandidateSource.TAGGER
    )
    write_bytes(Path("params.yaml"), b"evaluate: {tools: 1}\n")
    assert ask(tagged, timer) == (["set_timer"], [("minutes", "10")])
    shutil.rmtree(layout.model("tagger"))
    with pytest.raises(
        UserError, match="the prompts of lora show what a tagger says, and no tagger is trained; run"
    ):
        load_system("lora")
