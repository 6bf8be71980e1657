// All rows of the dataset, with filters.
import { count, el, get, replaceChildren } from "./dom.js";
import { describeDecision, quoteNote } from "./row.js";

const FILTERS = { skill: "Skill", split: "Split", source: "Source", grounding: "Grounding", reason: "Reason", system: "Run" };
const DECISIONS = { approved: "approved", rejected: "rejected", edited: "edited", noted: "with a note" };
const PAUSE = 150; // Milliseconds without a key after which the text is searched.

export class Browser {
  // facets: the values of each filter, with the number of rows. query: from the address. keep(query): puts it there.
  constructor(facets, query, keep) {
    this.query = query;
    this.keep = keep;
    this.timer = 0;
    this.results = el("div", { id: "results" });
    this.total = el("output", { class: "note" });
    this.element = el(
      "section",
      { class: "browse", "aria-labelledby": "browse-title" },
      el("h1", { id: "browse-title", tabindex: "-1" }, "All rows"),
      el("form", { class: "filters", role: "search", "aria-label": "Filter rows", onsubmit: (event) => event.preventDefault() },
        this.buildSearch(), Object.entries(FILTERS).map(([name, label]) => this.buildFilter(name, label, facets[name])), this.buildAnswer(facets.system), this.buildDecision(), this.total),
      this.results,
    );
    this.load();
  }

  buildSearch() {
    const input = el("input", { type: "search", value: this.query.text ?? "", placeholder: "any text", "data-filter": "text" });
    input.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.filter("text", input.value), PAUSE);
    });
    return el("label", { class: "wide" }, "Text", input);
  }

  buildFilter(name, label, values) {
    if (!values.length) return null;
    const options = values.map(([value, rows]) => el("option", { value }, `${value.replaceAll("_", name === "reason" ? " " : "_")} (${rows.toLocaleString("en")})`));
    return this.buildSelect(name, label, options);
  }

  buildAnswer(systems) {
    if (!systems.length) return null;
    return this.buildSelect("answer", "Answer", ["right", "wrong"].map((value) => el("option", { value }, value)));
  }

  buildDecision() {
    return this.buildSelect("decision", "Decision", Object.entries(DECISIONS).map(([value, title]) => el("option", { value }, title)));
  }

  buildSelect(name, label, options) {
    const select = el("select", { "data-filter": name }, el("option", { value: "" }, "any"), options);
    select.value = this.query[name] ?? "";
    select.addEventListener("change", () => this.filter(name, select.value));
    return el("label", {}, label, select);
  }

  filter(name, value) {
    const { page, ...query } = { ...this.query, [name]: value };
    this.query = Object.fromEntries(Object.entries(query).filter(([, text]) => text));
    this.keep(this.query);
    this.load();
  }

  turn(page) {
    this.query = { ...this.query, page: String(page) };
    this.keep(this.query);
    this.load().then(() => this.element.querySelector("h1").focus());
  }

  async load() {
    const query = this.query;
    try {
      const found = await get("rows", query);
      if (query === this.query) this.draw(found);
    } catch (error) {
      if (query === this.query) this.results.replaceChildren(el("p", { class: "notice bad", role: "alert" }, error.message));
    }
  }

  draw({ total, page, page_rows: size, rows }) {
    this.total.textContent = count(total, "row");
    if (!rows.length) return this.results.replaceChildren(el("p", { class: "empty" }, "No row has all of this."));
    const hasAnswers = rows.some((row) => row.asked !== undefined);
    const hasDecisions = rows.some((row) => row.decisions?.length);
    const heads = ["Utterance", "Skill", "Split", "Source", "Reason", ...(hasAnswers ? ["Right"] : []), ...(hasDecisions ? ["Decision"] : [])];
    replaceChildren(
      this.results,
      "href",
      el("table", { class: "rows", "aria-label": "Rows" },
        el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
        el("tbody", {}, rows.map((row) => drawRow(row, hasAnswers, hasDecisions)))),
      this.buildPager(total, page, size),
    );
  }

  buildPager(total, page, size) {
    const last = Math.ceil(total / size) - 1;
    const turn = (label, target) => el("button", { type: "button", disabled: target < 0 || target > last, onclick: () => this.turn(target) }, label);
    const first = page * size + 1;
    const shown = `${first.toLocaleString("en")}–${Math.min(total, first + size - 1).toLocaleString("en")} of ${total.toLocaleString("en")}`;
    return el("nav", { class: "pager", "aria-label": "Pages" }, turn("Previous", page - 1), el("span", {}, shown), turn("Next", page + 1));
  }
}

function drawRow(row, hasAnswers, hasDecisions) {
  const cell = (label, content) => el("td", { "data-label": label, class: content ? null : "none" }, content);
  const decisions = row.decisions?.map((review) => el("div", {}, `${review.reviewer} ${describeDecision(review)}`, quoteNote(review)));
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, el("a", { href: `#${new URLSearchParams({ row: row.id })}`, dir: "auto" }, row.utterance ?? row.id)),
    cell("Skill", row.skill),
    cell("Split", row.split),
    cell("Source", row.source),
    cell("Reason", row.reason?.replaceAll("_", " ")),
    hasAnswers ? cell("Right", row.asked === undefined ? null : `${row.right} of ${row.asked}`) : null,
    hasDecisions ? cell("Decision", decisions?.length ? decisions : null) : null,
  );
}
