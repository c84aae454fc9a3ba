// The fork panel: curves of a run with a marker on a step, the choices from there on, and the forks' curves.

import { createPlot, sampleLine } from "../base/charts.js";
import { createChoices } from "../base/choices.js";
import { button, codeBox, details } from "../base/controls.js";
import { attr, h, text } from "../base/dom.js";
import { createProgress } from "../base/progress.js";
import { createStateStore, paintOnChange } from "../base/store.js";
import { columnHeads, createScrollTable, quietCaption, tableRow } from "../base/tables.js";
import { createMessage, createRoot, panelModule } from "../base/view.js";
import { createMarker } from "./marker.js";

/** @import { Choice } from "../base/choices.js" */
/** @import { Store } from "../base/store.js" */
/** @import { ForkLine, ForkRow, ForkState } from "./state" */

/**
 * Take in a frame, and the lines that changed; `order` says which lines there are.
 * @param {ForkState} state
 * @param {{ frame: Partial<ForkState>, lines: ForkLine[] }} message
 */
function merge(state, message) {
  Object.assign(state, message.frame);
  const byName = new Map([...state.lines, ...message.lines].map((line) => [line.name, line]));
  const lines = state.order.flatMap((name) => byName.get(name) || []);
  if (lines.length < state.order.length) return false;
  state.lines = lines;
  return true;
}

/**
 * A chart of all lines, with the marker's line over it.
 * @param {Record<string, string>} labels
 * @param {"loss" | "accuracy"} key
 */
function createChart(labels, key) {
  const plot = createPlot(labels[key]);
  const marker = h("span", { class: "tl-marker", "aria-hidden": "true" });
  const el = h("div", { class: "tl-over" }, plot.el, marker);
  const validKey = /** @type {const} */ (`valid_${key}`);
  /** @param {ForkState} state */
  const update = (state) => {
    const series = state.lines.flatMap((line) => {
      const [slot, valid] = [`tl-s${line.slot}`, line[validKey]];
      return [
        { name: `tl-line ${slot}`, line: line[key], dash: line.dash },
        { name: `tl-valid-line ${slot}`, line: valid, marks: valid, glyph: line.glyph, dash: line.dash },
      ];
    });
    el.hidden = plot.el.hidden = !series.some(({ line }) => line.length);
    const said = state.rows.map(
      (row) => `${row.title} ${row[key]} ${labels.in_training}, ${row[validKey]} ${labels.in_validation}`,
    );
    plot.update({
      x: state.axes.step,
      y: state.axes[key],
      series,
      words: `${said.join("; ")}. ${labels.table_below}`,
    });
  };
  return { el, svg: plot.svg, marker, update };
}

/**
 * A row of choices with a label before it.
 * @param {string} label
 * @param {Choice[]} items
 * @param {(name: string, options: Record<string, number>) => void} choose
 */
function createLabelledChoices(label, items, choose) {
  const choices = createChoices(items, choose);
  const words = h("span", { class: "tl-quiet tl-choice-label", "aria-hidden": "true" }, label);
  const el = h("div", { class: "tl-choice", role: "group", "aria-label": label }, words, choices.el);
  return { el, update: choices.update };
}

/**
 * The results of each line, with a button to remove a fork.
 * @param {Store<ForkState>} store
 */
function createResults(store) {
  const { labels } = store.state;
  const title = labels.results;
  const { el, head, body } = createScrollTable(title, h("caption", { class: "tl-sr" }, title));
  el.classList.add("tl-results");
  const measured = [labels.train_loss, labels.valid_loss, labels.valid_accuracy, labels.test_accuracy];
  head.append(h("td"), ...columnHeads([labels.since, labels.change, ...measured]), h("td"));

  /** @param {ForkRow} row */
  const removeButton = ({ name }) => {
    const { actions } = store.state;
    const ask = () => store.state.actions.remove && store.request({ type: "remove", name });
    const remove = button(labels.remove, ask);
    remove.classList.add("tl-small");
    attr(remove, "aria-label", `${labels.remove_fork} ${name}`);
    attr(remove, "aria-disabled", actions.remove ? null : "true");
    return remove;
  };
  let seen = "";
  const update = () => {
    const { rows, actions } = store.state;
    const now = JSON.stringify([rows, actions.remove]);
    if (now === seen) return;
    seen = now;
    body.replaceChildren(
      ...rows.map((row) => {
        const sample = sampleLine(`tl-line tl-s${row.slot}`, row.title, row.glyph, row.dash);
        sample.classList.add("tl-legend-item");
        const { since, change, loss, valid_loss, valid_accuracy, test } = row;
        const cells = tableRow([since, change, loss, valid_loss, valid_accuracy, test]);
        cells.prepend(h("th", { scope: "row" }, sample));
        cells.append(h("td", {}, row.name ? removeButton(row) : ""));
        return cells;
      }),
    );
  };
  return { el, update };
}

/**
 * The same numbers as a table, one row for each epoch, two columns for each line.
 * @param {Record<string, string>} labels
 */
function createTable(labels) {
  const caption = quietCaption();
  const table = createScrollTable(labels.epochs, caption);
  const el = details(labels.epochs, table.el);
  /** @param {ForkState} state */
  const update = ({ epochs }) => {
    text(caption, epochs.caption);
    table.head.replaceChildren(...columnHeads(epochs.head));
    table.body.replaceChildren(...epochs.rows.map(tableRow));
  };
  return { el, update };
}

/** @param {Store<ForkState>} store */
function draw(store) {
  const { state } = store;
  const { labels } = state;
  const charts = [createChart(labels, "loss"), createChart(labels, "accuracy")];
  const marker = createMarker(store, charts);
  /** @param {"fork" | "stop" | "restore"} type */
  const ask = (type) => () => store.state.actions[type] && store.request({ type });
  const fork = button(labels.fork, ask("fork"), "primary");
  const stop = button(labels.stop, ask("stop"));
  const restore = button(labels.restore, ask("restore"));
  const place = h("strong", {});
  const how = h("span", { class: "tl-quiet" });
  const base = createLabelledChoices(labels.base, state.bases, (name) =>
    store.request({ type: "base", name }),
  );
  const plans = createLabelledChoices(labels.plan, state.plans, (name, options) =>
    store.request({ type: "plan", name, ...options }),
  );
  const rates = createLabelledChoices(labels.rate, state.rates, (name) =>
    store.request({ type: "rate", name }),
  );
  const progress = createProgress();
  const results = createResults(store);
  const table = createTable(labels);
  const code = codeBox(labels.code_title);
  const message = createMessage();
  const words = [labels.smoothed, labels.validation];
  const root = createRoot(
    "fork",
    state.title,
    h("div", { class: "tl-head" }, h("h3", { class: "tl-title" }, state.title)),
    h(
      "div",
      { class: "tl-charts" },
      charts.map((chart) => chart.el),
    ),
    h(
      "div",
      { class: "tl-legend tl-quiet tl-key" },
      words.map((each) => h("span", {}, each)),
    ),
    h("div", { class: "tl-where" }, h("span", {}, `${labels.place} `, place), how),
    base.el,
    plans.el,
    rates.el,
    h("div", { class: "tl-bar" }, fork, stop, restore),
    progress.el,
    results.el,
    table.el,
    details(labels.code_title, code),
    message.el,
  );

  /** @type {ForkLine[] | null} */
  let drawn = null;
  const paint = () => {
    const now = store.state;
    message.update(store, now.status);
    if (store.gone) return;
    attr(root, "data-running", now.running ? "true" : null);
    attr(root, "data-forks", now.rows.filter((row) => row.name && row.status !== "running").length);
    if (drawn !== now.lines) {
      drawn = now.lines;
      charts.forEach((chart) => chart.update(now));
      table.update(now);
    }
    marker.update();
    text(place, now.place);
    text(how, now.how);
    base.el.hidden = now.bases.length < 2;
    base.update(now.bases);
    plans.update(now.plans);
    rates.update(now.rates);
    attr(fork, "aria-disabled", !now.actions.fork);
    attr(stop, "aria-disabled", !now.actions.stop);
    stop.hidden = !now.running;
    restore.hidden = !now.actions.restore;
    progress.el.hidden = !now.running;
    progress.update(now);
    results.update();
    text(code, now.code);
  };
  const end = paintOnChange(store, paint);
  return {
    root,
    stop: () => {
      marker.stop();
      end();
    },
  };
}

export default panelModule((model) => createStateStore(model, merge), draw);
