// The marker of the fork panel: a slider over both charts, moved by mouse on either of them and by keyboard.

import { BOX } from "../base/charts.js";
import { attr, h } from "../base/dom.js";

/** @import { Store } from "../base/store.js" */
/** @import { ForkState } from "./state" */

/** @typedef {{ el: HTMLElement, svg: SVGSVGElement, marker: HTMLElement }} MarkedChart */

const LEFT = BOX.left / BOX.width;
const WIDTH = (BOX.width - BOX.left - BOX.right) / BOX.width;

/**
 * @param {Store<ForkState>} store
 * @param {MarkedChart[]} charts the first one carries the handle
 */
export function createMarker(store, charts) {
  const props = { tabindex: "0", "aria-label": store.state.labels.marker, "aria-valuemin": "0" };
  const handle = h("div", { class: "tl-handle", role: "slider", ...props });
  charts[0].el.append(h("div", { class: "tl-rail" }, handle));
  /** @type {number | null} where the mouse has it, before Python has answered */
  let local = null;
  /** @type {number | null} */
  let sent = null;
  let due = 0;

  /** @param {number} step */
  const clamp = (step) => Math.min(store.state.most, Math.max(0, step));
  /** @param {number} step */
  const ask = (step) => {
    if (step === sent) return;
    sent = step;
    store.request({ type: "move", step });
  };
  const place = () => {
    const { step, steps } = store.state;
    const at = `${100 * (LEFT + (WIDTH * (local ?? step)) / steps)}%`;
    for (const chart of charts) chart.marker.style.left = at;
    handle.style.left = at;
  };
  /**
   * @param {PointerEvent} event
   * @param {SVGSVGElement} svg
   */
  const dragTo = (event, svg) => {
    const box = svg.getBoundingClientRect();
    const share = ((event.clientX - box.left) / box.width - LEFT) / WIDTH;
    local = clamp(Math.round(share * store.state.steps));
    place();
    due ||= requestAnimationFrame(() => {
      due = 0;
      if (local !== null) ask(local);
    });
  };

  for (const { el, svg } of charts) {
    let dragged = false;
    el.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      dragged = true;
      el.setPointerCapture(event.pointerId);
      handle.focus({ preventScroll: true });
      dragTo(event, svg);
    });
    el.addEventListener("pointermove", (event) => dragged && dragTo(event, svg));
    const end = () => {
      if (!dragged) return;
      dragged = false;
      if (local !== null) ask(local);
      local = null;
    };
    el.addEventListener("pointerup", end);
    el.addEventListener("pointercancel", end);
  }

  handle.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { step, each, most } = store.state;
    const now = sent ?? step;
    /** @type {Record<string, number>} */
    const steps = {
      ArrowLeft: now - 1,
      ArrowDown: now - 1,
      ArrowRight: now + 1,
      ArrowUp: now + 1,
      PageDown: now - each,
      PageUp: now + each,
      Home: 0,
      End: most,
    };
    if (!(event.key in steps)) return;
    event.preventDefault();
    event.stopPropagation();
    ask(clamp(steps[event.key]));
  });

  const update = () => {
    const { state } = store;
    if (sent === state.step) sent = null;
    place();
    attr(handle, "aria-valuemax", state.most);
    attr(handle, "aria-valuenow", state.step);
    attr(handle, "aria-valuetext", state.place);
  };
  return { update, stop: () => cancelAnimationFrame(due) };
}
