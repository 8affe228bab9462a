// Tables that are sorted by a click on a column's head, or filtered by words and choices.
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

/** A bar to filter a table by words, and by what its rows are told apart by: their data. */
function makeFiltered(table) {
  const rows = [...table.tBodies[0].rows];
  const words = rows.map((row) => row.textContent.toLowerCase());
  const bar = document.createElement("div");
  const count = document.createElement("output");
  bar.className = "filter";
  const choose = (text, field) => {
    const label = document.createElement("label");
    label.append(`${text} `, field);
    bar.append(label);
    field.addEventListener("input", show);
    return field;
  };
  const selects = Object.keys(rows[0]?.dataset ?? {}).map((name) => {
    const values = [...new Set(rows.map((row) => row.dataset[name]))];
    const select = document.createElement("select");
    select.name = name;
    select.append(new Option("all", ""), ...values.map((value) => new Option(value, value)));
    return choose(name, select);
  });
  const input = document.createElement("input");
  input.type = "search";
  choose("Only those with", input);
  bar.append(count);
  (table.closest(".scrolling") || table).before(bar);

  function show() {
    const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, index) => {
      row.hidden =
        selects.some(({ name, value }) => value && row.dataset[name] !== value) ||
        !wanted.every((word) => words[index].includes(word));
      shown += !row.hidden;
    });
    count.textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")}`;
  }

  /** A row that is linked to is shown, whatever was chosen. */
  function reveal() {
    const row = rows.find(({ id }) => id && `#${id}` === location.hash);
    if (!row?.hidden) return;
    [...selects, input].forEach((field) => (field.value = ""));
    show();
    row.scrollIntoView();
  }
  window.addEventListener("hashchange", reveal);
  show();
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("table.sortable").forEach(makeSortable);
  document.querySelectorAll("table.filtered").forEach(makeFiltered);
});
