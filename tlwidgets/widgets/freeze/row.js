// One row of the tree: an arrow, a padlock, a label, and how many of how many parameters learn.

import { attr, h, text, uniqueId } from "../base/dom.js";
import { icon } from "./icons.js";

/** @import { FreezeRow } from "./state" */

/**
 * A row at its place in the tree.
 * @typedef {{ row: FreezeRow, level: number, place: number, size: number, open: boolean }} Place
 */

/** @type {Record<string, string>} */
const CHECKED = { frozen: "false", trained: "true", partial: "mixed", fixed: "false" };

/**
 * A row. `update` shows a row of the state at a place in the tree.
 * @param {string} tip the tooltip of the padlock
 * @param {{focus: () => void, open: () => void, toggle: () => void}} actions
 */
export function createRow(tip, actions) {
  const twisty = h("span", { class: "tl-twisty", "aria-hidden": "true" });
  const lock = h("span", { class: "tl-lock", "aria-hidden": "true", title: tip });
  const label = h("span", { class: "tl-label" });
  const type = h("span", { class: "tl-type tl-quiet" });
  const note = h("span", { class: "tl-note tl-quiet" });
  const learns = h("span", { class: "tl-learns tl-quiet" });
  const fill = h("span", { class: "tl-fill tl-moves" });
  const count = h("span", { class: "tl-count" });
  const el = h(
    "div",
    { class: "tl-row", role: "treeitem", id: uniqueId("row"), tabindex: "-1", "aria-selected": "false" },
    twisty,
    lock,
    h("span", { class: "tl-name" }, label, type, note),
    learns,
    h("span", { class: "tl-size", "aria-hidden": "true" }, fill),
    count,
  );
  el.addEventListener("mousedown", (event) => event.preventDefault()); // no text is selected
  /**
   * Whether an event was meant for a part of the row.
   * @param {Event} event
   * @param {Element} part
   */
  const on = (event, part) => event.target instanceof Node && part.contains(event.target);
  el.addEventListener("click", (event) => {
    actions.focus();
    if (on(event, twisty)) actions.open();
    else if (on(event, lock)) actions.toggle();
  });
  el.addEventListener("dblclick", (event) => {
    if (!on(event, twisty) && !on(event, lock)) actions.open();
  });

  let drawn = ""; // the state whose padlock is drawn
  /** @param {Place} place */
  const update = ({ row, level, place, size, open }) => {
    attr(el, "aria-level", level);
    attr(el, "aria-posinset", place);
    attr(el, "aria-setsize", size);
    attr(el, "aria-expanded", row.expandable ? open : null);
    attr(el, "aria-checked", CHECKED[row.state]);
    attr(el, "aria-disabled", row.fixed ? "true" : null);
    attr(el, "aria-label", row.spoken);
    attr(el, "data-state", row.state);
    attr(el, "title", row.tip);
    el.style.setProperty("--tl-level", String(level - 1));
    if (row.expandable !== twisty.hasChildNodes())
      twisty.replaceChildren(...(row.expandable ? [icon("open")] : []));
    if (row.state !== drawn) lock.replaceChildren(icon(row.state), row.state_text);
    drawn = row.state;
    text(label, row.label);
    text(type, row.type);
    text(note, row.aside);
    text(learns, row.learns);
    text(count, row.count);
    fill.style.width = `${100 * row.bar}%`;
  };
  return { el, update };
}
