"use strict";
// Charts: drawn in the colours of the page, and again where the reader changes from light to dark.
const specs = JSON.parse(document.getElementById("charts").textContent);
const dark = window.matchMedia("(prefers-color-scheme: dark)");
function config() {
  const style = getComputedStyle(document.documentElement);
  const text = style.getPropertyValue("--text").trim();
  const line = style.getPropertyValue("--line").trim();
  const mark = style.getPropertyValue("--accent").trim();
  return {
    background: "transparent",
    view: { stroke: null },
    axis: { labelColor: text, titleColor: text, gridColor: line, domainColor: line, tickColor: line },
    legend: { labelColor: text, titleColor: text },
    bar: { fill: mark }, point: { fill: mark, stroke: mark }, rule: { stroke: mark },
  };
}
function draw() {
  const drawn = Object.entries(specs).map(([id, spec]) =>
    vegaEmbed("#" + id, { ...spec, config: config() }, { actions: false, renderer: "svg" }));
  return Promise.all(drawn).then(() => { document.body.dataset.drawn = String(drawn.length); });
}
draw();
dark.addEventListener("change", draw);

// Tables: a filter over the text of a row, and columns that sort.
for (const input of document.querySelectorAll("input[data-filters]")) {
  const table = document.getElementById(input.dataset.filters);
  const counter = document.querySelector(`output[data-counts="${input.dataset.filters}"]`);
  input.addEventListener("input", () => {
    const wanted = input.value.toLowerCase();
    let left = 0;
    for (const row of table.tBodies[0].rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
      left += row.hidden ? 0 : 1;
    }
    counter.textContent = left.toLocaleString("en");
  });
}
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th");
    const body = head.closest("table").tBodies[0];
    const upward = head.getAttribute("aria-sort") !== "ascending";
    for (const other of head.parentElement.cells) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", upward ? "ascending" : "descending");
    const cell = (row) => row.cells[head.cellIndex].textContent;
    const numbers = [...body.rows].every((row) => cell(row) === "" || !Number.isNaN(Number(cell(row))));
    const order = numbers
      ? (a, b) => Number(cell(a)) - Number(cell(b))
      : (a, b) => cell(a).localeCompare(cell(b), "en");
    body.append(...[...body.rows].sort((a, b) => (upward ? order(a, b) : order(b, a))));
  });
}
