"""The dialects of NLU data: which one a file is, and its parser."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, get_args

import msgspec

from exemplars.core.documents import decode_with
from exemplars.core.errors import Diagnostic, UserError
from stages.ingest.nlu.alexa import parse_alexa
from stages.ingest.nlu.bio import PARALLEL_FILES, is_bio, parse_bio, parse_parallel
from stages.ingest.nlu.clinc import parse_clinc
from stages.ingest.nlu.clu import parse_clu
from stages.ingest.nlu.dialogflow import is_dialogflow, parse_dialogflow
from stages.ingest.nlu.documents import Text, decode_leniently
from stages.ingest.nlu.examples import NluFile
from stages.ingest.nlu.luis import parse_luis
from stages.ingest.nlu.massive import parse_massive
from stages.ingest.nlu.rasa import is_rasa_yaml, parse_rasa_yaml
from stages.ingest.nlu.rasa_json import parse_rasa_json
from stages.ingest.nlu.snips import parse_snips
from stages.ingest.params import Dialect
from stages.ingest.reading import describe_json_error

DIALECTS: Final[tuple[str, ...]] = get_args(Dialect)
_YAML: Final = (".yml", ".yaml")
_JSON: Final = (".json", ".jsonl")
_PARSERS: Final[Mapping[str, Callable[[str, Text], NluFile]]] = {
    "alexa": parse_alexa,
    "bio": parse_bio,
    "clinc": parse_clinc,
    "clu": parse_clu,
    "dialogflow": parse_dialogflow,
    "luis": parse_luis,
    "massive": parse_massive,
    "snips": parse_snips,
}
_decode_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_PAIR: Final = re.compile(rb"\[\s*\[")
_UTTERANCE: Final = re.compile(rb'\[\s*\{\s*"data"\s*:|\[\s*\]')
_VALUES: Final = re.compile(rb'\{[^\[]*"data"\s*:')


def parse_files(files: Mapping[str, bytes], dialect: Dialect | None) -> NluFile:
    """Parse a file, or the three files of `PARALLEL_FILES`. files: their bytes by their paths.

    dialect: what the file must be; `None`: any dialect.
    Raises `UserError` if the file is not of the dialect, or of none, or cannot be read at all.
    """
    texts = {path: decode_leniently(path, data) for path, data in files.items()}
    path, text = next(iter(texts.items()))
    found = detect_dialect(path, text.text)
    if found is None or dialect not in (None, found):
        raise UserError([_report_dialect(path, found, dialect)])
    name = path.rpartition("/")[2].casefold()
    if name in PARALLEL_FILES:
        by_name = {path.rpartition("/")[2].casefold(): path for path in texts}
        missing = [name for name in PARALLEL_FILES if name not in by_name]
        if missing:
            raise UserError([_report_missing(path, missing[0])])
        paths = [by_name[name] for name in PARALLEL_FILES]
        return parse_parallel(paths, [texts[path] for path in paths])
    if found == "rasa":
        return (parse_rasa_yaml if name.endswith(_YAML) else parse_rasa_json)(path, text)
    return _PARSERS[found](path, text)


def detect_dialect(path: str, text: str) -> str | None:
    """Detect the dialect of a file by its name and content; `None`: it is of none.

    Raises `UserError` if it should be JSON and is not.

    >>> detect_dialect("a.json", '{"PlayMusic": [{"data": [{"text": "play"}]}]}')
    'snips'
    """
    name = path.rpartition("/")[2].casefold()
    if name in PARALLEL_FILES:
        return "bio"
    if name.endswith(_YAML):
        return "rasa" if is_rasa_yaml(text) else None
    if name.endswith(_JSON):
        return _detect_json(path, text)
    return "bio" if is_bio(text) else None


def _detect_json(path: str, text: str) -> str | None:
    if re.match(r"\s*\{[^\n]*\"annot_utt\"", text):
        return "massive"
    if path.casefold().endswith(".jsonl"):
        return None
    data = text.encode()
    try:
        members = decode_with(_decode_members, data, allow_repeated_keys=True)
    except msgspec.ValidationError:  # It is not an object.
        members = {}
    except msgspec.DecodeError as error:
        raise UserError([describe_json_error(path, data, error, "JSON")]) from None
    if is_dialogflow(path, frozenset(members)):
        return "dialogflow"
    return _detect_object(members) if members else None


def _detect_object(members: Mapping[str, msgspec.Raw]) -> str | None:
    """Detect the dialect of a JSON object by its members."""
    keys = members.keys()
    if "rasa_nlu_data" in keys:
        return "rasa"
    if "luis_schema_version" in keys or {"utterances", "intents"} <= keys:
        return "luis"
    if "assets" in keys:
        return "clu"
    if "interactionModel" in keys or "languageModel" in keys:
        return "alexa"
    if {"intents", "entities"} <= keys:
        return "snips"
    heads = [bytes(raw) for raw in members.values()]
    if any(_PAIR.match(head) for head in heads):
        return "clinc"
    if any(_UTTERANCE.match(head) or _VALUES.match(head) for head in heads):
        return "snips"
    return None


def _report_dialect(path: str, found: str | None, dialect: str | None) -> Diagnostic:
    known = ", ".join(DIALECTS)
    if dialect is None:
        return Diagnostic(
            path=path,
            code="unknown_dialect",
            found="a file of no known dialect",
            expected=f"one of {known}",
            fix="correct the file, or move it away",
        )
    return Diagnostic(
        path=path,
        code="other_dialect",
        found=f"a file of the dialect {found}" if found else "a file of no known dialect",
        expected=f"{dialect}, the `dialect` of the source",
        fix="move the file to a source of its own, or remove `dialect` to read files of all dialects",
    )


def _report_missing(path: str, name: str) -> Diagnostic:
    return Diagnostic(
        path=path,
        code="missing_file",
        found=f"no {name} in its folder",
        expected=f"{', '.join(PARALLEL_FILES)} together",
        fix="add the file",
    )
