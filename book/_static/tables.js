// Tables that are sorted by a click on a column's head, or filtered by words.
// Without scripts they are whole, in the order in which they were written.
"use strict";

/** The value by which a cell is sorted: its <data> if it has one, else its words. */
function sortKey(cell) {
  const data = cell.querySelector("data");
  return data ? Number(data.value) : cell.textContent.trim();
}

/** Order: numbers by size, words by the alphabet, numbers before words. */
function compare(a, b) {
  if (typeof a === typeof b) return typeof a === "number" ? a - b : a.localeCompare(b);
  return typeof a === "number" ? -1 : 1;
}

function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const direction = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", direction);
      const sign = direction === "ascending" ? 1 : -1;
      const keyed = [...table.tBodies[0].rows].map((row) => [sortKey(row.cells[column]), row]);
      keyed.sort((a, b) => sign * compare(a[0], b[0]));
      table.tBodies[0].append(...keyed.map(([, row]) => row));
    });
  });
}

function makeFiltered(table) {
  const rows = [...table.tBodies[0].rows];
  const words = rows.map((row) => row.textContent.toLowerCase());
  const label = document.createElement("label");
  const input = document.createElement("input");
  const count = document.createElement("output");
  input.type = "search";
  label.className = "only-those";
  label.append("Only those with ", input, " ", count);
  const place = table.closest(".scrolling") || table;
  place.before(label);
  const show = () => {
    const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, index) => {
      row.hidden = !wanted.every((word) => words[index].includes(word));
      shown += !row.hidden;
    });
    count.textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")}`;
  };
  input.addEventListener("input", show);
  show();
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("table.sortable").forEach(makeSortable);
  document.querySelectorAll("table.filtered").forEach(makeFiltered);
});
