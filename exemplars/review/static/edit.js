// The form that corrects a row. The compiler checks every change before it can be saved.
import { capitalize, el, get, post, replaceChildren } from "./dom.js";
import { colorOf, followText, markSpans, readSelection, sliceText } from "./utterance.js";

const PAUSE = 150; // Milliseconds without a change after which the compiler is asked.
const MODES = { normal: "says what it wants", extended: "means it in its context", negative: "declines it" };

export class EditForm {
  // row: as the server shows it. skills: the names of the catalog. actions: save(edit), cancel(), showSkill(entry).
  constructor(row, skills, actions) {
    this.row = row;
    this.skills = skills;
    this.actions = actions;
    this.entry = row.entry;
    this.draft = loadDraft(row) ?? {
      utterance: row.utterance,
      skill: row.skill,
      mode: row.mode,
      arguments: row.arguments.map(({ slot, value, start, end }) => ({ slot, value, start, end, means: false })),
    };
    this.checked = null; // What the compiler says of the draft; null while it is asked.
    this.savesNext = false;
    this.timer = 0;
    this.round = 0;
    this.element = this.build();
    this.draw();
    if (this.draft.skill !== row.skill) this.loadSkill();
    this.check();
  }

  build() {
    this.text = el("div", {
      class: "utterance editable",
      id: "utterance",
      dir: "auto",
      contenteditable: "true",
      inputmode: "none",
      spellcheck: "false",
      role: "textbox",
      "aria-multiline": "true",
      "aria-readonly": "true",
      "aria-label": "Utterance",
      "aria-describedby": "select-hint",
    });
    // It can be selected with the keyboard, but not changed.
    for (const event of ["beforeinput", "paste", "drop", "cut", "dragstart"]) {
      this.text.addEventListener(event, (change) => change.preventDefault());
    }
    this.text.addEventListener("keydown", (event) => this.pressInText(event));
    this.choices = el("div", { class: "choices", role: "group", "aria-label": "Make the selection the span of an argument" });
    this.onSelection = () => this.drawChoices();
    document.addEventListener("selectionchange", this.onSelection);
    const sharesTurn = this.row.others.length > 0;
    this.words = el("textarea", { id: "edit-text", rows: "2", dir: "auto", value: this.draft.utterance, disabled: sharesTurn, "aria-describedby": sharesTurn ? "text-hint" : null });
    this.words.addEventListener("input", () => this.changeText());
    this.skill = el("input", { id: "edit-skill", list: "skill-names", value: this.draft.skill ?? "", placeholder: "no call", autocomplete: "off", spellcheck: "false" });
    this.skill.addEventListener("input", () => this.changeSkill());
    this.mode = el("select", { id: "edit-mode" }, Object.entries(MODES).map(([mode, about]) => el("option", { value: mode }, `${mode}: ${about}`)));
    this.mode.addEventListener("change", () => this.change(() => (this.draft.mode = this.mode.value)));
    this.list = el("div", { class: "edit-arguments" });
    this.message = el("p", { class: "notice", role: "status", id: "check" });
    this.hint = el("span", { class: "note", id: "select-hint" }, "Select a part of the text to make it the span of an argument.");
    this.saveButton = el("button", { type: "submit", form: "edit-form", class: "good", disabled: true }, "Save ", el("kbd", {}, "Ctrl Enter"));
    this.buttons = [this.saveButton, el("button", { type: "button", onclick: () => this.actions.cancel() }, "Cancel ", el("kbd", {}, "Esc"))];
    const form = el(
      "form",
      { class: "edit", id: "edit-form", "aria-label": "Edit the row" },
      el("div", { class: "said" }, el("span", { class: "speaker" }, this.row.speaker), this.text),
      this.choices,
      el("div", { class: "fields" },
        el("label", { for: "edit-text" }, "Text"), this.words,
        sharesTurn ? el("span", { class: "note", id: "text-hint" }, "The turn has more calls: correct its text in the source.") : null,
        el("label", { for: "edit-skill" }, "Skill"), this.skill,
        el("label", { for: "edit-mode" }, "The utterance"), this.mode),
      el("datalist", { id: "skill-names" }, this.skills.map((name) => el("option", { value: name }))),
      el("datalist", { id: "slot-names" }),
      this.list,
      el("button", { type: "button", class: "quiet", onclick: () => this.add() }, "Add an argument"),
      this.message,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    return form;
  }

  close() {
    clearTimeout(this.timer);
    this.round += 1;
    document.removeEventListener("selectionchange", this.onSelection);
  }

  forget() {
    sessionStorage.removeItem(draftKey(this.row));
  }

  // Change the draft, show it, and ask the compiler soon.
  change(action, redraw = true) {
    action();
    sessionStorage.setItem(draftKey(this.row), JSON.stringify(this.draft));
    this.checked = null;
    this.savesNext = false;
    this.saveButton.disabled = true;
    if (redraw) this.draw();
    else this.drawText();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.check(), PAUSE);
  }

  changeText() {
    const { utterance, arguments: args } = this.draft;
    const text = this.words.value;
    this.change(() => Object.assign(this.draft, { utterance: text, arguments: followText(utterance, text, args) }));
  }

  changeSkill() {
    const name = this.skill.value.trim();
    this.change(() => {
      if (!name && this.draft.skill !== null) this.kept = this.draft.arguments;
      if (!name) this.draft.arguments = [];
      else if (this.draft.skill === null && this.kept) this.draft.arguments = this.kept;
      this.draft.skill = name || null;
      this.draft.mode = !name ? "none" : this.draft.mode === "none" ? "normal" : this.draft.mode;
    });
    this.loadSkill();
  }

  async loadSkill() {
    const name = this.draft.skill;
    try {
      const entry = name === null ? null : await get("skill", { name });
      if (name !== this.draft.skill) return;
      this.entry = entry;
      this.actions.showSkill(entry, name);
      this.draw();
    } catch (error) {
      this.report(false, error.message);
    }
  }

  add(slot = "") {
    this.change(() => this.draft.arguments.push({ slot, value: "", start: null, end: null, means: false }));
    this.list.querySelector(".edit-argument:last-child input")?.focus();
  }

  // Make the selected text the span of an argument; of a new one if there is none of that slot.
  assign(slot) {
    // A key can arrive before the event of the selection that it follows.
    const selected = readSelection(this.text) ?? this.selected;
    if (!selected) return;
    this.change(() => {
      let argument = this.draft.arguments.find((item) => item.slot === slot);
      if (!argument) this.draft.arguments.push((argument = { slot, value: "", start: null, end: null, means: false }));
      const before = Number.isInteger(argument.start) ? sliceText(this.draft.utterance, argument.start, argument.end) : "";
      if (argument.value === "" || argument.value === before) argument.value = selected.said;
      Object.assign(argument, { start: selected.start, end: selected.end, means: false });
    });
    this.text.focus();
  }

  listSlots() {
    const used = this.draft.arguments.map(({ slot }) => slot).filter(Boolean);
    return [...new Set([...used, ...(this.entry?.paths ?? [])])];
  }

  pressInText(event) {
    const place = Number(event.key) - 1;
    const slots = this.listSlots();
    if (event.ctrlKey || event.metaKey || event.altKey || !(place >= 0 && place < slots.length)) return;
    event.preventDefault();
    this.assign(slots[place]);
  }

  draw() {
    this.skill.value = this.draft.skill ?? this.skill.value.trim();
    this.mode.value = this.draft.mode;
    this.mode.disabled = this.draft.skill === null;
    replaceChildren(this.list, "data-field", ...this.draft.arguments.map((argument, index) => this.buildArgument(argument, index)));
    this.element.querySelector("#slot-names").replaceChildren(...(this.entry?.paths ?? []).map((path) => el("option", { value: path })));
    this.drawText();
  }

  drawText() {
    this.text.replaceChildren(...markSpans(this.draft.utterance, this.draft.arguments));
    this.drawChoices();
  }

  drawChoices() {
    this.selected = readSelection(this.text) ?? (this.choices.contains(document.activeElement) ? this.selected : null);
    if (!this.selected) return this.choices.replaceChildren(this.hint);
    if (this.choices.contains(document.activeElement)) return;
    const buttons = this.listSlots().map((slot, place) =>
      el("button", { type: "button", class: "quiet", onclick: () => this.assign(slot) }, place < 9 ? [el("kbd", {}, String(place + 1)), " "] : null, slot),
    );
    this.choices.replaceChildren(el("q", { dir: "auto" }, this.selected.said), " is ", ...buttons);
  }

  buildArgument(argument, index) {
    const name = argument.slot || `argument ${index + 1}`;
    const parameter = this.entry?.parameters.find((item) => item.name === argument.slot);
    const field = (key, label, list) =>
      el("input", {
        value: argument[key], "aria-label": `${label} of ${name}`, "data-field": `${index}-${key}`, list, dir: "auto", autocomplete: "off", spellcheck: "false",
        "aria-describedby": "check",
        oninput: (event) => this.change(() => (argument[key] = event.target.value), false),
      });
    const values = parameter?.values.length ? el("datalist", { id: `values-${index}` }, parameter.values.map((value) => el("option", { value }))) : null;
    const hasSpan = Number.isInteger(argument.start);
    const said = hasSpan ? sliceText(this.draft.utterance, argument.start, argument.end) : "";
    return el(
      "div",
      { class: "edit-argument", role: "group", "aria-label": name, "data-index": index },
      el("span", { class: `key ${hasSpan ? colorOf(index) : ""}`, "aria-hidden": "true" }, String(index + 1)),
      field("slot", "Slot", "slot-names"),
      field("value", "Value", values?.id),
      el("span", { class: "span" },
        hasSpan
          ? [el("q", { dir: "auto" }, said), el("span", { class: "note" }, ` ${argument.start}–${argument.end} `),
             el("button", { type: "button", class: "quiet", "aria-label": `Remove the span of ${name}`, onclick: () => this.change(() => Object.assign(argument, { start: null, end: null, means: false })) }, "No span")]
          : el("span", { class: "note" }, "no span: searched")),
      el("button", { type: "button", class: "quiet", "aria-label": `Remove ${name}`, onclick: () => this.change(() => this.draft.arguments.splice(index, 1)) }, "Remove"),
      values,
      el("div", { class: "fixes", hidden: true }),
    );
  }

  async check() {
    const round = (this.round += 1);
    try {
      const checked = await post("check", { row: this.row.id, edit: this.draft });
      if (round !== this.round) return;
      this.checked = checked;
      this.showCheck(checked);
      if (this.savesNext) this.save();
    } catch (error) {
      if (round !== this.round) return;
      this.report(false, error.message);
    }
    this.savesNext = false;
  }

  showCheck(checked) {
    this.saveButton.disabled = !checked.ok || !checked.changed;
    // What else can be done about a span is offered as buttons.
    if (!checked.ok) this.report(false, capitalize(checked.reason === "span_mismatch" ? checked.message.split("; ")[0] : checked.message));
    else if (!checked.changed) this.report(null, "Nothing is changed yet.");
    else this.report(true, "It compiles: ", el("code", {}, checked.row.call));
    for (const part of this.list.children) {
      const argument = this.draft.arguments[part.dataset.index];
      const isWrong = !checked.ok && checked.slot !== null && argument?.slot === checked.slot;
      part.classList.toggle("wrong", isWrong);
      for (const input of part.querySelectorAll("input")) input.setAttribute("aria-invalid", String(isWrong));
      this.offerFixes(part.querySelector(".fixes"), argument, isWrong && checked.reason === "span_mismatch");
    }
  }

  offerFixes(place, argument, offers) {
    place.hidden = !offers || !Number.isInteger(argument.start);
    if (place.hidden) return place.replaceChildren();
    const said = sliceText(this.draft.utterance, argument.start, argument.end);
    const fix = (label, values) => el("button", { type: "button", class: "quiet", onclick: () => this.change(() => Object.assign(argument, values)) }, label);
    place.replaceChildren(fix(`“${said}” means this value`, { means: true }), fix(`Use “${said}” as the value`, { value: said }));
  }

  report(isGood, ...parts) {
    this.message.className = `notice ${isGood === null ? "" : isGood ? "good" : "bad"}`;
    this.message.replaceChildren(...parts);
  }

  // Save what compiles. A key that comes while the compiler is asked counts when it has answered.
  save() {
    if (!this.checked) this.savesNext = true;
    else if (this.checked?.ok && this.checked.changed) this.actions.save(this.draft);
  }
}

const draftKey = (row) => `draft of ${row.digest}`;

export const hasDraft = (row) => sessionStorage.getItem(draftKey(row)) !== null;

function loadDraft(row) {
  try {
    const draft = JSON.parse(sessionStorage.getItem(draftKey(row)));
    return draft && { utterance: row.utterance, ...draft };
  } catch {
    return null;
  }
}
