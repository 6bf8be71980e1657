// The page: where it is, what keys do, and decisions. A decision counts as saved only when the server says so.
import { Browser } from "./browse.js";
import { el, get, markCode, post, replaceChildren, shorten } from "./dom.js";
import { EditForm, hasDraft } from "./edit.js";
import { describeDecision, showLabels, showLiveAnswer, showNearest, showRow, showSkill } from "./row.js";

const TITLES = {
  generated: "Generated",
  conflicts: "Conflicts",
  "label-noise": "Label noise",
  errors: "Errors",
  disagreement: "Disagreement",
  privacy: "Privacy",
  quality: "Quality",
  stale: "Stale",
};
const KEYS = { a: approve, x: reject, " ": skip, e: edit, n: openNote, u: undo, b: browse, q: goToQueue, "?": showHelp };
const ASK_AFTER = 400; // Milliseconds on a row before the tagger is asked about it.
const main = document.getElementById("main");
const status = document.getElementById("status");
const undoButton = document.getElementById("undo");
const actions = document.getElementById("actions");
const noteField = document.getElementById("note-field");
const note = document.getElementById("note");
const tabs = new BroadcastChannel(`review ${location.pathname}`);
const state = {
  start: null, queue: null, entries: [], skipped: new Set(), filters: {}, row: null, form: null, last: null,
  busy: false, pending: null, shown: 0, noTagger: null,
};

const newId = () => crypto.randomUUID().replaceAll("-", "");
const readPlace = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
const writePlace = (place) => history.replaceState(null, "", `#${new URLSearchParams(place)}`);
const goTo = (place) => (location.hash = `#${new URLSearchParams(place)}`);

// What is said, and whether it is an error.
function tell(text, grade = "") {
  status.className = grade;
  status.replaceChildren(...markCode(text));
}

function drawViews() {
  const place = readPlace();
  const links = state.start.queues
    .filter(({ open, decided, name }) => open || decided || name === state.queue)
    .map(({ name, open }) => drawView({ queue: name }, TITLES[name], open, !("browse" in place) && state.queue === name));
  links.push(drawView({ browse: "", ...state.filters }, "All rows", state.start.rows, "browse" in place));
  replaceChildren(document.getElementById("views"), "href", ...links);
  document.querySelector("#views [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  const last = state.last;
  undoButton.hidden = !last;
  if (last) undoButton.replaceChildren(`Undo “${describeDecision(last)}” `, el("kbd", {}, "u"));
}

function drawView(place, title, rows, isCurrent) {
  const label = `${title}, ${rows.toLocaleString("en")} ${"browse" in place ? "in all" : "open"}`;
  const badge = el("span", { class: "badge" }, rows.toLocaleString("en"));
  return el("a", { href: `#${new URLSearchParams(place)}`, "aria-current": isCurrent ? "page" : null, "aria-label": label }, title, badge);
}

function drawActions(row) {
  const button = (title, key, action, kind = "") => el("button", { type: "button", class: kind, onclick: action }, title, key ? [" ", el("kbd", {}, key)] : null);
  actions.hidden = row?.digest === undefined;
  if (actions.hidden) noteField.hidden = true;
  if (actions.hidden) return;
  if (state.form) return actions.replaceChildren(...state.form.buttons, button("Note", "", openNote));
  actions.replaceChildren(
    button("Approve", "a", approve, "good"), button("Reject", "x", reject, "bad"),
    button("Edit", "e", edit), button("Note", "n", openNote), ...(state.queue ? [button("Skip", "space", skip)] : []),
  );
}

async function show() {
  closeForm();
  const place = readPlace();
  state.row = null;
  drawActions(null);
  main.setAttribute("aria-busy", "true");
  try {
    if ("browse" in place) showBrowser(place);
    else if (place.row) await openRow(place.row, place.queue ?? "");
    else await openQueue(place.queue ?? chooseQueue());
  } catch (error) {
    showProblem(error);
  }
  main.setAttribute("aria-busy", "false");
  drawViews();
}

const chooseQueue = () => state.start.queues.find(({ open }) => open)?.name ?? state.start.queues[0].name;

function showBrowser({ browse: _, ...query }) {
  state.queue = null;
  document.title = `All rows · ${state.start.project}`;
  const keep = (filters) => {
    state.filters = filters;
    writePlace({ browse: "", ...filters });
  };
  state.filters = query;
  main.replaceChildren(new Browser(state.start.facets, query, keep).element);
}

async function openQueue(name, asksAgain = true) {
  if (state.queue !== name) state.skipped = new Set();
  state.queue = name;
  const list = await get("queue", { name });
  state.entries = list.entries.map(({ row }) => row);
  await openNext(asksAgain);
}

// asksAgain: a long queue is sent in parts.
async function openNext(asksAgain = true) {
  const next = state.entries.find((row) => !state.skipped.has(row));
  if (next !== undefined) return openRow(next, state.queue);
  const { open } = state.start.queues.find(({ name }) => name === state.queue);
  if (asksAgain && open > state.skipped.size) return openQueue(state.queue, false);
  writePlace({ queue: state.queue });
  showEnd();
}

function showEnd() {
  state.row = null;
  drawActions(null);
  const { decided } = state.start.queues.find(({ name }) => name === state.queue);
  const skipped = state.skipped.size;
  const said = decided ? `You have decided all ${decided.toLocaleString("en")} rows of this queue.` : "This queue has no rows.";
  const parts = [el("h1", { tabindex: "-1" }, TITLES[state.queue])];
  if (skipped) {
    const again = el("button", { type: "button", onclick: () => (state.skipped.clear(), openNext()) }, "Go through them");
    parts.push(el("p", {}, `Skipped: ${skipped}. `, again));
  } else parts.push(el("p", {}, said));
  parts.push(el("p", { class: "note" }, el("code", {}, "dvc repro"), " applies what is decided. ", el("kbd", {}, "b"), " browses all rows."));
  main.replaceChildren(el("section", { class: "empty" }, parts));
  main.querySelector("h1").focus();
}

async function openRow(id, queue) {
  const round = (state.shown += 1);
  const row = await get("row", { id, queue });
  if (round !== state.shown) return;
  closeForm();
  state.row = row;
  state.queue = queue || null;
  writePlace(queue ? { queue, row: id } : { row: id });
  document.title = `${shorten(row.utterance ?? id, 40)} · ${state.start.project}`;
  main.replaceChildren(showRow(row));
  drawActions(row);
  loadNote(row);
  drawViews();
  document.getElementById("row-title").focus({ preventScroll: true });
  scrollTo(0, 0);
  if (row.digest === undefined) return;
  if (hasDraft(row)) edit();
  findNearest(row);
  if (state.noTagger) showLiveAnswer(state.noTagger);
  else setTimeout(() => askTagger(row), ASK_AFTER);
}

async function findNearest(row) {
  try {
    const rows = await get("nearest", { id: row.id });
    if (state.row === row) showNearest(rows);
  } catch (error) {
    if (state.row === row) tell(error.message, "bad");
  }
}

async function askTagger(row) {
  if (state.row !== row) return;
  try {
    const answer = await get("tagger", { id: row.id });
    if (state.row === row) showLiveAnswer(answer);
    if (!answer.system) state.noTagger = answer;
  } catch (error) {
    if (state.row === row) showLiveAnswer({ problem: error.message });
  }
}

function showProblem(error) {
  main.replaceChildren(el("p", { class: "notice bad", role: "alert" }, markCode(error.message)));
}

async function decide(decision, edited = null) {
  const row = state.row;
  if (!row?.digest || state.busy) return;
  // Sent again after an error, it has the same id, so that it cannot be saved twice.
  const said = note.value.trim();
  const key = JSON.stringify([row.id, row.digest, decision, edited, said]);
  if (state.pending?.key !== key) state.pending = { key, id: newId() };
  const request = {
    decision_id: state.pending.id, row: row.id, digest: row.digest, decision,
    queue: state.queue ?? "", seen: row.decisions.own?.decision_id ?? null, edit: edited, note: said,
  };
  const answer = await change("decide", request, "Saving…", "Not saved");
  if (!answer) return;
  state.form?.forget();
  sessionStorage.removeItem(noteKey(row));
  state.entries = state.entries.filter((id) => id !== row.id);
  tell(`Saved: ${describeDecision(answer.saved)} “${shorten(row.utterance, 40)}”${answer.saved.note ? ", with a note" : ""}`, "good");
  tabs.postMessage({ row: row.id });
  await move(() => (state.queue ? openNext() : openRow(row.id, "")));
}

async function undo() {
  const last = state.last;
  if (!last || state.busy) return;
  const key = `undo ${last.decision_id}`;
  if (state.pending?.key !== key) state.pending = { key, id: newId() };
  const request = { decision_id: state.pending.id, withdraws: last.decision_id };
  if (!(await change("undo", request, "Undoing…", "Not undone"))) return;
  tell(`Undone: “${describeDecision(last)}”`, "good");
  tabs.postMessage({ row: last.row });
  const queue = state.queue ?? readPlace().queue ?? "";
  if (queue && !state.entries.includes(last.row)) state.entries.unshift(last.row);
  state.skipped.delete(last.row);
  await move(() => openRow(last.row, queue));
}

// Ask the server for a change, and return its answer; nothing if it has refused, which is said.
async function change(name, request, now, title) {
  state.busy = true;
  tell(now);
  try {
    const answer = await post(name, request);
    state.pending = null;
    takeProgress(answer);
    return answer;
  } catch (error) {
    state.busy = false;
    // Something else has changed the row: it is shown as it is now.
    if (error.status === 409) await move(refresh);
    tell(`${title}: ${error.message}`, "bad");
    return null;
  }
}

// Go on after a change, which is saved whatever happens here.
async function move(action) {
  try {
    await action();
  } catch (error) {
    showProblem(error);
  }
  state.busy = false;
  drawViews();
}

function takeProgress({ queues, last }) {
  state.start.queues = queues;
  state.last = last;
}

async function refresh() {
  takeProgress(await get("start"));
  if (state.row?.digest) await openRow(state.row.id, state.queue ?? "");
}

function approve() {
  return decide("approved");
}

function reject() {
  return decide("rejected");
}

function skip() {
  if (!state.row || !state.queue) return;
  state.skipped.add(state.row.id);
  tell(`Skipped “${shorten(state.row.utterance ?? "")}”`);
  state.row = null; // A key that comes before the next row decides about neither.
  openNext().catch(showProblem);
}

function edit() {
  if (!state.row?.digest || state.form) return;
  const row = state.row;
  state.form = new EditForm(row, state.start.skills, {
    save: (draft) => decide("edited", draft),
    cancel: () => cancelEdit(),
    showSkill: (entry, name) => document.getElementById("skill-entry").replaceWith(showSkill(entry, name)),
  });
  document.getElementById("labels").replaceChildren(state.form.element);
  drawActions(row);
  document.getElementById("utterance").focus();
}

function cancelEdit() {
  const row = state.row;
  state.form.forget();
  closeForm();
  document.getElementById("labels").replaceChildren(...showLabels(row).filter(Boolean));
  document.getElementById("skill-entry").replaceWith(showSkill(row.entry, row.skill));
  drawActions(row);
  tell("Not edited");
  document.getElementById("row-title").focus();
}

function closeForm() {
  state.form?.close();
  state.form = null;
}

// A note is saved with the next decision about the row, and survives a reload until then.
const noteKey = (row) => `note on ${row.digest}`;

function loadNote(row) {
  note.value = (row.digest !== undefined && sessionStorage.getItem(noteKey(row))) || "";
  noteField.hidden = !note.value;
}

function openNote() {
  if (!state.row?.digest) return;
  noteField.hidden = false;
  note.focus({ preventScroll: true });
}

function pressInNote(event) {
  if (event.key !== "Escape" && (event.key !== "Enter" || event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  if (event.key === "Escape") {
    note.value = "";
    sessionStorage.removeItem(noteKey(state.row));
  }
  noteField.hidden = !note.value.trim();
  document.getElementById(state.form ? "utterance" : "row-title").focus({ preventScroll: true });
}

function browse() {
  goTo({ browse: "", ...state.filters });
}

function goToQueue() {
  goTo({ queue: state.queue ?? chooseQueue() });
}

// Single keys can be switched off, since those who speak or whose hands tremble press them without meaning it.
const usesKeys = () => localStorage.getItem("keys") !== "off";

function showHelp() {
  const box = document.getElementById("use-keys");
  box.checked = usesKeys();
  box.onchange = () => localStorage.setItem("keys", box.checked ? "on" : "off");
  document.getElementById("help").showModal();
}

function press(event) {
  const target = event.target;
  if (event.defaultPrevented || document.getElementById("help").open) return;
  if (state.form) {
    if (event.key === "Escape") cancelEdit();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) state.form.save();
    return;
  }
  if (!usesKeys() && event.key !== "?") return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (target.closest("input, select, textarea, [contenteditable]")) return;
  if (event.key === " " && target.closest("button, a, summary")) return;
  const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

// Another tab has decided: counts change here, and the row if it is the one that is shown.
async function hear({ data }) {
  try {
    takeProgress(await get("start"));
    state.entries = state.entries.filter((id) => id !== data.row);
    drawViews();
    if (state.row?.id !== data.row || state.form || state.busy) return;
    await openRow(data.row, state.queue ?? "");
    tell("Another tab has changed this row.");
  } catch (error) {
    tell(error.message, "bad");
  }
}

async function begin() {
  try {
    state.start = await get("start");
  } catch (error) {
    return showProblem(error);
  }
  state.last = state.start.last;
  document.getElementById("project").textContent = state.start.project;
  document.getElementById("reviewer").textContent = `reviewed by ${state.start.reviewer}`;
  document.getElementById("open-help").addEventListener("click", showHelp);
  undoButton.addEventListener("click", undo);
  note.addEventListener("input", () => sessionStorage.setItem(noteKey(state.row), note.value));
  note.addEventListener("keydown", pressInNote);
  addEventListener("keydown", press);
  addEventListener("hashchange", show);
  tabs.addEventListener("message", hear);
  await show();
}

begin();
