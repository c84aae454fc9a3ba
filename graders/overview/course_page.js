// Sorts and filters what is on the page already. Without it, everything can still be read.
"use strict";

const collator = new Intl.Collator(undefined, { numeric: true });

/** What a cell is sorted by: its number where it has one, otherwise its text. */
function keyOf(cell) {
  const { sort } = cell.dataset;
  return sort === undefined ? cell.textContent.trim() : Number(sort);
}

function compare(one, other) {
  return typeof one === "number" ? one - other : collator.compare(one, other);
}

for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      // Numbers begin with the highest, names with the first.
      const first = head.classList.contains("number") ? "descending" : "ascending";
      const second = first === "ascending" ? "descending" : "ascending";
      const now = before === first ? second : first;
      const way = now === "ascending" ? 1 : -1;
      const rows = [...body.rows].map((row) => ({ row, key: keyOf(row.cells[column]) }));
      rows.sort((one, other) => way * compare(one.key, other.key));
      body.append(...rows.map(({ row }) => row));
      heads.forEach((one) => one.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", now);
    });
  });
}

const filters = document.querySelector(".filters");
const [text, unit, state, mistake] = ["text", "unit", "state", "mistake"].map((id) =>
  document.getElementById(`filter-${id}`),
);
const shown = document.getElementById("shown");
const plain = (words) => words.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const students = [...document.querySelectorAll("#class tbody tr")].map((row) => ({
  row,
  text: plain(row.cells[0].textContent),
  states: row.dataset.states.split(" "),
  mistakes: new Set(row.dataset.mistakes.split(" ")),
}));

/** Whether a student is in this state, in one unit or in any. A state is a few letters for each unit. */
function inState(states, wanted, place) {
  if (!wanted) return true;
  return place === "" ? states.some((one) => one.includes(wanted)) : states[Number(place)].includes(wanted);
}

function filter() {
  const words = plain(text.value).split(/\s+/).filter(Boolean);
  let count = 0;
  for (const one of students) {
    const fits =
      words.every((word) => one.text.includes(word)) &&
      inState(one.states, state.value, unit.value) &&
      (!mistake.value || one.mistakes.has(mistake.value));
    one.row.hidden = !fits;
    count += Number(fits);
  }
  shown.textContent = `${count.toLocaleString("en")} of ${students.length.toLocaleString("en")} shown`;
}

if (filters) {
  filters.hidden = false;
  filters.addEventListener("input", filter);
  document.getElementById("filter-reset").addEventListener("click", () => {
    text.value = unit.value = state.value = mistake.value = "";
    filter();
    text.focus();
  });
  for (const button of document.querySelectorAll(".find")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      text.value = unit.value = state.value = "";
      mistake.value = button.value;
      filter();
      document.getElementById("class").scrollIntoView();
      mistake.focus({ preventScroll: true });
    });
  }
  filter();
}
