/* Lets the table of all claims be filtered by paper and verdict; without scripts all are shown. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const table = document.querySelector("table.verdicts");
  const rows = table ? [...table.tBodies[0].rows] : [];
  const choices = (name) => [...new Set(rows.map((row) => row.dataset[name]))];
  if (choices("paper").length < 2) return; // a figure's own claims

  const bar = document.createElement("div");
  bar.className = "filter";
  const count = document.createElement("output");
  const selects = ["paper", "verdict"].map((name) => {
    const label = document.createElement("label");
    const select = document.createElement("select");
    select.name = name;
    select.append(new Option("all", ""), ...choices(name).map((value) => new Option(value, value)));
    label.append(`${name} `, select);
    bar.append(label);
    return select;
  });
  bar.append(count);
  table.parentElement.before(bar);

  const filter = () => {
    rows.forEach((row) => {
      row.hidden = selects.some(({ name, value }) => value && row.dataset[name] !== value);
    });
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} claims`;
  };
  selects.forEach((select) => select.addEventListener("change", filter));

  /** A claim that is linked to is shown, whatever was chosen. */
  const reveal = () => {
    const row = rows.find(({ id }) => `#${id}` === location.hash);
    if (!row?.hidden) return;
    selects.forEach((select) => (select.value = ""));
    filter();
    row.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);
  filter();
});
