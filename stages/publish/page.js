"use strict";
// Tables: long ones show their first rows, filter by the text of a row, and sort by any column.
const narrow = matchMedia("(max-width: 64rem)");
for (const table of document.querySelectorAll("table[data-limit]")) {
  const limit = () => (narrow.matches ? 5 : Number(table.dataset.limit));
  const more = document.querySelector(`[data-expands="${table.id}"]`);
  const filter = document.querySelector(`[data-filters="${table.id}"]`);
  const counter = document.querySelector(`[data-counts="${table.id}"]`);
  const body = table.tBodies[0];
  let expanded = false;

  function refresh() {
    const text = filter.value.toLowerCase();
    let matches = 0;
    for (const row of body.rows) {
      row.hidden = !row.textContent.toLowerCase().includes(text);
      matches += row.hidden ? 0 : 1;
      row.classList.toggle("extra", !expanded && matches > limit());
    }
    more.hidden = expanded || matches <= limit();
    more.textContent = `Show all ${matches.toLocaleString("en")} rows`;
    counter.textContent = matches.toLocaleString("en");
  }

  more.addEventListener("click", () => {
    const next = [...body.rows].find((row) => row.classList.contains("extra"));
    expanded = true;
    refresh();
    next.tabIndex = -1;
    next.focus();
  });
  filter.addEventListener("input", refresh);
  for (const button of table.tHead.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      sortRows(body, button.closest("th"));
      refresh();
    });
  }
  narrow.addEventListener("change", refresh);
  refresh();
}

function sortRows(body, head) {
  const ascending = head.getAttribute("aria-sort") !== "ascending";
  for (const other of head.parentElement.cells) other.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const cell = (row) => row.cells[head.cellIndex];
  const compare = head.classList.contains("number")
    ? (a, b) => Number(cell(a).dataset.value) - Number(cell(b).dataset.value)
    : (a, b) => cell(a).textContent.localeCompare(cell(b).textContent, "en");
  body.append(...[...body.rows].sort((a, b) => (ascending ? compare(a, b) : compare(b, a))));
}

// A link to the examples of a reason opens them.
function openTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
}
addEventListener("hashchange", openTarget);
openTarget();
