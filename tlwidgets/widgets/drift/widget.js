// The drift panel: a row for each group of layers, a slider over the measured steps. Words and numbers are
// Python's.

import { scaleOf, sign } from "../base/charts.js";
import { attr, h, text, uniqueId } from "../base/dom.js";
import { createStateStore, paintOnChange } from "../base/store.js";
import { createSortedTable } from "../base/tables.js";
import { createMessage, createRoot, panelModule } from "../base/view.js";

/** @import { Axis } from "../base/records" */
/** @import { Store } from "../base/store.js" */
/** @import { DriftFrame, DriftState } from "./state" */

/**
 * A place on an axis in percent, kept inside it.
 * @param {Axis} axis
 * @param {number} value
 */
function percentOf(axis, value) {
  return Math.min(100, Math.max(0, scaleOf(axis, 0, 100)(value)));
}

/**
 * @param {string} words
 * @param {Axis} axis
 */
function createScale(words, axis) {
  const last = axis.ticks.length - 1;
  const ticks = axis.ticks.map(([value, label], place) => {
    const shift = place === 0 ? 0 : place === last ? -100 : -50; // the outermost stay inside
    const style = `left: ${percentOf(axis, value)}%; transform: translateX(${shift}%)`;
    return h("span", { class: "tl-tick", style }, label);
  });
  const scale = h("div", { class: "tl-ticks tl-quiet", "aria-hidden": "true" }, ticks);
  return h("div", { role: "columnheader" }, words, scale);
}

/**
 * A row: a dot and a bar for each run.
 * @param {DriftState} state
 * @param {number} place
 */
function createRow({ runs, groups }, place) {
  const dots = runs.map((run) =>
    h("span", { class: "tl-dot tl-slides" }, sign(run.glyph, `tl-s${run.slot}`)),
  );
  const bars = runs.map((run) => h("span", { class: `tl-moved tl-moves tl-s${run.slot}` }));
  const said = { gradient: h("span", { class: "tl-sr" }), drift: h("span", { class: "tl-sr" }) };
  const rail = h("div", { class: "tl-rail", "aria-hidden": "true" }, dots);
  const lanes = h("div", { class: "tl-lanes", "aria-hidden": "true" }, bars);
  const why = h("div", { class: "tl-why", role: "cell" });
  const group = groups[place];
  const el = h(
    "div",
    { class: "tl-drift-row", role: "row" },
    h("div", { class: "tl-layer", role: "rowheader", title: group.id }, group.label),
    h("div", { role: "cell" }, rail, said.gradient),
    h("div", { role: "cell" }, lanes, said.drift),
    why,
  );

  /**
   * @param {DriftState} state
   * @param {DriftFrame} frame
   */
  const update = ({ axes, runs: now, sentences }, frame) => {
    const cells = frame.cells[place];
    /** @param {1 | 3} column */
    const words = (column) =>
      cells.map((cell, at) => (cells.length > 1 ? `${now[at].name}: ` : "") + cell[column]).join(", ");
    cells.forEach(([gradient, , drift], at) => {
      dots[at].hidden = !gradient;
      if (gradient) dots[at].style.left = `${percentOf(axes.gradient, gradient)}%`;
      bars[at].style.width = drift ? `max(2px, ${percentOf(axes.drift, drift)}%)` : "0";
    });
    text(said.gradient, words(1));
    text(said.drift, words(3));
    attr(rail, "title", words(1));
    attr(lanes, "title", words(3));
    text(why, sentences[frame.why[place]]);
    el.classList.toggle("tl-learns", frame.why[place] === 0);
    el.classList.toggle(
      "tl-stopped",
      cells.every(([gradient]) => gradient === null),
    );
  };
  return { el, update };
}

/**
 * The rows: groups in forward order.
 * @param {DriftState} state
 */
function createRows(state) {
  const { labels } = state;
  const title = h(
    "div",
    { class: "tl-drift-row tl-drift-head", role: "row" },
    h("div", { role: "columnheader" }, labels.layers),
    createScale(labels.gradient, state.axes.gradient),
    createScale(labels.moved_share, state.axes.drift),
    h("div", { role: "columnheader" }, labels.gradients),
  );
  const rows = state.groups.map((_, place) => createRow(state, place));
  const props = { class: "tl-drift-rows", role: "table", "aria-label": labels.rows };
  const el = h(
    "div",
    props,
    title,
    rows.map((row) => row.el),
  );
  /**
   * @param {DriftState} now
   * @param {DriftFrame} frame
   */
  const update = (now, frame) => rows.forEach((row) => row.update(now, frame));
  return { el, update };
}

/**
 * The numbers of a frame as a table.
 * @param {DriftState} state
 * @param {DriftFrame} frame
 */
function tableOf({ head, groups, sentences }, { caption, cells, why }) {
  const rows = groups.map(({ id }, place) => {
    const words = cells[place].flatMap((cell) => [cell[1], cell[3]]);
    return [id, ...words, sentences[why[place]]];
  });
  const sort = cells.map((row, place) => {
    const values = row.flatMap((cell) => [cell[0] ?? -1, cell[2] ?? -1]);
    return [place, ...values, sentences[why[place]]];
  });
  return { head, rows, sort, caption };
}

/** @param {Store<DriftState>} store */
function draw(store) {
  const { title, labels } = store.state;
  const status = h("span", { class: "tl-quiet" });
  const legend = h("div", { class: "tl-legend" });
  const id = uniqueId("step");
  const play = h("button", { type: "button", class: "tl-button tl-play" }, labels.play);
  const slider = h("input", { type: "range", class: "tl-slider", id, min: "0", step: "1" });
  const shown = h("output", { class: "tl-step", for: id });
  const bar = h("div", { class: "tl-bar" }, play, h("label", { for: id }, labels.step), slider, shown);
  const place = h("div", { class: "tl-drift-place" });
  const words = h("p", { class: "tl-quiet tl-drift-words" });
  const table = createSortedTable(labels.numbers);
  const message = createMessage();
  const root = createRoot(
    "drift",
    title,
    h("div", { class: "tl-head" }, h("h3", { class: "tl-title" }, title), status),
    bar,
    legend,
    place,
    words,
    table.el,
    message.el,
  );
  /** @type {ReturnType<typeof createRows> | null} */
  let rows = null;
  let layout = "";
  /** @type {number | null} the frame that is shown; null: the last one, also when more come */
  let at = null;
  let timer = 0;

  const last = () => store.state.frames.length - 1;
  const paint = () => {
    const state = store.state;
    message.update(store);
    if (store.gone) return;
    text(status, state.status);
    bar.hidden = place.hidden = words.hidden = table.el.hidden = !state.frames.length;
    if (!state.frames.length) return;
    const wanted = JSON.stringify([state.groups, state.runs, state.axes]);
    if (wanted !== layout || !rows) {
      layout = wanted;
      rows = createRows(state);
      place.replaceChildren(rows.el);
      legend.replaceChildren(
        ...state.runs.map((run) => h("span", {}, sign(run.glyph, `tl-s${run.slot}`), run.name)),
      );
      legend.hidden = state.runs.length < 2;
    }
    const now = Math.min(at ?? last(), last());
    const frame = state.frames[now];
    attr(slider, "max", last());
    slider.value = String(now);
    slider.disabled = play.disabled = last() === 0;
    attr(slider, "aria-valuetext", frame.at);
    text(shown, frame.of);
    rows.update(state, frame);
    text(words, frame.words);
    table.update(tableOf(state, frame));
  };
  /** @param {number} to */
  const go = (to) => {
    at = to >= last() ? null : to;
    paint();
  };
  const halt = () => {
    clearInterval(timer);
    timer = 0;
    text(play, labels.play);
  };
  slider.addEventListener("input", () => {
    halt();
    go(Number(slider.value));
  });
  play.addEventListener("click", () => {
    if (timer) return halt();
    // Where motion is to be reduced, pictures follow one another slowly.
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const pace = still ? 1500 : Math.min(700, Math.max(120, 8000 / (last() + 1)));
    if (at === null) go(0);
    text(play, labels.pause);
    timer = setInterval(() => {
      go((at ?? last()) + 1);
      if (at === null) halt();
    }, pace);
  });
  const stopPainting = paintOnChange(store, paint);
  return {
    root,
    stop: () => {
      halt();
      stopPainting();
    },
  };
}

export default panelModule((model) => createStateStore(model), draw);
