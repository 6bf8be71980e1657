"""What `exemplars trace` tells people, within 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from exemplars.audit.lineage.targets import Kind

WIDTH: Final = 80
_LABEL: Final = 11
_SHORT: Final = 12
_STATES: Final = {
    "same": "the file's content hash is the same{}",
    "changed": "the file has changed since{}",
    "missing": "the file is not there any more{}",
}


def trace_text(told: Mapping[str, Any], limit: int) -> str:
    """A document of `traced` as text. limit: the most rows that are shown."""
    if told["kind"] == Kind.RUN:
        lines = list(_run(told, limit))
    elif told["kind"] in (Kind.DIALOGUE, Kind.FILE):
        lines = list(_listing(told, limit))
    else:
        lines = list(_stories(told, limit))
    return "\n".join(lines) + "\n"


def _stories(told: Mapping[str, Any], limit: int) -> Iterator[str]:
    rows = told["rows"]
    if told["kind"] == Kind.DIGEST:
        yield f"digest {told['name']}"
        yield f"{_many(len(rows), 'row')} of this content"
        yield ""
    for number, row in enumerate(rows[:limit]):
        yield from [""] if number else []
        yield from _story(row)
    yield from _rest(len(rows), limit)


def _story(row: Mapping[str, Any]) -> Iterator[str]:
    origin = row["origin"]
    pointer = origin["locator"].startswith("/")
    yield row["id"]
    yield from _field("source", f"{row['source']}, {row['license'] or 'no licence known'}")
    place = "#" if pointer else ":" if origin["locator"] else ""
    yield from _field("file", f"{origin['path']}{place}{origin['locator']}")
    yield from _field("revision", _revision(origin))
    yield from _field("sha256", origin["sha256"])
    now = f": now {origin['sha256_now'][:_SHORT]}" if origin["state"] == "changed" else ""
    yield from _field("", _STATES[origin["state"]].format(now))
    if origin["text"] is not None:
        yield from _field("value" if pointer else "line", origin["text"])
    yield from _field("group", row["group"])
    for one in row["decisions"]:
        yield from _decision(one)


def _revision(origin: Mapping[str, Any]) -> str:
    if origin["commit"]:
        return f"git {origin['commit'][:_SHORT]}"
    return f"DVC {origin['dvc_md5']}" if origin["dvc_md5"] else "not committed"


def _decision(one: Mapping[str, Any]) -> Iterator[str]:
    tell = _TOLD.get((one["stage"], one["outcome"]))
    if "reason" in one:
        yield from _field(one["stage"], f"rejected, {one['reason']}: {one['message']}")
    elif tell is None:
        yield from _field(one["stage"], one["outcome"])
    else:
        first, *others = tell(one)
        yield from _field(one["stage"], first)
        for line in others:
            yield from _field("", line)


def _compiled(one: Mapping[str, Any]) -> Iterator[str]:
    yield "exemplar"
    yield one["digest"]
    yield f"utterance: {one['utterance']}"
    yield f"exemplar: {one['exemplar']}"
    turns = f", after {_many(len(one['context']), 'turn')}" if one["context"] else ""
    yield f"skill: {one['skill'] or 'none'}, mode {one['mode']}{turns}"
    for argument in one["arguments"]:
        span = "" if argument["start"] is None else f" [{argument['start']}:{argument['end']}]"
        yield f'{argument["slot"]} = "{argument["value"]}"{span} {argument["grounding"]}'


def _kept(one: Mapping[str, Any]) -> Iterator[str]:
    yield "kept"
    if one["joined_from"]:
        yield f"group {one['group']}, joined by near duplicates"
    if one["digest"]:
        yield "surrogates for personal data, and so another digest"
        yield one["digest"]
    for near in one["near"]:
        yield f"near duplicates ({near['similarity']:.2f}): {near['first']} / {near['second']}"
    for review in one["review"]:
        yield f"to review, {review['why']}: {review['detail']}"


def _rendered(one: Mapping[str, Any]) -> Iterator[str]:
    yield _many(len(one["rows"]), "training row")
    for row in one["rows"]:
        slot = f" {row['slot']}" if row["slot"] else ""
        speech = ", as speech" if row["speech"] else ""
        yield f"{row['view']}{slot}{speech}: {row['prompt_tokens']} tokens before the answer"


def _seen(one: Mapping[str, Any]) -> Iterator[str]:
    yield _many(sum(bool(run["digests"]) for run in one["runs"]), "run")
    yield from map(_run_line, one["runs"])


def _run_line(run: Mapping[str, Any]) -> str:
    return f"{run['run']} ({run['where']})" + (f": unknown, {run['unknown']}" if run["unknown"] else "")


def _judged(one: Mapping[str, Any]) -> Iterator[str]:
    yield f"right answer: {one['predictions'][0]['right']}"
    for answer in one["predictions"]:
        said = "" if answer["kind"] == "right" else f": {answer['predicted']}"
        yield textwrap.shorten(f"{answer['system']}: {answer['kind']}{said}", 2 * (WIDTH - _LABEL))


_TOLD: Final = {
    ("compile", "exemplar"): _compiled,
    ("curate", "kept"): _kept,
    ("render", "rendered"): _rendered,
    ("train", "seen"): _seen,
    ("train", "not seen"): _seen,
    ("evaluate", "judged"): _judged,
}


def _listing(told: Mapping[str, Any], limit: int) -> Iterator[str]:
    rows: Sequence[Mapping[str, Any]] = told["rows"]
    yield f"{told['kind']} {told['name']}: {_many(len(rows), 'row')}"
    counts = ", ".join(f"{count} {outcome}" for outcome, count in told["counts"].items())
    yield from _field("", counts or "no source has read it")
    if rows:
        shown = rows[:limit]
        files = {row["id"].rpartition("#")[0] for row in rows}
        names = [row["id"].rpartition("#")[2] if len(files) == 1 else row["id"] for row in shown]
        wide = min(34, max(5, *map(len, names)))
        far = max(7, *(len(row["outcome"]) for row in shown))
        yield f"{'place':<{wide}} {'outcome':<{far}} runs  utterance"
        for name, row in zip(names, shown, strict=True):
            place = name if len(name) <= wide else "…" + name[1 - wide :]
            said = (row["utterance"] or "").replace("\n", " ")
            line = f"{place:<{wide}} {row['outcome']:<{far}} {len(row['runs']):>4}  {said}"
            yield line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
        yield from _rest(len(rows), limit)
    if len(rows) == 1:
        yield from _field("more", f"exemplars trace '{rows[0]['id']}'")
    for number, run in enumerate(told["runs"]):
        seen = "" if run["unknown"] else f": {_many(run['digests'], 'digest')}"
        yield from _field("" if number else "runs", f"{_run_line(run)}{seen}")
    if not told["runs"]:
        yield from _field("runs", "none")


def _run(told: Mapping[str, Any], limit: int) -> Iterator[str]:
    yield f"run {told['run']}"
    made = told["made_by"]
    yield from _field("made by", f"{made['commit'][:_SHORT]} {made['subject']}" if made else "no commit yet")
    yield from _field("code", told["code"] or "unknown")
    for name, one in told["data_hashes"].items():
        yield from _field(name, one)
    proved = "hashed again, they have the data hash" if told["rows_proved"] else "NOT those of the data hash"
    yield from _field("rows", f"{told['rows']:,} to train on; {proved}")
    yield from _field("base", f"{told['base']['name']}, {told['base']['license']}")
    yield from _field("", told["base"]["sha256"])
    yield from _field("weights", told["weights_sha256"])
    yield from _counts("sources", told["rows_by_source"], limit)
    yield from _counts("skills", told["rows_by_skill"], limit)
    yield f"{'rows':>6}  {'licence':<14} {'sha256':<{_SHORT}}  file"
    for one in told["sources"][:limit]:
        yield f"{one['rows']:>6}  {one['license']:<14} {one['sha256'][:_SHORT]}  {one['path']}"
    yield from _rest(len(told["sources"]), limit)


def _counts(label: str, counts: Mapping[str, int], limit: int) -> Iterator[str]:
    first = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    rest = f", and {len(first) - limit} more" if len(first) > limit else ""
    yield from _field(label, ", ".join(f"{name} {count:,}" for name, count in first[:limit]) + rest)


def _field(label: str, text: str) -> Iterator[str]:
    lines = textwrap.wrap(text, WIDTH - _LABEL) or [""]
    for number, line in enumerate(lines):
        yield f"{'' if number else label:<{_LABEL}}{line}".rstrip()


def _rest(count: int, limit: int) -> Iterator[str]:
    if count > limit:
        yield f"… and {count - limit:,} more: --limit shows more, --format json all"


def _many(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
