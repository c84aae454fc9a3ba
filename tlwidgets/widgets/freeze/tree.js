// The tree of layers: rows in a flat list whose levels ARIA tells; one of them is in the tab order.

import { attr, h } from "../base/dom.js";
import { createRow } from "./row.js";
import { rowsById } from "./store.js";

/** @import { Place } from "./row.js" */
/** @import { FreezeRow } from "./state" */
/** @import { FreezeStore } from "./store.js" */

const PAUSE = 700; // milliseconds after which a letter begins a new word

/**
 * The tree. `update` draws the state's rows; each view decides which of them are open.
 * @param {FreezeStore} store
 */
export function createTree(store) {
  const { labels, rows } = store.state;
  const el = h("div", { class: "tl-tree", role: "tree", "aria-label": labels.tree });
  /** @type {Map<string, ReturnType<typeof createRow>>} */
  const nodes = new Map(); // by id
  const opened = [...rowsById(rows).values()].filter((row) => row.children.length);
  const expanded = new Set(opened.map((row) => row.id));
  /** @type {Place[]} */
  let shown = []; // from top to bottom
  let current = ""; // the id of the row that has the focus, or would get it

  /**
   * The rows that can be seen, each with its place; those below a row follow it.
   * @param {FreezeRow[]} rows
   * @returns {Place[]}
   */
  const visible = (rows, level = 1) =>
    rows.flatMap((row, index) => {
      const open = expanded.has(row.id);
      const here = { row, level, place: index + 1, size: rows.length, open };
      return [here, ...(open ? visible(row.children, level + 1) : [])];
    });

  /** @param {string} id */
  const toggle = (id) => store.ask({ type: "toggle", id });

  /** @param {string} id */
  function nodeOf(id) {
    const open = () => setExpanded(id, !expanded.has(id));
    const node =
      nodes.get(id) ?? createRow(labels.lock_tip, { focus: () => focus(id), open, toggle: () => toggle(id) });
    nodes.set(id, node);
    return node;
  }

  function update() {
    const before = shown.map(({ row }) => row.id).join("\n");
    shown = visible(store.state.rows);
    for (const each of shown) nodeOf(each.row.id).update(each);
    const ids = shown.map(({ row }) => row.id);
    if (ids.join("\n") === before) return;
    const focused = el.contains(document.activeElement);
    el.replaceChildren(...ids.map((id) => nodeOf(id).el));
    if (!ids.includes(current)) current = ids[0];
    rove();
    if (focused) nodeOf(current).el.focus({ preventScroll: true });
  }

  /** Keep one row in the tab order. */
  function rove() {
    for (const { row } of shown) {
      attr(nodeOf(row.id).el, "tabindex", row.id === current ? "0" : "-1");
      attr(nodeOf(row.id).el, "aria-selected", row.id === current ? "true" : "false");
    }
  }

  /** @param {string} id */
  function focus(id) {
    current = id;
    rove();
    nodeOf(id).el.focus({ preventScroll: true });
    nodeOf(id).el.scrollIntoView({ block: "nearest" });
  }

  /**
   * @param {string} id
   * @param {boolean} open
   */
  function setExpanded(id, open) {
    const row = rowsById(store.state.rows).get(id);
    if (!row?.expandable || open === expanded.has(id)) return;
    if (open) expanded.add(id);
    else expanded.delete(id);
    if (open && !row.children.length)
      store.ask({ type: "expand", id }); // drawn when the rows arrive
    else update();
  }

  let typed = "";
  let typedAt = 0;
  /**
   * Move to the next row whose label begins with the letters typed.
   * @param {string} letter
   * @param {number} index where to begin
   */
  function typeAhead(letter, index) {
    typed = performance.now() - typedAt > PAUSE ? letter : typed + letter;
    typedAt = performance.now();
    const start = index + (typed.length === 1 ? 1 : 0);
    const wanted = typed.toLowerCase();
    const found = [...shown.slice(start), ...shown.slice(0, start)].find(({ row }) =>
      row.label.toLowerCase().startsWith(wanted),
    );
    if (found) focus(found.row.id);
  }

  el.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.shiftKey && event.key === "Enter") return; // the notebook's: run the cell
    const index = shown.findIndex(({ row }) => row.id === current);
    const { row, level, open } = shown[index];
    /** @param {Place | undefined} place */
    const moveTo = (place) => place && focus(place.row.id);
    /** @type {Record<string, () => void>} */
    const moves = {
      ArrowDown: () => moveTo(shown[index + 1]),
      ArrowUp: () => moveTo(shown[index - 1]),
      Home: () => moveTo(shown[0]),
      End: () => moveTo(shown[shown.length - 1]),
      Enter: () => toggle(row.id),
      " ": () => toggle(row.id),
      ArrowRight: () => {
        if (!open) setExpanded(row.id, true);
        else if (row.children.length) focus(row.children[0].id);
      },
      ArrowLeft: () => {
        if (open) setExpanded(row.id, false);
        else
          moveTo(
            shown
              .slice(0, index)
              .reverse()
              .find((place) => place.level < level),
          );
      },
    };
    if (moves[event.key]) moves[event.key]();
    else if (event.key.length === 1 && event.key.trim()) typeAhead(event.key, index);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  return { el, update };
}
