// The training panel: buttons that ask, and curves of the numbers that Python sends.

import { createPlot, sampleLine } from "../base/charts.js";
import { button, details } from "../base/controls.js";
import { attr, h, text } from "../base/dom.js";
import { createProgress } from "../base/progress.js";
import { createStateStore, paintOnChange } from "../base/store.js";
import { columnHeads, createScrollTable, quietCaption, tableRow } from "../base/tables.js";
import { createMessage, createRoot, panelModule } from "../base/view.js";

/** @import { Point } from "../base/charts.js" */
/** @import { Store } from "../base/store.js" */
/** @import { TrainState } from "./state" */

/** @typedef {TrainState["points"][number]} TrainPoint */
/** @typedef {TrainState["rows"][number]} TrainRow */

const DIAMOND = "m0-4l4 4-4 4-4-4z";

/**
 * What came in place of the end of a list: all from the place `from` on.
 * @template Item
 * @typedef {{ from: number, items: Item[] }} End
 */

/**
 * Take in the new end of a list; false where something before it is missing.
 * @template Item
 * @param {Item[]} list
 * @param {End<Item>} end
 */
function splice(list, end) {
  if (end.from > list.length) return false;
  list.splice(end.from, list.length, ...end.items);
  return true;
}

/**
 * @param {TrainState} state
 * @param {{ points: End<TrainPoint>, rows: End<TrainRow>, frame: Partial<TrainState> }} message
 */
function merge(state, message) {
  if (!splice(state.points, message.points) || !splice(state.rows, message.rows)) return false;
  Object.assign(state, message.frame);
  return true;
}

/**
 * The points of a curve: two columns of `items`, where there is a number.
 * @param {(TrainPoint | TrainRow)[]} items
 * @param {number} x
 * @param {number} y
 * @returns {Point[]}
 */
function curve(items, x, y) {
  return items.flatMap((item) => {
    const value = item[y];
    return typeof value === "number" ? [/** @type {Point} */ ([item[x], value])] : [];
  });
}

/**
 * One chart; `raw`, `smooth` and `valid` are columns of points and rows.
 * @param {Record<string, string>} labels
 * @param {"loss" | "accuracy"} key
 * @param {{ raw: number, smooth: number, valid: number }} columns
 */
function createChart(labels, key, columns) {
  const plot = createPlot(labels[key]);
  /** @param {TrainState} state */
  const update = (state) => {
    const raw = curve(state.points, 0, columns.raw);
    const valid = curve(state.rows, 1, columns.valid);
    plot.el.hidden = !raw.length && !valid.length && state.phase !== "ready" && state.step > 0;
    const now = state.now[key];
    plot.update({
      x: state.axes.step,
      y: state.axes[key],
      series: [
        { name: "tl-raw", line: raw },
        { name: "tl-smooth", line: curve(state.points, 0, columns.smooth) },
        { name: "tl-valid", line: valid, marks: valid, glyph: DIAMOND },
      ],
      said: now,
      words: `${now || labels.no_values}. ${labels.table_below}`,
    });
  };
  return { el: plot.el, update };
}

/** @param {Record<string, string>} labels */
function createLegend(labels) {
  return h(
    "div",
    { class: "tl-legend tl-quiet" },
    sampleLine("tl-smooth", labels.smoothed),
    sampleLine("tl-raw", labels.each_step),
    sampleLine("tl-valid", labels.validation, DIAMOND),
  );
}

/**
 * The same numbers as a table, one row for each epoch.
 * @param {Record<string, string>} labels
 */
function createTable(labels) {
  const table = createScrollTable(labels.epochs, quietCaption(labels.means));
  const { epoch, train_loss, train_accuracy, valid_loss, valid_accuracy } = labels;
  table.head.append(...columnHeads([epoch, train_loss, train_accuracy, valid_loss, valid_accuracy]));
  const el = details(labels.epochs, table.el);
  /** @param {TrainState} state */
  const update = ({ rows }) => {
    if (table.body.children.length > rows.length) table.body.replaceChildren();
    table.body.append(...rows.slice(table.body.children.length).map((row) => tableRow(row[6])));
  };
  return { el, update };
}

/** @param {Store<TrainState>} store */
function draw(store) {
  /** @param {"start" | "pause" | "resume" | "stop"} type */
  const ask = (type) => {
    if (store.state.actions[type]) store.request({ type });
  };
  const { title, labels } = store.state;
  const start = button(labels.start, () => ask("start"), "primary");
  const hold = button(labels.pause, () => ask(store.state.actions.resume ? "resume" : "pause"));
  const stop = button(labels.stop, () => ask("stop"));
  const learns = h("span", { class: "tl-quiet" });
  const device = h("span", { class: "tl-quiet tl-device" });
  const progress = createProgress();
  const result = h("strong", { class: "tl-result" });
  const charts = [
    createChart(labels, "loss", { raw: 1, smooth: 2, valid: 4 }),
    createChart(labels, "accuracy", { raw: 3, smooth: 4, valid: 5 }),
  ];
  const table = createTable(labels);
  const message = createMessage();
  const space = () => h("span", { class: "tl-spacer" });
  const root = createRoot(
    "train",
    title,
    h("div", { class: "tl-head" }, h("h3", { class: "tl-title" }, title), learns, space(), device),
    h("div", { class: "tl-bar" }, start, hold, stop, space(), result),
    progress.el,
    h(
      "div",
      { class: "tl-charts" },
      charts.map((chart) => chart.el),
    ),
    createLegend(labels),
    table.el,
    message.el,
  );

  const paint = () => {
    const state = store.state;
    message.update(store, state.status);
    if (store.gone) return;
    attr(root, "data-phase", state.phase);
    const again = ["finished", "stopped", "failed"].includes(state.phase);
    text(start, again ? labels.again : labels.start);
    text(hold, state.actions.resume ? labels.resume : labels.pause);
    attr(start, "aria-disabled", !state.actions.start);
    attr(hold, "aria-disabled", !(state.actions.pause || state.actions.resume));
    attr(stop, "aria-disabled", !state.actions.stop);
    text(learns, state.learns);
    text(device, state.device.text);
    progress.update(state);
    text(result, state.result);
    charts.forEach((chart) => chart.update(state));
    table.update(state);
  };
  return { root, stop: paintOnChange(store, paint) };
}

export default panelModule((model) => createStateStore(model, merge), draw);
