"use strict";
// Charts: drawn again when the colors or the width of the screen change.
const specs = JSON.parse(document.getElementById("charts").textContent);
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const narrow = window.matchMedia("(max-width: 40rem)");
function config() {
  const style = getComputedStyle(document.documentElement);
  const text = style.getPropertyValue("--text").trim();
  const line = style.getPropertyValue("--line").trim();
  const mark = style.getPropertyValue("--accent").trim();
  return {
    background: "transparent",
    view: { stroke: null },
    axis: { labelColor: text, titleColor: text, gridColor: line, domainColor: line, tickColor: line },
    // The legend is as wide as its columns, whatever the width of the chart.
    legend: { labelColor: text, titleColor: text, columns: narrow.matches ? 1 : 4 },
    bar: { fill: mark }, point: { fill: mark, stroke: mark }, rule: { stroke: mark },
  };
}
function draw() {
  const charts = Object.entries(specs).map(([id, spec]) =>
    vegaEmbed("#" + id, { ...spec, config: config() }, { actions: false, renderer: "svg" }));
  return Promise.all(charts).then(() => { document.body.dataset.drawn = String(charts.length); });
}
draw();
dark.addEventListener("change", draw);
narrow.addEventListener("change", draw);

// Tables: a filter over the text of a row, and columns that sort.
for (const input of document.querySelectorAll("input[data-filters]")) {
  const table = document.getElementById(input.dataset.filters);
  const counter = document.querySelector(`output[data-counts="${input.dataset.filters}"]`);
  input.addEventListener("input", () => {
    const text = input.value.toLowerCase();
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      row.hidden = !row.textContent.toLowerCase().includes(text);
      shown += row.hidden ? 0 : 1;
    }
    counter.textContent = shown.toLocaleString("en");
  });
}
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th");
    const body = head.closest("table").tBodies[0];
    const ascending = head.getAttribute("aria-sort") !== "ascending";
    for (const other of head.parentElement.cells) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const cell = (row) => row.cells[head.cellIndex];
    const compare = head.classList.contains("number")
      ? (a, b) => Number(cell(a).dataset.value) - Number(cell(b).dataset.value)
      : (a, b) => cell(a).textContent.localeCompare(cell(b).textContent, "en");
    body.append(...[...body.rows].sort((a, b) => (ascending ? compare(a, b) : compare(b, a))));
  });
}
