"use strict";

/* A click on a chart opens it in full size; Escape or the button closes it. */
const dialog = document.querySelector("dialog");
for (const button of document.querySelectorAll("button.zoom")) {
  button.addEventListener("click", () => {
    const shown = button.querySelector("img");
    const image = dialog.querySelector("img");
    image.src = shown.src;
    image.alt = shown.alt;
    dialog.showModal();
  });
}

/* A click on a heading sorts by that column, a second one the other way round. Cells that are empty
 * stay at the end. */
const valueOf = (row, column) => {
  const cell = row.cells[column];
  return cell.dataset.v === undefined ? cell.textContent.trim() : Number(cell.dataset.v);
};

const compare = (a, b, direction) => {
  if (a === "" || b === "") return (a === "") - (b === "");
  const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(b);
  return direction * order;
};

for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => heading.querySelector("button")?.addEventListener("click", () => {
    const descending = heading.getAttribute("aria-sort") === "ascending";
    headings.forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => compare(valueOf(a, column), valueOf(b, column), descending ? -1 : 1));
    rows.forEach((row) => row.classList.remove("first"));
    table.tBodies[0].append(...rows);
  }));
}
