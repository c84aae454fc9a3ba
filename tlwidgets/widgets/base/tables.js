// The numbers behind a chart, as a table that can be sorted.

import { details } from "./controls.js";
import { attr, h, text } from "./dom.js";

/** @import { SortedTable } from "./records" */

/**
 * A box that scrolls around a table; `head` (a row) and `body` are there to be filled.
 * @param {string} label names the box
 * @param {HTMLElement} caption
 */
export function createScrollTable(label, caption) {
  const head = h("tr");
  const body = h("tbody");
  const table = h("table", {}, caption, h("thead", {}, head), body);
  const el = h("div", { class: "tl-scroll", tabindex: "0", role: "region", "aria-label": label }, table);
  return { el, head, body };
}

/**
 * The caption of a table, in quiet letters.
 * @param {string} [words]
 */
export function quietCaption(words = "") {
  return h("caption", { class: "tl-quiet" }, words);
}

/** @param {(string | HTMLElement)[]} titles */
export function columnHeads(titles) {
  return titles.map((title) => h("th", { scope: "col" }, title));
}

/** @param {(string | HTMLElement)[]} cells */
export function tableRow(cells) {
  return h(
    "tr",
    {},
    cells.map((cell) => h("td", {}, cell)),
  );
}

/**
 * A table that opens below `summary`. A click on a column's head sorts by it, a second one the other way
 * round.
 * @param {string} summary
 */
export function createSortedTable(summary) {
  const caption = quietCaption();
  const { el: scroll, head, body } = createScrollTable(summary, caption);
  const el = details(summary, scroll);
  /** @type {SortedTable} */
  let shown = { head: [], rows: [], sort: [], caption: "" };
  let seen = "";
  /** @type {{ column: string, down: boolean } | null} */
  let order = null;

  function fill() {
    const place = order ? shown.head.indexOf(order.column) : -1;
    const down = Boolean(order?.down);
    const rows = shown.rows.map((row, index) => ({ row, key: place < 0 ? index : shown.sort[index][place] }));
    if (place >= 0) {
      rows.sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0) * (down ? -1 : 1));
    }
    body.replaceChildren(...rows.map(({ row }) => tableRow(row)));
    [...head.children].forEach((cell, index) => {
      attr(cell, "aria-sort", index !== place ? "none" : down ? "descending" : "ascending");
    });
  }

  /** @param {string} column */
  function sortBy(column) {
    const numbers = typeof shown.sort[0]?.[shown.head.indexOf(column)] === "number";
    order = { column, down: order?.column === column ? !order.down : numbers };
    fill();
  }

  /** @param {string} column */
  const sortButton = (column) => {
    const title = `Sort by ${column}`;
    return h("button", { type: "button", class: "tl-sort", title, onclick: () => sortBy(column) }, column);
  };

  /** @param {SortedTable} table */
  const update = (table) => {
    const now = JSON.stringify(table);
    if (now === seen) return;
    seen = now;
    const heads = shown.head.join("|");
    shown = table;
    if (heads !== table.head.join("|")) head.replaceChildren(...columnHeads(table.head.map(sortButton)));
    text(caption, table.caption);
    attr(scroll, "aria-label", table.caption);
    fill();
  };
  return { el, update };
}
