"""What a renaming changes in the sources of a project, and what it leaves to a person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from exemplars.audit.renaming.edits import Edit, Rename, apply_edits
from exemplars.audit.renaming.files import SourceFileText, read_other_files, read_source_files
from exemplars.audit.renaming.preferences import plan_preferences, write_preferences
from exemplars.audit.renaming.reviews import plan_reviews, write_reviews
from exemplars.core.errors import Diagnostic, UserError, suggest_name, summarize_names
from exemplars.core.files import write_bytes
from exemplars.core.records import Record
from exemplars.core.slot_paths import find_root
from exemplars.dataset.catalog import Skill
from stages.ingest.params import IngestParams
from stages.ingest.reading import Reading

_SKILL_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)
_PARAMETER_NAME: Final = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)
_MAX_MENTIONS: Final = 20


class FileChange(NamedTuple):
    """A file that gets a new text."""

    path: Path
    places: int
    """The number of places of the name in it."""
    data: bytes


class Mention(NamedTuple):
    """A line that has the old name, and that only a person can judge."""

    place: str
    """`path:line`."""
    text: str


class RenamePlan(NamedTuple):
    """All that a renaming does."""

    rename: Rename
    changes: tuple[FileChange, ...]
    mentions: tuple[Mention, ...]
    """At most 20."""
    decisions: int = 0
    """The number of decisions of reviewers that are about what is renamed."""
    preferences: int = 0
    """The number of preferences that are about it."""


def plan_rename(params: IngestParams, rename: Rename) -> RenamePlan:
    """Find all places of a name in the skill files and labeled examples of a project.

    Raises `UserError` if there is no such skill or parameter, if the new name is taken or is no name, or if a file
    would not mean the same but for the name, or if a line of the decisions is broken.
    """
    files = list(read_source_files(params))
    skills = _list_skills(files)
    others = [
        mention for path, text in read_other_files(params) for mention in _find_names(path, text, rename)
    ]
    problems = list(_find_problems(skills, rename, others))
    if problems:
        raise UserError(problems)
    changes = []
    for file in files:
        edits = file.find_edits(rename)
        if edits:
            data = apply_edits(file.text, edits).encode()
            problems += _check_meaning(file, data, rename)
            changes.append(FileChange(file.path, len(edits), data))
    if problems:
        raise UserError(problems)
    mentions = (mention for file in files for mention in _find_mentions(file, rename))
    shown = tuple(islice((*mentions, *others), _MAX_MENTIONS))
    decisions, preferences = plan_reviews(rename).places, plan_preferences(rename).places
    return RenamePlan(rename, tuple(changes), shown, decisions, preferences)


def apply_plan(plan: RenamePlan) -> None:
    """Write the changed files, each whole. Raises `OSError` if one cannot be written."""
    for change in plan.changes:
        write_bytes(change.path, change.data)
    if plan.decisions:
        write_reviews(plan.rename)
    if plan.preferences:
        write_preferences(plan.rename)


def _list_skills(files: Iterable[SourceFileText]) -> dict[str, set[str]]:
    """List the parameters of each skill that the files define or call."""
    skills: dict[str, set[str]] = {}
    for file in files:
        reading = file.parse(file.text.encode())
        for skill in reading.skills:
            skills.setdefault(skill.name, set()).update(parameter.name for parameter in skill.parameters)
        for record in reading.records:
            if record.skill is not None:
                skills.setdefault(record.skill, set()).update(
                    find_root(argument.slot) for argument in record.arguments
                )
        skills |= {name: set() for name in file.none_skills if name not in skills}
    return skills


def _find_problems(
    skills: Mapping[str, set[str]], rename: Rename, others: Sequence[Mention]
) -> Iterator[Diagnostic]:
    pattern = _SKILL_NAME if rename.parameter is None else _PARAMETER_NAME
    if pattern.fullmatch(rename.new) is None:
        yield _report(
            "invalid_name", f"the name {rename.new!r}", "letters, digits and _", "choose another name"
        )
    parameters = skills.get(rename.skill)
    if parameters is None:
        yield _report_unknown_skill(skills, rename, others)
        return
    if rename.parameter is not None and rename.parameter not in parameters:
        known = summarize_names(sorted(parameters), limit=6) or "a skill with parameters"
        fix = suggest_name(rename.parameter, parameters) or "name a parameter of the skill"
        yield _report("unknown_slot", f"no parameter {rename.parameter!r} of {rename.skill}", known, fix)
    taken = skills if rename.parameter is None else parameters
    if rename.new in taken:
        what = "a skill" if rename.parameter is None else f"a parameter of {rename.skill}"
        yield _report(
            "name_taken", f"{rename.new!r}, which is {what} already", "a new name", "choose another name"
        )


def _report_unknown_skill(
    skills: Mapping[str, set[str]], rename: Rename, others: Sequence[Mention]
) -> Diagnostic:
    """Report a skill that is in no file that is rewritten; it may be in another file, or have a path after it."""
    text = f"{rename.skill}.{rename.parameter}"
    for skill in sorted(skills):
        part = text.removeprefix(f"{skill}.")
        root = re.split(r"[.\[]", part)[0]
        if part != text and root in skills[skill]:
            fix = "rename it by hand, in the JSON Schema, the calls and the templates"
            return _report(
                "nested_name", f"{part!r}, a part of {root} of {skill}", "a skill or a whole parameter", fix
            )
    known = summarize_names(sorted(skills), limit=6) or "a skill of a skill file or of labeled JSONL"
    fix = suggest_name(rename.skill, skills) or "name a skill of a skill file or of labeled examples"
    if others:
        fix = f"files of other formats have the name, first {others[0].place}: rename it there by hand"
    return _report("unknown_skill", f"no skill {rename.skill!r}", known, fix)


def _report(code: str, found: str, expected: str, fix: str) -> Diagnostic:
    return Diagnostic(path="rename", code=code, found=found, expected=expected, fix=fix)


def _check_meaning(file: SourceFileText, data: bytes, rename: Rename) -> Iterator[Diagnostic]:
    """Check that the new text means what the old one does, but for the name."""
    before = _summarize(file.parse(file.text.encode()), rename)
    after = _summarize(file.parse(data, rename), None)
    if before != after:
        yield Diagnostic(
            path=str(file.path),
            code="rename_unsafe",
            found="rows that would mean something else afterwards",
            expected="the same rows with the new name",
            fix="correct what `exemplars lint` reports, then run again; or rename by hand",
        )


def _summarize(reading: Reading, rename: Rename | None) -> tuple[object, ...]:
    """Summarize what a file means. rename: what to rename in the summary."""
    return (
        [_summarize_record(record, rename) for record in reading.records],
        [(rejection.id, rejection.reason) for rejection in reading.rejections],
        [_summarize_skill(skill, rename) for skill in reading.skills],
    )


def _summarize_record(record: Record, rename: Rename | None) -> tuple[object, ...]:
    is_renamed = rename is not None and record.skill == rename.skill
    arguments = [
        (
            _rename_slot(argument.slot, rename if is_renamed else None),
            argument.value,
            argument.start,
            argument.end,
        )
        for argument in record.arguments
    ]
    exemplar = record.exemplar
    if is_renamed and rename is not None and exemplar is not None:
        exemplar = rename.rename_template(exemplar)
    return record.id, record.utterance, record.mode, _rename_skill(record.skill, rename), arguments, exemplar


def _summarize_skill(skill: Skill, rename: Rename | None) -> tuple[object, ...]:
    slots = rename if rename is not None and skill.name == rename.skill else None
    parameters = [
        (_rename_slot(parameter.name, slots), parameter.type, parameter.enum, parameter.required)
        for parameter in skill.parameters
    ]
    return _rename_skill(skill.name, rename), skill.description, parameters


def _rename_skill(name: str | None, rename: Rename | None) -> str | None:
    return rename.new if rename is not None and rename.parameter is None and name == rename.skill else name


def _rename_slot(slot: str, rename: Rename | None) -> str:
    return slot if rename is None else rename.rename_path(slot)


def _find_mentions(file: SourceFileText, rename: Rename) -> Iterator[Mention]:
    """Find the descriptions that have the old name as a word."""
    word = re.compile(rf"(?<!\w){re.escape(rename.old)}(?!\w)")
    for number, text in file.list_descriptions(rename.skill):
        if word.search(text):
            yield Mention(f"{file.path}:{number}", text.strip())


def _find_names(path: Path, text: str, rename: Rename) -> Iterator[Mention]:
    """Find the lines of a file in a different format that have the old name in quotes."""
    for number, line in enumerate(text.split("\n"), start=1):
        if f'"{rename.old}"' in line:
            yield Mention(f"{path}:{number}", line.strip())


def apply_to_params(text: str, rename: Rename) -> tuple[str, int]:
    """Rename the skill in each `none_skill` of `params.yaml`; return the new text, and the number of places."""
    if rename.parameter is not None:
        return text, 0
    # Quoted if YAML would read another value: `no`, `null`.
    new = rename.new if yaml.safe_load(rename.new) == rename.new else f'"{rename.new}"'
    edits = [
        Edit(node.start_mark.index, node.end_mark.index, new)
        for node in _find_none_skills(yaml.compose(text, Loader=yaml.SafeLoader))
        if node.value == rename.skill
    ]
    return apply_edits(text, edits), len(edits)


def _find_none_skills(root: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """Find the values of `none_skill` below `ingest.sources`."""
    sources = _get_node(_get_node(root, "ingest"), "sources")
    for _, source in sources.value if isinstance(sources, yaml.MappingNode) else ():
        node = _get_node(source, "none_skill")
        if isinstance(node, yaml.ScalarNode):
            yield node


def _get_node(parent: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = parent.value if isinstance(parent, yaml.MappingNode) else ()
    return next((value for name, value in pairs if name.value == key), None)
