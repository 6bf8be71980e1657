from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import yaml

from exemplars.cli.params import load_defaults
from exemplars.cli.sections import load_section_types
from exemplars.core.parameter_docs import list_parameters, read_field_docs, render_section
from exemplars.core.params import SECTIONS, load_section

PROJECT = Path(__file__).parents[2]
TYPES = load_section_types()


class Words(msgspec.Struct, frozen=True):
    least: int = 1
    """Minimum number
    of words."""
    kinds: tuple[str, ...] = ("a", "b")


class Section(msgspec.Struct, frozen=True):
    """What a text may be."""

    words: Words = Words()
    languages: dict[str, str] = {}
    """By
    code.
      en  the language
      fr  another"""
    limit: float | None = None


def list_comments(text: str) -> Iterator[tuple[str, str]]:
    """The comment above each key of a YAML document, by the dotted key."""
    keys: list[str] = []
    comment: list[str] = []
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            comment.append(line.strip().removeprefix("#"))
        elif ":" in line and not line.lstrip().startswith("-"):
            indent = (len(line) - len(line.lstrip())) // 2
            keys[indent:] = [line.strip().partition(":")[0]]
            yield ".".join(keys), " ".join(" ".join(comment).split())
            comment = []


def test_a_section_is_rendered_with_the_docstrings_of_its_fields_as_comments() -> None:
    assert render_section("texts", Section, Section()) == (
        "# What a text may be.\n"
        "texts:\n"
        "  words:\n"
        "    # Minimum number of words.\n"
        "    least: 1\n"
        "    kinds: [a, b]\n"
        "  # By code.\n"
        "  #   en  the language\n"
        "  #   fr  another\n"
        "  languages: {}\n"
        "  limit: null\n"
    )


def test_parameters_are_listed_by_dotted_key_with_value_and_comment() -> None:
    assert list(list_parameters("texts", Section()))[:2] == [
        {"key": "texts.words.least", "value": 1, "comment": "Minimum number of words."},
        {"key": "texts.words.kinds", "value": ("a", "b"), "comment": ""},
    ]


@pytest.mark.parametrize("name", SECTIONS)
def test_the_comments_of_params_yaml_are_those_of_the_types(name: str) -> None:
    text = (PROJECT / "params.yaml").read_text("utf-8")
    written = {key: comment for key, comment in list_comments(text) if key.startswith(f"{name}.")}
    section = load_section(name, TYPES[name], PROJECT / "params.yaml")
    declared = dict(list_comments(render_section(name, TYPES[name], section)))
    assert written == {key: declared.get(key, "") for key in written}


@pytest.mark.parametrize("name", SECTIONS)
def test_what_is_printed_reads_as_the_same_section(name: str) -> None:
    section = load_section(name, TYPES[name], PROJECT / "params.yaml")
    text = render_section(name, TYPES[name], section)
    assert msgspec.convert(yaml.safe_load(text)[name], TYPES[name]) == section
    assert max(len(line) for line in text.splitlines() if line.lstrip().startswith("#")) <= 80


@pytest.mark.parametrize("name", SECTIONS)
def test_every_default_has_a_comment(name: str) -> None:
    for entry in list_parameters(name, load_defaults(name, TYPES)):
        assert entry["comment"], entry["key"]


def test_fields_of_base_classes_are_documented_too() -> None:
    class Longer(Words, frozen=True):
        pass

    assert read_field_docs(Longer) == {"least": "Minimum number\nof words."}
