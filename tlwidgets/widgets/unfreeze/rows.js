// The rows of an unfreezing schedule: a slider for each part of the model, on a grid of epochs.

import { attr, h, text, uniqueId } from "../base/dom.js";

/** @import { Store } from "../base/store.js" */
/** @import { UnfreezeState } from "./state" */

/**
 * A cell for each epoch and one for "never"; `update(current)` marks the epoch that is being trained.
 * @param {number} epochs
 */
export function createCells(epochs) {
  const cells = Array.from({ length: epochs + 1 }, (_, index) => {
    const name = index === epochs ? "tl-cell tl-cell--never" : "tl-cell";
    return h("span", { class: name, "aria-hidden": "true", style: `grid-column: ${index + 1}` });
  });
  /** @param {number} current */
  const update = (current) =>
    cells.forEach((cell, index) => cell.classList.toggle("tl-cell--now", index + 1 === current));
  return { cells, update };
}

/**
 * Let a bar's start be moved by mouse: `moveTo(column, gesture)` is called for each column that it is moved
 * over, with one `gesture` for a whole drag.
 * @param {{ track: HTMLElement, handle: HTMLElement, ghost: HTMLElement, cells: HTMLElement[] }} parts
 * @param {() => number | null} column where the bar starts now; null where it is fixed
 * @param {(column: number, gesture: string) => void} moveTo
 */
function onDrag({ track, handle, ghost, cells }, column, moveTo) {
  /** @type {{ gesture: string, column: number } | null} */
  let drag = null;
  /** @param {PointerEvent} event */
  const follow = (event) => {
    if (!drag) return;
    const found = cells.findIndex((cell) => event.clientX < cell.getBoundingClientRect().right);
    const over = found < 0 ? cells.length : found + 1;
    ghost.hidden = false;
    ghost.style.gridColumn = String(over);
    if (over === drag.column) return;
    drag.column = over;
    moveTo(over, drag.gesture);
  };
  const end = () => {
    drag = null;
    ghost.hidden = true;
  };
  track.addEventListener("pointerdown", (event) => {
    const start = column();
    if (event.button || start === null) return;
    event.preventDefault();
    handle.focus({ preventScroll: true });
    track.setPointerCapture(event.pointerId);
    drag = { gesture: uniqueId("drag"), column: start };
    follow(event);
  });
  track.addEventListener("pointermove", follow);
  track.addEventListener("pointerup", end);
  track.addEventListener("pointercancel", end);
}

/**
 * One row: what it is, and the bar whose start is a slider. The column after the last epoch stands for
 * "never".
 * @param {Store<UnfreezeState>} store
 * @param {number} place
 */
export function createRow(store, place) {
  const { epochs } = store.state;
  const never = epochs + 1;
  const find = () => store.state.rows[place];
  const first = find();
  const column = () => find().start ?? never;
  /** @type {number | null} what Python has not answered yet: the next key goes on from there */
  let asked = null;
  /**
   * @param {number} to
   * @param {string | null} gesture
   */
  const ask = (to, gesture = null) => {
    asked = to;
    store.request({ type: "move", row: first.id, start: to === never ? null : to, gesture });
  };
  const name = uniqueId("row");
  const handle = h("span", {
    class: "tl-handle",
    role: "slider",
    tabindex: "0",
    "aria-labelledby": name,
    "aria-valuemin": "1",
    "aria-valuemax": never,
    "aria-orientation": "horizontal",
    "aria-disabled": first.fixed ? "true" : null,
  });
  const rest = h("span", { class: "tl-rest", "aria-hidden": "true" });
  const bar = h("span", { class: "tl-voice" }, handle);
  const ghost = h("span", { class: "tl-ghost", "aria-hidden": "true", hidden: true });
  const grid = createCells(epochs);
  const track = h("div", { class: "tl-lane" }, grid.cells, rest, bar, ghost);
  const said = h("span", { class: "tl-quiet tl-from", "aria-hidden": "true" });
  const label = h(
    "div",
    { class: "tl-part" },
    h("span", { class: "tl-name", id: name }, first.label),
    h("span", { class: "tl-quiet" }, first.count),
    h("span", { class: "tl-quiet tl-note" }, first.note),
  );
  const el = h("div", { class: "tl-row", title: first.note || first.type }, label, track, said);

  const parts = { track, handle, ghost, cells: grid.cells };
  onDrag(parts, () => (find().fixed ? null : column()), ask);
  handle.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const now = asked ?? column();
    /** @type {Record<string, number>} */
    const columns = {
      ArrowLeft: now - 1,
      ArrowDown: now - 1,
      ArrowRight: now + 1,
      ArrowUp: now + 1,
      Home: 1,
      End: never,
      Delete: never,
      Backspace: never,
    };
    if (!(event.key in columns)) return;
    event.preventDefault();
    event.stopPropagation();
    const wanted = columns[event.key];
    if (!find().fixed && wanted !== now && wanted >= 1 && wanted <= never) ask(wanted);
  });

  const update = () => {
    const row = find();
    const start = column();
    if (start === asked || store.state.message.kind === "error") asked = null;
    bar.style.gridColumn = row.start === null ? String(never) : `${start} / ${never}`;
    bar.classList.toggle("tl-voice--never", row.start === null);
    rest.hidden = start === 1;
    rest.style.gridColumn = `1 / ${start}`;
    attr(handle, "aria-valuenow", start);
    attr(handle, "aria-valuetext", row.start_text);
    text(said, row.start_short);
    grid.update(store.state.current);
  };
  return { el, update };
}
