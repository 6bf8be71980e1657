// One row, and all that helps to decide about it.
import { colorOf, markSpans } from "./utterance.js";
import { capitalize, count, el, markCode } from "./dom.js";

const SHOWN_TURNS = 4;
const HEADLINE = "end_to_end"; // The condition whose answers come first: the whole catalog may be called.
const NO_SPLIT = "(none)";
const PENDING = "pending_review"; // What the ledger has of a row that waits for approval.
const SAID = {
  verbatim: "said",
  case: "said, ignoring case",
  normalized: "said in another form",
  recognized: "said as an expression",
  categorical: "meant",
  boolean: "meant",
  context: "said earlier",
  dontcare: "no preference",
  default: "the default",
  composed: "written by the model",
};
const DECIDED = { approved: "approved", rejected: "rejected", edited: "edited", withdrawn: "withdrew" };

export const describeDecision = ({ decision }) => DECIDED[decision];

export function showRow(row) {
  return el(
    "div",
    { class: "row" },
    el(
      "article",
      { "aria-labelledby": "row-title" },
      showHeading(row),
      ...showNotes(row),
      showContext(row.context ?? []),
      el("div", { id: "labels" }, showLabels(row)),
      showFacts(row),
    ),
    el("aside", { "aria-label": "What helps to decide" }, showSkill(row.entry, row.skill), showAnswers(row), buildNearest()),
  );
}

export function showLabels(row) {
  return [showUtterance(row), row.call === undefined ? null : showCall(row)];
}

function showHeading(row) {
  return el(
    "h1",
    { id: "row-title", tabindex: "-1" },
    row.why ? capitalize(row.why) : row.split && row.split !== NO_SPLIT ? `A row of ${row.split}` : "A row in no split",
    row.suggested && !row.why.includes(row.suggested) ? el("span", { class: "note" }, ` · suggested: ${row.suggested}`) : null,
  );
}

function* showNotes(row) {
  if (row.rejection && row.rejection.reason !== PENDING) {
    const { stage, reason, message } = row.rejection;
    const names = `${reason.replaceAll("_", " ")}, in ${stage}`;
    yield el("p", { class: "notice fair" }, el("strong", {}, `In the ledger: ${names}. `), markCode(message));
  }
  const decisions = row.decisions;
  if (!decisions) return;
  if (decisions.disputed) yield showDecisions("bad", "Reviewers disagree, so that no decision applies.", row);
  else if (decisions.own) yield showDecisions("good", "Decided.", row);
  if (decisions.problem) yield el("p", { class: "notice bad" }, el("strong", {}, "The edit is not applied. "), markCode(decisions.problem));
  for (const review of decisions.stale) {
    const text = `${review.reviewer} ${describeDecision(review)} an earlier version of this row on ${day(review)}`;
    yield el("p", { class: "notice fair" }, el("strong", {}, "Stale. "), text, quoteNote(review), ". It does not apply: decide again.");
  }
  if (decisions.hidden) {
    yield el("p", { class: "note" }, `${count(decisions.hidden, "reviewer")} decided already; you see it after your own decision.`);
  }
}

function showDecisions(grade, title, { decisions }) {
  const all = [...(decisions.own ? [decisions.own] : []), ...decisions.others];
  const said = all.map((review, place) => [`${place ? ", " : ""}${review.reviewer} ${describeDecision(review)} it on ${day(review)}`, quoteNote(review)]);
  return el("p", { class: `notice ${grade}` }, el("strong", {}, `${title} `), said.flat(), ".");
}

// The note of a decision in quotes, if it has one.
export const quoteNote = ({ note }) => (note ? el("span", {}, ": ", el("q", { dir: "auto" }, note)) : null);

function showContext(turns) {
  if (!turns.length) return null;
  const items = turns.map((turn) =>
    el("li", { class: turn.speaker }, el("span", { class: "speaker" }, turn.speaker), el("span", { dir: "auto" }, turn.utterance)),
  );
  const early = items.slice(0, -SHOWN_TURNS);
  const list = el("ol", { class: "context", "aria-label": "Context" }, items);
  if (!early.length) return list;
  for (const item of early) item.hidden = true;
  const more = el("button", { type: "button", class: "quiet" }, `Show ${count(early.length, "earlier turn")}`);
  more.addEventListener("click", () => {
    for (const item of early) item.hidden = false;
    more.remove();
  });
  return el("div", {}, more, list);
}

function showUtterance(row) {
  const text = row.utterance ?? "";
  const empty = el("em", { class: "note" }, "The ledger does not keep this text.");
  return el(
    "div",
    { class: "said" },
    el("span", { class: "speaker" }, row.speaker ?? ""),
    el("p", { class: "utterance", id: "utterance", dir: "auto" }, text ? markSpans(text, row.arguments ?? []) : empty),
  );
}

function showCall(row) {
  const args = row.arguments ?? [];
  return el(
    "div",
    { class: "call" },
    el("p", { class: "skill" }, row.skill ? el("code", {}, row.skill) : "No call", row.mode !== "normal" && row.skill ? el("span", { class: "tag" }, row.mode) : null),
    args.length ? showArguments(args) : el("p", { class: "note" }, row.skill ? "Without arguments." : "It asks for nothing that the catalog can do."),
    row.reply ? el("p", { class: "note" }, "Reply: ", el("span", { dir: "auto" }, row.reply)) : null,
    row.others?.length ? el("div", { class: "note" }, "The same turn also calls: ", row.others.map((call) => el("div", {}, el("code", {}, call)))) : null,
  );
}

function showArguments(args) {
  const lines = args.map((argument, index) => {
    const said = argument.surface !== null && argument.surface !== undefined;
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, el("span", { class: said ? `key ${colorOf(index)}` : "key plain" }, argument.slot)),
      el("td", { dir: "auto" }, argument.value),
      el("td", {}, said && argument.surface !== argument.value ? [el("q", { dir: "auto" }, argument.surface), " "] : null,
        el("span", { class: "note" }, SAID[argument.grounding] ?? argument.grounding)),
    );
  });
  const heads = ["Argument", "Value", "How"].map((head) => el("th", { scope: "col" }, head));
  return el("table", { class: "arguments" }, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, lines));
}

function showFacts(row) {
  const facts = [
    ["Split", row.split === NO_SPLIT ? null : row.split],
    ["Source", row.place ?? row.source],
    ["License", row.license],
  ].filter(([, value]) => value);
  return el(
    "dl",
    { class: "facts" },
    facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
    el("div", {}, el("dt", {}, "Row"), el("dd", {}, el("code", {}, row.id))),
  );
}

export function showSkill(entry, name) {
  const section = el("section", { id: "skill-entry", "aria-labelledby": "skill-title" });
  section.append(el("h2", { id: "skill-title" }, "Catalog"));
  if (!entry) {
    section.append(el("p", { class: "note" }, name ? "The catalog has no such skill." : "No skill is called."));
    return section;
  }
  section.append(el("p", {}, el("code", {}, entry.name), entry.description ? ` ${entry.description}` : ""));
  if (!entry.parameters.length) section.append(el("p", { class: "note" }, "It has no parameters."));
  else section.append(el("dl", { class: "parameters" }, entry.parameters.map(showParameter)));
  return section;
}

function showParameter(parameter) {
  const kinds = [parameter.type, parameter.required ? "required" : "", parameter.recognizer, parameter.composed ? "composed" : ""];
  const values = parameter.values.slice(0, 12).join(", ") + (parameter.values.length > 12 ? ", …" : "");
  return el(
    "div",
    {},
    el("dt", {}, el("code", {}, parameter.name), el("span", { class: "note" }, ` ${kinds.filter(Boolean).join(", ")}`)),
    parameter.description || values
      ? el("dd", {}, parameter.description, values ? el("span", { class: "values" }, ` ${values}`) : null)
      : null,
  );
}

function showAnswers(row) {
  const section = el("section", { id: "answers", "aria-labelledby": "answers-title" });
  section.append(el("h2", { id: "answers-title" }, "What the models answer"));
  const answers = row.answers ?? [];
  const [headline, others] = [true, false].map((is) => answers.filter(({ condition }) => (condition === HEADLINE) === is));
  if (headline.length) section.append(showAnswerList(headline));
  if (others.length) section.append(el("details", { open: !headline.length }, el("summary", {}, "If the right tool is shown"), showAnswerList(others)));
  section.append(el("p", { class: "note", id: "live-answer" }, answers.length ? "" : "No answer yet."));
  return section;
}

const showAnswerList = (answers) => el("ul", { class: "answers" }, answers.map(showAnswer));

function showAnswer(answer) {
  const verdict = answer.right ? "right" : answer.kind.replaceAll("_", " ");
  return el(
    "li",
    {},
    el("span", { class: `state ${answer.right ? "good" : "bad"}` }, verdict),
    el("span", { class: "system" }, `${answer.system}${answer.answered_by ? ` (${answer.answered_by})` : ""}`),
    el("span", { class: "note" }, formatConfidence(answer)),
    el("code", {}, answer.predicted || "no answer"),
  );
}

export function showLiveAnswer(answer) {
  const place = document.getElementById("live-answer");
  if (!place) return;
  if (answer.problem && !answer.text) place.replaceChildren(...markCode(`Tagger: ${answer.problem}.`));
  else {
    const text = ["Asked now: " + answer.system, formatConfidence(answer), answer.problem].filter(Boolean).join(", ");
    place.replaceChildren(text, el("code", { class: "block" }, answer.text));
  }
}

const formatConfidence = ({ confidence }) =>
  confidence === null || confidence === undefined ? "" : `${Math.round(confidence * 100)} % sure`;

function buildNearest() {
  const section = el("section", { id: "nearest", "aria-labelledby": "nearest-title" });
  section.append(el("h2", { id: "nearest-title" }, "Nearest rows of train"), el("div", {}, el("p", { class: "note" }, "Looking …")));
  return section;
}

export function showNearest(rows) {
  const none = el("p", { class: "note" }, "No row of train shares a word with it.");
  const list = el("ul", { class: "nearest" }, rows.map(showNearRow));
  document.querySelector("#nearest > div")?.replaceChildren(rows.length ? list : none);
}

function showNearRow(near) {
  return el(
    "li",
    {},
    el("a", { href: `#${new URLSearchParams({ row: near.id })}`, dir: "auto" }, near.utterance),
    el("code", {}, near.call),
    el("span", { class: "note" }, `${Math.round(near.similarity * 100)} % alike`),
  );
}

const day = ({ time }) => time.slice(0, 10);
