"""The text of `exemplars trace`, within 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from exemplars.audit.lineage.review_text import format_review
from exemplars.audit.lineage.row_preferences import format_preference
from exemplars.audit.lineage.targets import TargetKind
from exemplars.core.errors import summarize_names
from exemplars.core.ids import parse_row_id, split_locator
from exemplars.core.ledger import format_place
from exemplars.core.records import Origin, Speaker
from exemplars.core.terminal import escape_controls, escape_line

_WIDTH: Final = 80
_LABEL_WIDTH: Final = 11
_MAX_PLACE: Final = 34
_SHORT_HASH: Final = 12
_FILE_STATES: Final = {
    "same": "the file's content hash is the same{}",
    "changed": "the file has changed since{}",
    "missing": "the file is not there any more{}",
}


def format_trace(document: Mapping[str, Any], limit: int) -> str:
    """Format a document of `build_trace` as text. limit: the maximum number of rows, sources and skills."""
    if document["kind"] == TargetKind.RUN:
        lines = _format_run(document, limit)
    elif document["kind"] in (TargetKind.DIALOGUE, TargetKind.FILE):
        lines = _format_list(document, limit)
    else:
        lines = _format_rows(document, limit)
    return "\n".join(map(escape_line, lines)) + "\n"


def _format_rows(document: Mapping[str, Any], limit: int) -> Iterator[str]:
    rows = document["rows"]
    if document["kind"] == TargetKind.DIGEST:
        yield f"digest {document['name']}"
        yield f"{_count(len(rows), 'row')} of this content"
        yield ""
    for number, row in enumerate(rows[:limit]):
        yield from [""] if number else []
        yield from _format_row(row)
    yield from _format_cut(len(rows), limit)


def _format_row(row: Mapping[str, Any]) -> Iterator[str]:
    origin = row["origin"]
    is_pointer = bool(split_locator(origin["locator"])[1])
    yield row["id"]
    yield from _field("source", f"{row['source']}, {row['license'] or 'no license known'}")
    yield from _field("file", format_place(Origin(origin["path"], origin["sha256"], origin["locator"])))
    yield from _field("revision", _format_revision(origin))
    yield from _field("sha256", origin["sha256"])
    now = f": now {origin['sha256_now'][:_SHORT_HASH]}" if origin["state"] == "changed" else ""
    yield from _field("", _FILE_STATES[origin["state"]].format(now))
    if origin["text"] is not None:
        yield from _field("value" if is_pointer else "line", origin["text"])
    yield from _field("group", row["group"])
    for number, review in enumerate(row["reviews"]):
        first, *others = format_review(review)
        yield from _field("" if number else "reviews", first)
        for line in others:
            yield from _field("", line)
    for number, preference in enumerate(row["preferences"]):
        yield from _field("" if number else "preferred", format_preference(preference))
    for decision in row["decisions"]:
        yield from _format_decision(decision)


def _format_revision(origin: Mapping[str, Any]) -> str:
    if origin["commit"]:
        return f"git {origin['commit'][:_SHORT_HASH]}"
    return f"DVC {origin['dvc_md5']}" if origin["dvc_md5"] else "not committed"


def _format_decision(decision: Mapping[str, Any]) -> Iterator[str]:
    stage, outcome = decision["stage"], decision["outcome"]
    formatter = _FORMATTERS.get((stage, outcome))
    if "reason" in decision:
        yield from _field(stage, f"rejected, {decision['reason']}: {decision['message']}")
    elif formatter is None:
        yield from _field(stage, outcome)
    else:
        first, *others = formatter(decision)
        yield from _field(stage, first)
        for line in others:
            yield from _field("", line)


def _format_compile(decision: Mapping[str, Any]) -> Iterator[str]:
    yield "exemplar"
    yield decision["digest"]
    said_by = "the result of a tool" if decision["speaker"] == Speaker.TOOL else "utterance"
    yield f"{said_by}: {decision['utterance']}"
    yield f"exemplar: {decision['exemplar']}"
    turns = f", after {_count(len(decision['context']), 'turn')}" if decision["context"] else ""
    yield f"skill: {decision['skill'] or 'none'}, mode {decision['mode']}{turns}"
    for argument in decision["arguments"]:
        span = "" if argument["start"] is None else f" [{argument['start']}:{argument['end']}]"
        yield f'{argument["slot"]} = "{argument["value"]}"{span} {argument["grounding"]}'
    if decision["reply"] is not None:
        yield textwrap.shorten(f"reply: {decision['reply']}", 2 * (_WIDTH - _LABEL_WIDTH))
    for edit in decision["edits"]:
        yield (
            "an edit that was not applied:"
            if edit["after"] is None
            else "edited by a reviewer; before, it was"
        )
        yield edit["problem"] if edit["after"] is None else edit["before"]


def _format_template(decision: Mapping[str, Any]) -> Iterator[str]:
    yield "a template without values, for retrieval only"
    yield f"template: {decision['template']}"
    turns = f", after {_count(len(decision['context']), 'turn')}" if decision["context"] else ""
    yield f"skill: {decision['skill']}, mode {decision['mode']}{turns}"


def _format_curate(decision: Mapping[str, Any]) -> Iterator[str]:
    yield "kept"
    if decision["joined_from"]:
        yield f"group {decision['group']}, joined by near duplicates"
    if decision["digest"]:
        yield "surrogates for personal data, and so another digest"
        yield decision["digest"]
    for pair in decision["near"]:
        yield f"near duplicates ({pair['similarity']:.2f}): {pair['first']} / {pair['second']}"
    for review in decision["review"]:
        yield f"to review, {review['why']}: {review['detail']}"


def _format_render(decision: Mapping[str, Any]) -> Iterator[str]:
    yield _count(len(decision["rows"]), "training row")
    for row in decision["rows"]:
        slot = f" {row['slot']}" if row["slot"] else ""
        speech = ", as speech" if row["speech"] else ""
        calls = len(row["exemplar_ids"])
        together = f", one of {calls} rows of {row['turn']}" if calls > 1 else ""
        yield f"{row['view']}{slot}{speech}: {row['prompt_tokens']} tokens before the answer{together}"


def _format_train(decision: Mapping[str, Any]) -> Iterator[str]:
    trained = [run for run in decision["runs"] if run["digests"]]
    unavailable = list(_format_unavailable(decision["runs"]))
    if trained or not unavailable:
        yield _count(len(trained), "run")
    yield from map(_format_run_name, trained)
    yield from unavailable


def _format_evaluate(decision: Mapping[str, Any]) -> Iterator[str]:
    yield f"right answer: {decision['predictions'][0]['right']}"
    for prediction in decision["predictions"]:
        answer = "" if prediction["kind"] == "right" else f": {prediction['predicted']}"
        condition = f", {prediction['condition'].replace('_', ' ')}" if prediction["condition"] else ""
        line = f"{prediction['system']}{condition}: {prediction['kind']}{answer}"
        yield textwrap.shorten(line, 2 * (_WIDTH - _LABEL_WIDTH))


_FORMATTERS: Final[dict[tuple[str, str], Callable[[Mapping[str, Any]], Iterator[str]]]] = {
    ("compile", "exemplar"): _format_compile,
    ("compile", "template"): _format_template,
    ("curate", "kept"): _format_curate,
    ("render", "rendered"): _format_render,
    ("train", "seen"): _format_train,
    ("train", "not seen"): _format_train,
    ("evaluate", "judged"): _format_evaluate,
}


def _format_run_name(run: Mapping[str, Any]) -> str:
    return f"{run['run']} ({run['where']})"


def _format_unavailable(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield one line for all runs whose rows are unavailable: a fresh clone may have none of them."""
    if unavailable := [run for run in runs if run["unknown"]]:
        runs_have = "1 run: its rows" if len(unavailable) == 1 else f"{len(unavailable)} runs: their rows"
        yield f"unknown for {runs_have} are unavailable (see --format json)"


def _format_list(document: Mapping[str, Any], limit: int) -> Iterator[str]:
    rows: Sequence[Mapping[str, Any]] = document["rows"]
    yield f"{document['kind']} {document['name']}: {_count(len(rows), 'row')}"
    counts = ", ".join(f"{count} {outcome}" for outcome, count in document["counts"].items())
    yield from _field("", counts or "no source has read it")
    if rows:
        yield from _format_table(rows[:limit], {parse_row_id(row["id"]).path for row in rows})
        yield from _format_cut(len(rows), limit)
    if len(rows) == 1:
        yield from _field("more", f"exemplars trace '{rows[0]['id']}'")
    trained = [run for run in document["runs"] if run["digests"]]
    lines = [f"{_format_run_name(run)}: {_count(run['digests'], 'digest')}" for run in trained]
    lines += _format_unavailable(document["runs"])
    for number, line in enumerate(lines or ["none"]):
        yield from _field("" if number else "runs", line)


def _format_table(rows: Sequence[Mapping[str, Any]], files: set[str]) -> Iterator[str]:
    """Yield a line per row; its place is the locator if all rows are in one file, and else the id."""
    places = [escape_line(parse_row_id(row["id"]).locator if len(files) == 1 else row["id"]) for row in rows]
    place_width = min(_MAX_PLACE, max(5, *map(len, places)))
    outcome_width = max(7, *(len(row["outcome"]) for row in rows))
    yield f"{'place':<{place_width}} {'outcome':<{outcome_width}} runs  utterance"
    for place, row in zip(places, rows, strict=True):
        place = place if len(place) <= place_width else "…" + place[1 - place_width :]
        utterance = escape_line((row["utterance"] or "").replace("\n", " "))
        line = f"{place:<{place_width}} {row['outcome']:<{outcome_width}} {len(row['runs']):>4}  {utterance}"
        yield line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"


def _format_run(document: Mapping[str, Any], limit: int) -> Iterator[str]:
    yield f"run {document['run']}"
    commit = document["made_by"]
    made_by = f"{commit['commit'][:_SHORT_HASH]} {commit['subject']}" if commit else "no commit yet"
    yield from _field("made by", made_by)
    yield from _field("code", document["code"] or "unknown")
    for split, data_hash in document["data_hashes"].items():
        yield from _field(split, data_hash)
    hashed = "hashed again, they have the data hash"
    proof = hashed if document["rows_proved"] else "NOT those of the data hash"
    yield from _field("rows", f"{document['rows']:,} to train on; {proof}")
    base = document["base"]
    yield from _field("base", f"{base['name']}, {base['license']}")
    yield from _field("", base["sha256"])
    yield from _field("weights", document["weights_sha256"])
    yield from _format_counts("sources", document["rows_by_source"], limit)
    yield from _format_counts("skills", document["rows_by_skill"], limit)
    yield f"{'rows':>6}  {'license':<14} {'sha256':<{_SHORT_HASH}}  file"
    for source in document["sources"][:limit]:
        sha256 = source["sha256"][:_SHORT_HASH]
        yield f"{source['rows']:>6}  {source['license']:<14} {sha256}  {source['path']}"
    yield from _format_cut(len(document["sources"]), limit)


def _format_counts(label: str, counts: Mapping[str, int], limit: int) -> Iterator[str]:
    by_count = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    yield from _field(label, summarize_names([f"{name} {count:,}" for name, count in by_count], limit))


def _field(label: str, text: str) -> Iterator[str]:
    lines = textwrap.wrap(escape_controls(text), _WIDTH - _LABEL_WIDTH) or [""]
    for number, line in enumerate(lines):
        yield f"{'' if number else label:<{_LABEL_WIDTH}}{line}".rstrip()


def _format_cut(count: int, limit: int) -> Iterator[str]:
    """Yield a line about the rows that are not shown, if there are any."""
    if count > limit:
        yield f"… and {count - limit:,} more: use a larger --limit, or --format json for all"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
