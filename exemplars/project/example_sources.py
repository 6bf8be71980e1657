"""A first source of a new project, in each format: valid as it is, and meant to be replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from exemplars.core.files import encode_json
from exemplars.project.rendering import render_template

_TOPICS: Final = ("family", "balcony", "garden", "lake", "terrace")
_SLOT: Final = "topic"


def build_skill_files(name: str, skills: Sequence[str]) -> dict[str, bytes]:
    """Build a skill example file for each skill."""
    return {
        f"{skill}.md": render_template("skill.md.jinja", skill=skill, words=_write_words(skill)).encode()
        for skill in skills
    }


def build_labeled_lines(name: str, skills: Sequence[str]) -> dict[str, bytes]:
    """Build labeled JSONL for each skill, and the tools that they call."""
    encode = msgspec.json.encode
    files = {
        f"{skill}.jsonl": b"".join(
            encode({"utterance": utterance, "skill": skill, "arguments": {_SLOT: topic}}) + b"\n"
            for utterance, topic in _write_utterances(skill)
        )
        for skill in skills
    }
    return {**files, "tools.json": encode_json([_declare_tool(skill) for skill in skills])}


def build_dialogues(name: str, skills: Sequence[str]) -> dict[str, bytes]:
    """Build dialogues in the format of the Schema-Guided Dialogue dataset, and the schema of their service."""
    service = f"{name}_1"
    slot = {"name": _SLOT, "description": "what it is about", "is_categorical": False, "possible_values": []}
    intents = [
        {
            "name": skill,
            "description": f"Says what {skill} does",
            "is_transactional": True,
            "required_slots": [_SLOT],
            "optional_slots": {},
            "result_slots": [_SLOT],
        }
        for skill in skills
    ]
    schema = {"service_name": service, "description": name, "slots": [slot], "intents": intents}
    dialogues = [
        _write_dialogue(service, skill, f"{number}_{position:05}", utterance, topic)
        for number, skill in enumerate(skills, 1)
        for position, (utterance, topic) in enumerate(_write_utterances(skill))
    ]
    return {"schema.json": encode_json([schema]), "dialogues_001.json": encode_json(dialogues)}


def build_bot(name: str, skills: Sequence[str]) -> dict[str, bytes]:
    """Build an OpenCUI bot: schemas, templates, and the recognizer that fills them."""
    declared = [
        {"name": skill, "description": f"Says what {skill} does", "slots": [_SLOT]} for skill in skills
    ]
    slots = {_SLOT: {"type": "string", "description": "what it is about"}}
    templates = {
        skill: [
            {"template": f"{_write_words(skill)} for the <{_SLOT}>"},
            {"template": f"a <{_SLOT}>, if I can {_write_words(skill)}"},
        ]
        for skill in skills
    }
    instances = [{"label": topic, "expressions": [topic]} for topic in _TOPICS]
    recognizers = {_SLOT: {"description": "what it is about", "instances": instances}}
    return {
        f"{name}/schemas.json": encode_json({"skills": declared, "slots": slots}),
        f"{name}/exemplars.json": encode_json(templates),
        f"{name}/recognizers.json": encode_json({"recognizers": recognizers}),
    }


def build_conversations(name: str, skills: Sequence[str]) -> dict[str, bytes]:
    """Build conversations with a call of each skill, as OpenAI's fine-tuning files have them."""
    encode = msgspec.json.encode
    tools = [_declare_tool(skill) for skill in skills]
    return {
        f"{skill}.jsonl": b"".join(
            encode({"messages": _write_messages(skill, utterance, topic), "tools": tools}) + b"\n"
            for utterance, topic in _write_utterances(skill)
        )
        for skill in skills
    }


FORMATS: Final[Mapping[str, str]] = {
    "skills": "a file for each skill, with its signature and pairs of request and call",
    "jsonl": "a JSON object for each request, with its call; `tools.json` declares the functions",
    "sgd": "dialogues and their schema, as in the Schema-Guided Dialogue dataset",
    "opencui": "bots, each with schemas, templates and recognizers",
    "chat": "a conversation with tool calls on each line, with the tools that it has",
}
"""What the files of each format are."""
BUILDERS: Final[Mapping[str, Callable[[str, Sequence[str]], dict[str, bytes]]]] = {
    "skills": build_skill_files,
    "jsonl": build_labeled_lines,
    "sgd": build_dialogues,
    "opencui": build_bot,
    "chat": build_conversations,
}
"""By format, what builds the files of a source from its name and skills."""


def _write_words(skill: str) -> str:
    return skill.replace("_", " ").replace("-", " ")


def _write_utterances(skill: str) -> list[tuple[str, str]]:
    """Write utterances that say what they are about, with that topic."""
    words = _write_words(skill)
    frames = (
        f"{words} for the {{}}",
        f"please {words} with a {{}}",
        f"could you {words} in the {{}}",
        f"I want to {words} near the {{}}",
        f"on the {{}}, {words}",
    )
    return [(frame.format(topic), topic) for frame, topic in zip(frames, _TOPICS, strict=True)]


def _declare_tool(skill: str) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": {_SLOT: {"type": "string", "description": "what it is about"}},
        "required": [_SLOT],
    }
    function = {"name": skill, "description": f"Says what {skill} does", "parameters": parameters}
    return {"type": "function", "function": function}


def _write_messages(skill: str, utterance: str, topic: str) -> list[dict[str, Any]]:
    arguments = msgspec.json.encode({_SLOT: topic}).decode()
    call = {"id": "call_0", "type": "function", "function": {"name": skill, "arguments": arguments}}
    return [
        {"role": "user", "content": utterance},
        {"role": "assistant", "content": None, "tool_calls": [call]},
    ]


def _write_dialogue(service: str, skill: str, dialogue_id: str, utterance: str, topic: str) -> dict[str, Any]:
    start = utterance.index(topic)
    state = {"active_intent": skill, "requested_slots": [], "slot_values": {_SLOT: [topic]}}
    span = {"slot": _SLOT, "start": start, "exclusive_end": start + len(topic)}
    frame = {"service": service, "actions": [], "slots": [span], "state": state}
    reply = {"speaker": "SYSTEM", "utterance": "It is done.", "frames": []}
    turns = [{"speaker": "USER", "utterance": utterance, "frames": [frame]}, reply]
    return {"dialogue_id": dialogue_id, "services": [service], "turns": turns}
