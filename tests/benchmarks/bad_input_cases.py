"""The cases of `bad_inputs.py`: everything that a file, a record or a parameter can be and should not be."""

from __future__ import annotations

import json
import os
import re
import socket
import string
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, Union, get_args, get_origin

import msgspec
import yaml

from exemplars.cli.sections import load_section_types

SAMPLE: Final = Path(__file__).parents[1] / "sample"
INGEST: Final = ("stages.ingest", "mine")
COMPILE: Final = ("stages.compile",)
LINT: Final = ("exemplars.cli.main", "lint", "raw", "--recognizers", "recognizers.json")
CHECK: Final = ("exemplars.cli.main", "check")
RECOVER: Final = ("exemplars.cli.main", "recover")
LOCK: Final = """\
schema: '2.0'
stages:
  compile:
    cmd: python -m stages.compile
    outs:
    - path: data/exemplars
      md5: 92eb5ffee6ae2fec3ad71c777531578f.dir
"""
RWLOCK: Final = """{"write": {"data/exemplars": {"pid": 999999, "cmd": "dvc repro"}}, "read": {}}"""
PARAMS: Final = """\
ingest:
  context_turns: 4
  sources:
    mine: {{format: {format}, path: raw, license: MIT, on_bad_file: {on_bad_file}{options}}}
compile:
  sources: [mine]
  recognizers: schemas/recognizers.json
validate: {{max_rejection_rate: 1.0}}
"""
SKILL: Final = """\
#### Prompt:
call(who="[whom]", times=[number])
Calls somebody.

#### Parameters:
times: integer, optional

#### Examples:
### User: call Maria
### Assistant: call(who="Maria")
"""
OTHER_SKILL: Final = SKILL.replace("call(", "ring(")
LINE: Final = '{"utterance": "ring Maria", "skill": "ring", "arguments": {"who": "Maria"}}\n'
TOOLS: Final = """[{"type": "function", "function": {"name": "ring", "description": "Rings.", "parameters":
{"type": "object", "properties": {"who": {"type": "string"}}}}}]"""
BOT_SCHEMAS: Final = """{"skills": [{"name": "order", "slots": ["bread"]}], "slots": {"bread": {}}}"""
BOT_TEMPLATES: Final = """{"order": [{"template": "one <bread> please"}]}"""
BAKE_SCHEMAS: Final = BOT_SCHEMAS.replace("order", "bake")
BAKE_TEMPLATES: Final = BOT_TEMPLATES.replace("order", "bake")
RECOGNIZERS: Final = (
    """{"recognizers": {"bread": {"instances": [{"label": "rye", "expressions": ["rye"]}]}}}"""
)
SGD_SCHEMA: Final = """[{"service_name": "Calls_1", "slots": [{"name": "who"}],
"intents": [{"name": "Ring", "required_slots": ["who"]}]}]"""
SGD_DIALOGUES: Final = """[{"dialogue_id": "NUMBER_00000", "services": ["Calls_1"], "turns": [{"speaker": "USER",
"utterance": "ring Maria", "frames": [{"service": "Calls_1", "slots": [{"slot": "who", "start": 5, "exclusive_end":
10}], "actions": [{"act": "INFORM", "slot": "who", "values": ["Maria"], "canonical_values": ["Maria"]}],
"state": {"active_intent": "Ring", "slot_values": {"who": ["Maria"]}}}]}]}]"""
NLU: Final = "nlu:\n- intent: ring\n  examples: |\n    - ring [Maria](who)\n"
SNIPS: Final = """{"call": [{"data": [{"text": "call "}, {"text": "Maria", "entity": "who"}]}]}"""
LUIS: Final = """{"luis_schema_version": "7.0.0", "utterances": [{"text": "call Maria", "intent": "call", "entities":
[{"entity": "who", "startPos": 5, "endPos": 9}]}]}"""
TAGS: Final = "# intent: call\ncall O\nMaria B-who\n"
TOMBSTONE: Final = '{"id": "t1", "place": "mine:good.md#99", "reviewer": "Kim", "reason": "asked"}\n'


class Target(NamedTuple):
    """A file that is attacked, in a project that is sound otherwise."""

    name: str
    format: str
    path: str
    """Of the file."""
    good: str
    """What the file should hold."""
    files: Mapping[str, str]
    """The other files of the project; they hold one record."""
    commands: tuple[tuple[str, ...], ...] = (INGEST, COMPILE)
    options: str = ""
    has_rows: bool = False
    """Whether the file holds records, so that it needs a row of its own even if it cannot be read."""


class Case(NamedTuple):
    """Something bad in a project."""

    name: str
    write: Callable[[Path], None]
    """Writes the project into an empty folder."""
    commands: tuple[tuple[str, ...], ...]
    place: str
    """What a message must name if a command fails."""
    rows: int = 0
    """The number of records and unreadable files that `reports/ingest/mine.json` must count at least."""
    environment: Mapping[str, str] = {}
    must_fail: bool = False
    """Whether a command that succeeds has accepted what nothing can be made of."""


_DVC: Final = {"raw/good.md": SKILL, ".dvc/config": ""}
_SKILL_FILES: Final = {"raw/good.md": SKILL}
_LINES: Final = {"raw/good.jsonl": LINE}
_BOT: Final = {
    "raw/a/schemas.json": BOT_SCHEMAS,
    "raw/a/exemplars.json": BOT_TEMPLATES,
    "raw/a/recognizers.json": RECOGNIZERS,
}
_NLU: Final = {"raw/good.yml": NLU}
_SGD: Final = {"raw/schema.json": SGD_SCHEMA, "raw/dialogues_001.json": SGD_DIALOGUES.replace("NUMBER", "1")}
TARGETS: Final = (
    Target("skill file", "skills", "raw/bad.md", OTHER_SKILL, _SKILL_FILES, has_rows=True),
    Target("labeled examples", "jsonl", "raw/bad.jsonl", LINE, _LINES, has_rows=True),
    Target("tools.json", "jsonl", "raw/tools.json", TOOLS, _LINES),
    Target(
        "bot schemas",
        "opencui",
        "raw/b/schemas.json",
        BAKE_SCHEMAS,
        {**_BOT, "raw/b/exemplars.json": BAKE_TEMPLATES},
    ),
    Target(
        "bot templates",
        "opencui",
        "raw/b/exemplars.json",
        BAKE_TEMPLATES,
        {**_BOT, "raw/b/schemas.json": BAKE_SCHEMAS},
    ),
    Target(
        "bot recognizers",
        "opencui",
        "raw/b/recognizers.json",
        RECOGNIZERS,
        {**_BOT, "raw/b/schemas.json": BAKE_SCHEMAS, "raw/b/exemplars.json": BAKE_TEMPLATES},
    ),
    Target(
        "SGD dialogues",
        "sgd",
        "raw/dialogues_002.json",
        SGD_DIALOGUES.replace("NUMBER", "2"),
        _SGD,
        options=", splits: []",
        has_rows=True,
    ),
    Target("SGD schema", "sgd", "raw/schema.json", SGD_SCHEMA, _SGD, options=", splits: []"),
    Target("NLU data of Rasa", "nlu", "raw/bad.yml", NLU, _NLU, has_rows=True),
    Target("NLU data of Snips", "nlu", "raw/bad.json", SNIPS, _NLU, has_rows=True),
    Target("NLU data of LUIS", "nlu", "raw/bad.json", LUIS, _NLU, has_rows=True),
    Target("NLU data with tags", "nlu", "raw/bad.conll", TAGS, _NLU, has_rows=True),
    Target("recognizers", "skills", "schemas/recognizers.json", RECOGNIZERS, _SKILL_FILES),
    Target("tombstones", "skills", "data/raw/erasures.jsonl", TOMBSTONE, _SKILL_FILES, (INGEST,)),
    Target("lint of a skill file", "skills", "raw/bad.md", SKILL, _SKILL_FILES, (LINT,)),
    Target("lint with recognizers", "skills", "recognizers.json", RECOGNIZERS, _SKILL_FILES, (LINT,)),
    Target("dvc.lock", "skills", "dvc.lock", LOCK, _DVC, (RECOVER,)),
    Target("the rwlock of DVC", "skills", ".dvc/tmp/rwlock", RWLOCK, {**_DVC, "dvc.lock": LOCK}, (RECOVER,)),
    Target(
        "the copy of dvc.lock",
        "skills",
        ".dvc/tmp/exemplars/dvc.lock",
        LOCK,
        {**_DVC, "dvc.lock": ""},
        (RECOVER,),
    ),
    Target("parameters", "skills", "params.yaml", PARAMS, _SKILL_FILES, (CHECK, INGEST)),
)
CONTENTS: Final[Mapping[str, Callable[[str], bytes]]] = {
    "nothing": lambda good: b"",
    "white space": lambda good: b" \n\t\r\n" * 1000,
    "a byte order mark alone": lambda good: b"\xef\xbb\xbf",
    "a byte order mark": lambda good: b"\xef\xbb\xbf" + good.encode(),
    "latin-1": lambda good: good.replace("Maria", "Zoë").replace("rye", "rosé").encode("latin-1") + b"\xe9",
    "UTF-16": lambda good: good.encode("utf-16"),
    "UTF-32": lambda good: good.encode("utf-32"),
    "NUL bytes": lambda good: b"\0" * 1000,
    "a NUL within": lambda good: good.replace("Maria", "Mar\0ia").replace("rye", "r\0ye").encode(),
    "random bytes": lambda good: bytes((index * 7919) % 251 for index in range(5000)),
    "gzip": lambda good: b"\x1f\x8b\x08\x00" + good.encode(),
    "the first half": lambda good: good.encode()[: len(good) // 2],
    "a key twice": lambda good: re.sub(r'"(\w+)"\s*:', r'"\1": null, \g<0>', good, count=1).encode(),
    "every key twice": lambda good: re.sub(r'"(\w+)"\s*:', r'"\1": null, \g<0>', good).encode(),
    "a key twice, once with an escape": lambda good: re.sub(
        r'"(\w)(\w+)"\s*:',
        lambda match: f'"\\u{ord(match[1]):04x}{match[2]}": null, {match[0]}',
        good,
        count=1,
    ).encode(),
    "a list of 20,000 equal keys": lambda good: b"[{" + b'"a": 1, ' * 20_000 + b'"a": 1}]',
    "an empty list": lambda good: b"[]",
    "an empty object": lambda good: b"{}",
    "null": lambda good: b"null",
    "a number": lambda good: b"12",
    "a text": lambda good: b'"text"',
    "a list of null": lambda good: b"[null]",
    "a list of lists": lambda good: b"[[[]]]",
    "objects of null": lambda good: b'{"skills": null, "slots": null, "recognizers": null, "order": null}',
    "100,000 nested lists": lambda good: b"[" * 100_000 + b"]" * 100_000,
    "100,000 nested objects": lambda good: b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "500 nested lists": lambda good: b"[" * 500 + b"]" * 500,
    "100,000 open brackets": lambda good: b"[" * 100_000,
    "an integer of 10,000 digits": lambda good: b"9" * 10_000,
    "infinity": lambda good: b"[Infinity, NaN, 1e999]",
    "a lone surrogate": lambda good: good.replace("Maria", "\\ud800").replace("rye", "\\ud800").encode(),
    "encoded surrogates": lambda good: good.encode() + b"\xed\xa0\x80",
    "carriage returns": lambda good: good.replace("\n", "\r").encode(),
    "5 MB of spaces": lambda good: b" " * 5_000_000 + good.encode(),
    "5 MB of one letter": lambda good: good.encode() + b"x" * 5_000_000,
    "a text of 50 MB": lambda good: good.replace("Maria", "Maria" * 10_000_000).encode(),
    "300 MB": lambda good: good.encode() + b"\n" * 300_000_000,
}


def _make_fifo(path: Path) -> None:
    os.mkfifo(path)


def _make_socket(path: Path) -> None:
    folder = os.getcwd()
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(path.parent)  # A socket's path may have 107 bytes.
        server.bind(path.name)
        os.chdir(folder)


def _make_folder_link(path: Path) -> None:
    (path.parent / ".elsewhere").mkdir()
    path.symlink_to(path.parent / ".elsewhere", target_is_directory=True)


def _make_unreadable(path: Path) -> None:
    path.write_bytes(b"secret")
    path.chmod(0)


OBJECTS: Final[Mapping[str, Callable[[Path], None]]] = {
    "a folder": lambda path: path.mkdir(),
    "a folder with a file": lambda path: (path.mkdir(), (path / "x.md").write_text(SKILL))[0],
    "a named pipe": _make_fifo,
    "a socket": lambda path: _make_socket(path),
    "a broken link": lambda path: path.symlink_to("nothing"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to /dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "a link to /dev/full": lambda path: path.symlink_to("/dev/full"),
    "a link to a folder": _make_folder_link,
    "a link to a loop of folders": lambda path: path.symlink_to(".", target_is_directory=True),
    "a file that cannot be read": _make_unreadable,
    "a link to a process's memory": lambda path: path.symlink_to("/proc/self/mem"),
}
"""What can be in the place of a file."""


def list_cases() -> Iterator[Case]:
    """List all cases."""
    for target in TARGETS:
        yield from attack_file(target)
    yield from _list_folder_cases()
    yield from _list_records()
    yield from _list_parameters()
    yield from _list_documents()
    yield from _list_environments()


def attack_file(target: Target) -> Iterator[Case]:
    """List all that can be in the place of a file."""
    for name, content in CONTENTS.items():
        yield _attack(target, name, "reject", _make_writer(content, target.good))
    for name, make in OBJECTS.items():
        if not (name == "a file that cannot be read" and os.geteuid() == 0):  # Root reads everything.
            yield _attack(target, name, "reject", make)
    if target.has_rows:
        for name in ("latin-1", "100,000 nested lists", "nothing"):
            yield _attack(
                target, f"{name}, on_bad_file: fail", "fail", _make_writer(CONTENTS[name], target.good)
            )


def _attack(target: Target, name: str, on_bad_file: str, make: Callable[[Path], None]) -> Case:
    def write(root: Path) -> None:
        _write_project(root, target.format, target.files, on_bad_file, target.options)
        path = root / target.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        make(path)

    counted = target.commands[0] is INGEST and target.name not in ("tools.json", "SGD schema", "tombstones")
    # They hold no record, and hide none.
    is_empty = name in ("a folder", "a folder with a file") or (
        name == "an empty list" and target.format == "sgd"
    )
    rows = (1 + (target.has_rows and not is_empty)) if counted else 0
    return Case(f"{target.name}: {name}", write, target.commands, Path(target.path).name, rows)


def _write_project(
    root: Path, form: str, files: Mapping[str, str | bytes], on_bad_file: str = "reject", options: str = ""
) -> None:
    params = PARAMS.format(format=form, on_bad_file=on_bad_file, options=options)
    recognizers = '{"recognizers": {}}'
    for path, content in {"params.yaml": params, "schemas/recognizers.json": recognizers, **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content if isinstance(content, bytes) else content.encode())


def _make_writer(content: Callable[[str], bytes], good: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(content(good))

    return write


def _list_folder_cases() -> Iterator[Case]:
    """List what a folder may hide: links, names, files of other names."""
    hidden: dict[str, Callable[[Path], None]] = {
        "a linked folder": lambda raw: (raw / "more").symlink_to(
            _make_elsewhere(raw), target_is_directory=True
        ),
        "a broken link to a folder": lambda raw: (raw / "more").symlink_to("gone"),
        "a folder that links to its parent": lambda raw: (raw / "loop").symlink_to(
            "..", target_is_directory=True
        ),
        "a name that is not UTF-8": lambda raw: _write_named(raw, b"caf\xe9.SUFFIX"),
        "a name with a newline": lambda raw: _write_named(raw, b"a\nb.SUFFIX"),
        "a name with an escape sequence": lambda raw: _write_named(raw, b"\x1b]0;a\x07.SUFFIX"),
        "a name of 255 bytes": lambda raw: _write_named(raw, b"x" * 240 + b".SUFFIX"),
        "a name in capitals": lambda raw: _write_named(raw, b"MORE.SUFFIX", str.upper),
        "a name with # and :": lambda raw: _write_named(raw, b"a#b:c.SUFFIX"),
        "another suffix": lambda raw: _write_named(raw, b"more.txt"),
        "a packed file": lambda raw: _write_named(raw, b"more.SUFFIX.gz"),
        "a folder whose name is not UTF-8": lambda raw: _write_below(raw, b"caf\xe9"),
        "100 nested folders": lambda raw: _write_below(raw, b"/".join([b"d"] * 100)),
    }
    for form, files, command in (
        ("skills", _SKILL_FILES, INGEST),
        ("jsonl", _LINES, INGEST),
        ("skills", _SKILL_FILES, LINT),
    ):
        for name, hide in hidden.items():

            def write(root: Path, form: str = form, files: Any = files, hide: Any = hide) -> None:
                _write_project(root, form, files)
                hide(root / "raw")

            rows = 2 if command is INGEST else 0
            yield Case(f"folder of {form}, {command[-1]}: {name}", write, (command,), "", rows)


def _suffix_and_content(raw: Path) -> tuple[str, str]:
    form = next(raw.iterdir()).suffix
    return form.removeprefix("."), (SKILL if form == ".md" else LINE).replace("Maria", "Zoe")


def _make_elsewhere(raw: Path) -> Path:
    suffix, content = _suffix_and_content(raw)
    folder = raw.parent / "elsewhere"
    folder.mkdir()
    (folder / f"more.{suffix}").write_text(content)
    return folder


def _write_named(raw: Path, name: bytes, change: Callable[[str], str] = str) -> None:
    suffix, content = _suffix_and_content(raw)
    path = os.fsencode(raw) + b"/" + name.replace(b"SUFFIX", change(suffix).encode())
    with open(path, "w") as file:
        file.write(content)


def _write_below(raw: Path, folder: bytes) -> None:
    suffix, content = _suffix_and_content(raw)
    path = os.fsencode(raw) + b"/" + folder
    os.makedirs(path)
    with open(path + b"/more." + suffix.encode(), "w") as file:
        file.write(content)


CALLS: Final = {
    "5,000 unary minuses": "call(who='x', times=" + "-" * 5_000 + "5)",
    "900 unary minuses": "call(who='x', times=" + "-" * 900 + "5)",
    "a hexadecimal integer of 100,000 digits": "call(who='x', times=0x" + "f" * 100_000 + ")",
    "a decimal integer of 100,000 digits": "call(who='x', times=" + "9" * 100_000 + ")",
    "an integer beyond 64 bits": "call(who='x', times=9223372036854775808)",
    "an infinite number": "call(who='x', times=1e999)",
    "a complex number": "call(who='x', times=1j)",
    "a lone surrogate": r"call(who='\ud800')",
    "a NUL": "call(who='\0')",
    "an escaped NUL": r"call(who='\0')",
    "bytes": "call(who=b'x')",
    "an f-string": "call(who=f'{x}')",
    "a list": "call(who=['x'])",
    "a star": "call(**{'who': 'x'})",
    "a lambda": "call(who=lambda: 1)",
    "an attribute": "os.system('true')",
    "another call inside": "call(who=exit())",
    "3,000 nested brackets": "call(who=" + "(" * 3_000 + "'x'" + ")" * 3_000 + ")",
    "a sum of 50,000": "call(who=" + "1+" * 50_000 + "1)",
    "100,000 arguments": "call(" + "who='x'," * 100_000 + ")",
    "100,000 unknown arguments": "call(" + ",".join(f"a{number}=1" for number in range(100_000)) + ")",
    "a text of 900 kB": "call(who='" + "x" * 900_000 + "')",
    "a call of 2 MB": "call(who='" + "x" * 2_000_000 + "')",
    "an invalid escape": r"call(who='\N{NO SUCH NAME}')",
    "a soft keyword": "call(who=None, match=1)",
    "two statements": "call(who='x'); call(who='y')",
    "nothing": "",
}
EXAMPLE_LINES: Final[Mapping[str, Any]] = {
    **{
        f"the license {name}": {"license": license}
        for name, license in {
            "of nothing": "",
            "of a space": " ",
            "with a space": "Apache 2.0",
            "of an unknown name": "NONE",
            "that is open": "MIT AND",
            "with an open bracket": "(MIT",
            "of operators": "AND OR WITH",
            "that is null": None,
            "that is a number": 5,
            "that is a list": ["MIT"],
            "of 40 alternatives": " AND ".join(["(MIT OR X11)"] * 40),
            "of 1,000 brackets": "(" * 1000 + "MIT" + ")" * 1000,
            "of 500 KB": "MIT OR " * 70_000 + "MIT",
            "with a NUL": "MIT\0",
            "with a newline": "MIT\nOR\nX11",
            "with an escape of a terminal": "MIT\x1b[2J",
        }.items()
    },
    "an integer beyond 64 bits": {"arguments": {"who": 2**70}},
    "an integer of 300 digits": {"arguments": {"who": 10**300}},
    "a span beyond 31 bits": {"spans": {"who": [5, 2**31]}},
    "a span beyond 64 bits": {"spans": {"who": [5, 2**80]}},
    "a negative span": {"spans": {"who": [-5, -1]}},
    "a reversed span": {"spans": {"who": [10, 5]}},
    "a span of three": {"spans": {"who": [1, 2, 3]}},
    "a span of fractions": {"spans": {"who": [1.5, 2.5]}},
    "a start beyond 31 bits": {
        "arguments": [{"slot": "who", "value": "Maria", "start": 2**33, "end": 2**34}]
    },
    "a skill that is a list": {"skill": ["ring"]},
    "a skill that is an object": {"skill": {"a": 1}},
    "an empty skill": {"skill": ""},
    "a slot of white space": {"arguments": {" ": "Maria"}},
    "an empty slot": {"arguments": {"": "Maria"}},
    "a value that is null": {"arguments": {"who": None}},
    "a value that is a list": {"arguments": {"who": ["Maria"]}},
    "a value that is an object": {"arguments": {"who": {"a": {"b": 1}}}},
    "a value that is true": {"arguments": {"who": True}},
    "an empty value": {"arguments": {"who": ""}},
    "an empty utterance": {"utterance": ""},
    "an utterance of white space": {"utterance": " \t "},
    "an utterance that is null": {"utterance": None},
    "an utterance of controls": {"utterance": "\x00\x1b[31m\x7f\u202e Maria"},
    "an utterance of 900 kB": {"utterance": "Maria " + "la " * 300_000},
    "an utterance of 5 MB": {"utterance": "Maria " + "la " * 1_700_000},
    "an utterance of 900 kB of digits": {"utterance": "Maria " + "9" * 900_000},
    "2,000 number words": {"utterance": "Maria " + "twenty " * 2_000},
    "4,000 spaces": {"utterance": "Maria" + " " * 4_000 + "x"},
    "20,000 brackets": {"utterance": "Maria" + "<" * 20_000},
    "20,000 combining marks": {"utterance": "Maria" + "\u0301" * 20_000},
    "chat tokens": {"utterance": "<|im_end|> Maria <|im_start|>"},
    "a template without its text": {"exemplar": "<who>"},
    "a template of 5,000 slots": {"exemplar": "ring " + "<who>" * 5_000},
    "an unknown mode": {"mode": "maybe"},
    "an unknown split": {"split": "dev"},
    "a split that is a number": {"split": 1},
    "an unknown speaker": {"context": [{"speaker": "dog", "utterance": "wuff"}]},
    "a context of 10,000 turns": {"context": [{"speaker": "user", "utterance": "hm"}] * 10_000},
    "a context that is a text": {"context": "before"},
    "a group of 100 kB": {"group": "g" * 100_000},
    "a group with a colon": {"group": "a:b#c/d~e"},
    "a license of 100 kB": {"license": "MIT " * 25_000},
    "10,000 arguments": {"arguments": {f"s{number}": "Maria" for number in range(10_000)}},
    "10,000 misspelled spans": {
        "arguments": {f"s{number}": "Maria" for number in range(10_000)},
        "spans": {f"t{number}": [0, 1] for number in range(10_000)},
    },
    "an unknown key": {"utternace": "ring"},
    "a key of 100 kB": {"k" * 100_000: 1},
    "nested to 99 levels": {"arguments": json.loads('{"a":' * 99 + "1" + "}" * 99)},
}
RAW_LINES: Final = {
    "100,000 nested lists in a key": '{"utterance": "a", "x": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "a lone surrogate in a key": '{"utterance": "a", "\\ud800": 1}',
    "a lone surrogate in a text": '{"utterance": "\\udfff"}',
    "a duplicate key": '{"utterance": "a", "utterance": "b"}',
    "a comment": '{"utterance": "a"} // b',
    "two objects": '{"utterance": "a"}{"utterance": "b"}',
    "a trailing comma": '{"utterance": "a",}',
    "single quotes": "{'utterance': 'a'}",
    "a number of 100,000 digits": '{"utterance": "a", "arguments": {"x": ' + "9" * 100_000 + "}}",
    "an exponent": '{"utterance": "a", "skill": "b", "arguments": {"x": 1e400}}',
    "a control character": '{"utterance": "a\x01b"}',
    "a line separator": '{"utterance": "a\u2028b"}',
}
BAD_SCHEMAS: Final[Mapping[str, Any]] = {
    "a name that is a list": {"skills": [{"name": ["order"], "slots": []}], "slots": {}},
    "a name that is a number": {"skills": [{"name": 5, "slots": []}], "slots": {}},
    "a name that is null": {"skills": [{"name": None, "slots": []}], "slots": {}},
    "slots that are numbers": {"skills": [{"name": "bake", "slots": [1, 2]}], "slots": {}},
    "slots that are a text": {"skills": [{"name": "bake", "slots": "bread"}], "slots": {}},
    "a slot that is a list": {"skills": [{"name": "bake", "slots": [["bread"]]}], "slots": {}},
    "a slot's name that is a list": {"skills": [{"name": "bake", "slots": [{"name": ["b"]}]}], "slots": {}},
    "a description that is an object": {"skills": [{"name": "bake", "description": {}}], "slots": {}},
    "an enum that is a number": {"skills": [{"name": "o", "slots": ["b"]}], "slots": {"b": {"enum": 5}}},
    "an enum of objects": {"skills": [{"name": "o", "slots": ["b"]}], "slots": {"b": {"enum": [{"a": []}]}}},
    "a type that is a list": {
        "skills": [{"name": "o", "slots": ["b"]}],
        "slots": {"b": {"type": ["string"]}},
    },
    "a recognizer that is a list": {
        "skills": [{"name": "o", "slots": ["b"]}],
        "slots": {"b": {"x-recognizer": []}},
    },
    "a function without a name": [{"type": "function", "function": {}}],
    "a function that is a text": [{"type": "function", "function": "ring"}],
    "a list of texts": ["ring"],
    "parameters that are a list": [{"function": {"name": "bake", "parameters": []}}],
    "properties that are a list": [{"function": {"name": "bake", "parameters": {"properties": [1]}}}],
    "a property that is null": [{"function": {"name": "bake", "parameters": {"properties": {"a": None}}}}],
    "required that is a number": [{"function": {"name": "bake", "parameters": {"required": 5}}}],
    "required of lists": [{"function": {"name": "bake", "parameters": {"required": [[]]}}}],
    "a circular reference": {
        "openapi": "3.0.0",
        "paths": {"/a": {"post": {"operationId": "order", "requestBody": {"$ref": "#/x"}}}},
        "x": {"$ref": "#/x"},
    },
    "a reference to nothing": {
        "openapi": "3.0.0",
        "paths": {"/a": {"post": {"operationId": "order", "requestBody": {"$ref": "#/nothing"}}}},
    },
    "paths that are a list": {"openapi": "3.0.0", "paths": [1]},
    "an operation that is a text": {"openapi": "3.0.0", "paths": {"/a": {"post": "x"}}},
    "an operation id that is a list": {"openapi": "3.0.0", "paths": {"/a": {"post": {"operationId": ["x"]}}}},
}
BAD_TEMPLATES: Final[Mapping[str, Any]] = {
    "a template that is a list": {"bake": [{"template": ["one <bread>"]}]},
    "a template that is a text": {"bake": ["one <bread>"]},
    "a template that is null": {"bake": [None]},
    "templates that are an object": {"bake": {"template": "one <bread>"}},
    "an unknown skill": {"": [{"template": "x"}]},
    "an unknown slot": {"bake": [{"template": "one <cake>"}]},
    "a slot twice": {"bake": [{"template": "<bread> and <bread>"}]},
    "an empty template": {"bake": [{"template": ""}]},
    "100,000 slots": {"bake": [{"template": "<bread>" * 100_000}]},
    "100,000 brackets": {"bake": [{"template": "<" * 100_000}]},
    "100,000 spaces": {"bake": [{"template": "<" + " " * 100_000 + "x"}]},
    "a template of 5 MB": {"bake": [{"template": "<bread>" + "x" * 5_000_000}]},
    "an owner mode that is a list": {"bake": [{"template": "one <bread>", "owner_mode": []}]},
    "an unknown owner mode": {"bake": [{"template": "one <bread>", "owner_mode": "x"}]},
    "a frame that is a list": {"bake": [{"template": "one <bread>", "context_frame": []}]},
}
BAD_RECOGNIZERS: Final[Mapping[str, Any]] = {
    "instances that are a text": {"recognizers": {"bread": {"instances": "rye"}}},
    "a label that is a list": {"recognizers": {"bread": {"instances": [{"label": []}]}}},
    "an integer label": {"recognizers": {"bread": {"instances": [{"label": 5}]}}},
    "an empty expression": {"recognizers": {"bread": {"instances": [{"label": "rye", "expressions": [""]}]}}},
    "an expression of 2 MB": {
        "recognizers": {"bread": {"instances": [{"label": "rye", "expressions": ["x" * 2_000_000]}]}}
    },
    "100,000 expressions, and 100,000 labels": {
        "recognizers": {
            "bread": {
                "instances": [
                    {"label": "rye", "expressions": [f"e{number}" for number in range(100_000)]},
                    *({"label": f"l{number}", "expressions": [f"x{number}"]} for number in range(100_000)),
                ]
            }
        }
    },
    "slots that are a list": {"recognizers": {}, "slots": []},
    "recognizers that are a list": {"recognizers": []},
}


def _list_records() -> Iterator[Case]:
    """List bad records in good files."""
    for name, call in CALLS.items():
        content = SKILL + f"### User: call x\n### Assistant: {call}\n"
        yield make_case(f"call: {name}", "skills", {"raw/a.md": content}, rows=2)
    markdown = {
        "5,000 arguments in the signature": "call("
        + ",".join(f"a{i}=[x]" for i in range(5_000))
        + ")\nCalls.\n",
        "an endless quote": 'call(who="' + "x" * 100_000 + "\n",
        "100,000 quotes": "call(who=" + '"' * 100_000 + "\n",
        "a heading with 20,000 spaces": "#### a" + " " * 20_000 + "b\n",
        "20,000 spaces": " " * 20_000 + "x\n",
        "20,000 marks": "#" * 20_000 + "\n",
        "20,000 headings": "#### Prompt:\n" * 20_000,
        "20,000 users": "#### Examples:\n" + "### User: a\n" * 20_000,
        "20,000 assistants": "#### Examples:\n" + "### Assistant: a()\n" * 20_000,
        "an utterance of 5 MB": "#### Examples:\n### User: "
        + "a" * 5_000_000
        + "\n### Assistant: call(who='a')\n",
    }
    for name, text in markdown.items():
        files = {"raw/a.md": SKILL, "raw/b.md": text, "raw/c.md": SKILL.replace("call", "ring") + text}
        yield make_case(f"skill file: {name}", "skills", files, rows=3)
    for name, keys in EXAMPLE_LINES.items():
        line = json.dumps({**json.loads(LINE), **keys})
        yield make_case(f"line: {name}", "jsonl", {"raw/a.jsonl": LINE + line + "\n"}, rows=2)
    for name, line in RAW_LINES.items():
        yield make_case(f"line: {name}", "jsonl", {"raw/a.jsonl": LINE + line + "\n"}, rows=2)
    for name, document in BAD_SCHEMAS.items():
        files = {**_BOT, "raw/b/schemas.json": json.dumps(document), "raw/b/exemplars.json": BAKE_TEMPLATES}
        yield make_case(f"bot schemas: {name}", "opencui", files, rows=2)
        if isinstance(document, list):
            files = {**_LINES, "raw/tools.json": json.dumps(document)}
            yield make_case(f"tools: {name}", "jsonl", files)
    for name, document in BAD_TEMPLATES.items():
        files = {**_BOT, "raw/b/schemas.json": BAKE_SCHEMAS, "raw/b/exemplars.json": json.dumps(document)}
        yield make_case(f"bot templates: {name}", "opencui", files, rows=2)
    for name, document in BAD_RECOGNIZERS.items():
        files = {**_BOT, "raw/a/recognizers.json": json.dumps(document)}
        yield make_case(f"bot recognizers: {name}", "opencui", files, rows=1)
        files = {**_SKILL_FILES, "schemas/recognizers.json": json.dumps(document)}
        yield make_case(f"recognizers: {name}", "skills", files, rows=1)
    yield from _list_dialogues()


def _list_dialogues() -> Iterator[Case]:
    """List bad values in every field of a dialogue."""
    values: dict[str, Any] = {
        "null": None,
        "a list": [[]],
        "an object": {"a": 1},
        "an integer of 80 bits": 2**80,
        "a negative number": -1,
        "a text of 2 MB": "x" * 2_000_000,
        "a lone surrogate": "\ud800",
    }
    fields = (
        "dialogue_id",
        "speaker",
        "utterance",
        "service",
        "slot",
        "start",
        "act",
        "values",
        "active_intent",
    )
    for field in fields:
        for name, value in values.items():
            bad = SGD_DIALOGUES.replace("NUMBER", "2")
            document = replace_field(json.loads(bad), field, value)
            files = {**_SGD, "raw/dialogues_002.json": json.dumps(document)}
            yield make_case(f"dialogue: {field} is {name}", "sgd", files, rows=2, options=", splits: []")


def replace_field(document: Any, field: str, value: Any) -> Any:
    """Replace the value of a key, wherever a document has it."""
    if isinstance(document, list):
        return [replace_field(item, field, value) for item in document]
    if isinstance(document, dict):
        return {
            key: value if key == field else replace_field(item, field, value)
            for key, item in document.items()
        }
    return document


def make_case(name: str, form: str, files: Mapping[str, str], rows: int = 0, options: str = "") -> Case:
    """Make a case that `ingest` and `compile` read. rows: the number of records that must be accounted for."""

    def write(root: Path) -> None:
        _write_project(root, form, files, options=options)

    return Case(name, write, (INGEST, COMPILE), "", rows)


NAMES: Final = (
    "lab; touch evil",
    "$(touch evil)",
    "`touch evil`",
    "a' touch evil '",
    'a" touch evil "',
    "../../evil",
    "/tmp/evil",
    "a b",
    "a.b",
    "a@b",
    "a:b",
    "a#b",
    "-rf",
    "_a",
    "A",
    "é",
    "",
    "a\nb",
    "a\n",
    "a\0b",
    "\ud800",
    "a" * 300,
)


def _list_parameters() -> Iterator[Case]:
    """List bad names, bad numbers for every number of `params.yaml`, and other bad values."""
    document = yaml.safe_load((SAMPLE / "params.yaml").read_text("utf-8"))
    for name in NAMES:
        label = json.dumps(name[:20])
        renamed = json.loads(json.dumps(document))
        renamed["ingest"]["sources"][name] = renamed["ingest"]["sources"].pop("skills")
        yield _check_parameters(
            f"source {label}", renamed, ("stages.ingest", f"ingest@{name}".replace("\0", ""))
        )
        if name != "a" * 300:
            yield _check_parameters(
                f"recipe {label}", _replace_at(document, ("train", "runs"), {name: "training"})
            )
    for section, type_ in load_section_types().items():
        for keys in _list_numbers((section,), document[section], type_):
            for value in (float("nan"), -1, 2**70):
                label = f"{'.'.join(keys)} is {str(value)[:10]}"
                yield _check_parameters(label, _replace_at(document, keys, value))
        for value in (None, [], "text", 5, {"x": 1}):
            yield _check_parameters(f"{section} is {value!r}", {**document, section: value})
    yield _check_parameters("folds is 0", _replace_at(document, ("curate", "label_noise", "folds"), 0))


def _list_numbers(keys: tuple[str, ...], value: Any, hint: Any) -> Iterator[tuple[str, ...]]:
    """List the keys of all numbers of a section, by its type."""
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    members = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    if any(_strip_annotation(member) in (int, float) for member in members):
        yield keys
    elif get_origin(hint) is dict:
        for key, item in value.items():
            yield from _list_numbers((*keys, key), item, get_args(hint)[1])
    elif isinstance(value, dict):
        structs = [
            member for member in members if isinstance(member, type) and issubclass(member, msgspec.Struct)
        ]
        for struct in structs:
            config = struct.__struct_config__
            if len(structs) == 1 or value.get(str(config.tag_field)) == config.tag:
                for field in msgspec.structs.fields(struct):
                    if field.encode_name in value:
                        inner = value[field.encode_name]
                        yield from _list_numbers((*keys, field.encode_name), inner, field.type)


def _strip_annotation(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _replace_at(document: Any, keys: tuple[str, ...], value: Any) -> Any:
    if not keys:
        return value
    return {**document, keys[0]: _replace_at(document[keys[0]], keys[1:], value)}


def _check_parameters(name: str, document: Any, command: tuple[str, ...] | None = None) -> Case:
    def write(root: Path) -> None:
        text = yaml.safe_dump(document, allow_unicode=False, sort_keys=False)
        (root / "params.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))

    commands = (CHECK,) if command is None else (CHECK, command)
    return Case(f"parameters: {name}", write, commands, "params.yaml", must_fail=True)


DOCUMENTS: Final = {
    "100,000 nested lists": "a: " + "[" * 100_000 + "]" * 100_000,
    "2,000 nested blocks": "".join(" " * depth + "a:\n" for depth in range(2_000)),
    "a bomb of aliases": "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(
        f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    ),
    "a bomb of merges": "a: &a {x: 1}\n"
    + "".join(
        f"{new}: &{new} {{<<: [{','.join([f'*{old}'] * 9)}]}}\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    ),
    "an alias of itself": "a: &a [*a]\n",
    "a merge of itself": "a: &a\n  <<: *a\n",
    "an unknown alias": "a: *b\n",
    "a tag of Python": "a: !!python/object/apply:os.system ['touch evil']\n",
    "an unknown tag": "a: !thing 5\n",
    "a date that does not exist": "a: 2024-13-45\n",
    "an integer that is none": "a: !!int x\n",
    "bytes": "a: !!binary x\n",
    "a set": "a: !!set {x, y}\n",
    "a list as key": "[a, b]: 1\n",
    "an object as key": "{a: b}: 1\n",
    "a hexadecimal integer of 5,000 digits": "split: {salt: 0x" + "f" * 5_000 + "}\n",
    "a decimal integer of 5,000 digits": "split: {salt: " + "9" * 5_000 + "}\n",
    "two documents": "a: 1\n---\nb: 2\n",
    "a tab": "a:\n\tb: 1\n",
    "a quote that does not end": 'a: "b\n',
    "a NUL": "a: \0\n",
    "200,000 keys": "".join(f"k{number}: 1\n" for number in range(200_000)),
    "a text of 20 MB": "a: " + "x" * 20_000_000,
    "20,000 spaces": "a:" + " " * 20_000 + "b\n",
    "a key of 5,000 letters": "k" * 5_000 + ": 1\n",
    "a list": "- a\n",
    "a text": string.ascii_letters,
    "a null": "~\n",
    "yes and no as keys": "yes: 1\nno: 2\n~: 3\n1: 4\n",
}


def _list_documents() -> Iterator[Case]:
    for name, text in DOCUMENTS.items():
        for command in (CHECK, INGEST):

            def write(root: Path, text: str = text) -> None:
                (root / "params.yaml").write_text(text, "utf-8")

            yield Case(f"params.yaml, {command[0]}: {name}", write, (command,), "params.yaml")


def _list_environments() -> Iterator[Case]:
    """List encodings of the output, and wrong arguments."""
    bad = SKILL.replace('who="Maria"', 'who="Zoë 👍"')
    for encoding in ("ascii", "latin-1", "cp1252", "utf-16", "utf-8"):
        for command in (LINT, (*LINT, "--format", "json"), INGEST):

            def write(root: Path) -> None:
                _write_project(root, "skills", {"raw/ärger.md": bad, "raw/broken.md": "Zoë 👍"}, "fail")

            environment = {"PYTHONIOENCODING": encoding}
            yield Case(f"output in {encoding}: {command[-1]}", write, (command,), "", environment=environment)
    arguments: tuple[tuple[str, ...], ...] = (
        ("exemplars.cli.main", "lint", "/dev/zero"),
        ("exemplars.cli.main", "lint", "nothing"),
        ("exemplars.cli.main", "lint", ""),
        ("exemplars.cli.main", "lint", "raw", "--recognizers", "/dev/zero"),
        ("exemplars.cli.main", "lint", "raw", "--none-skill", "\udcff"),
        ("exemplars.cli.main", "check", "/dev/zero"),
        ("exemplars.cli.main", "check", "nothing"),
        ("exemplars.cli.main", "check", "raw"),
        ("stages.ingest",),
        ("stages.ingest", "mine", "mine"),
        ("stages.ingest", "yours"),
        ("stages.ingest", "../../evil"),
        ("stages.ingest", "ingest@../../evil"),
        ("stages.ingest", ""),
    )
    for command in arguments:

        def write_project(root: Path) -> None:
            _write_project(root, "skills", _SKILL_FILES)

        yield Case(f"arguments: {' '.join(command)[:60]!a}", write_project, (command,), "")
