// The arena panel: buttons that ask, and charts that Python has put into numbers and words.

import { createPlot, sampleLine } from "../base/charts.js";
import { button } from "../base/controls.js";
import { attr, h, text, uniqueId } from "../base/dom.js";
import { createProgress } from "../base/progress.js";
import { createStateStore, paintOnChange } from "../base/store.js";
import { createSortedTable } from "../base/tables.js";
import { createMessage, createRoot, panelModule } from "../base/view.js";

/** @import { Store } from "../base/store.js" */
/** @import { ArenaChart, ArenaState } from "./state" */

const ARENA_BOX = { width: 400, height: 232, left: 46, right: 12, top: 10, bottom: 36 };

/**
 * One chart of several variants (for so many examples, against this contender), and the table behind it.
 * @param {ArenaChart} chart
 * @param {Record<string, string>} labels
 */
function createArenaChart(chart, labels) {
  const plot = createPlot("", ARENA_BOX);
  const table = createSortedTable(labels.numbers);
  const id = uniqueId("choice");
  const select = h("select", { class: "tl-input tl-choose", id });
  const label = h("label", { class: "tl-quiet", for: id });
  const choice = h("span", { class: "tl-choice-of" }, label, select);
  plot.caption.append(choice);
  const el = h("div", { class: "tl-arena-chart", "data-chart": chart.name }, plot.el, table.el);
  let chosen = ""; // what a person chose; before that, what Python proposes

  const paint = () => {
    const place = chart.choices.includes(chosen) ? chart.choices.indexOf(chosen) : chart.chosen;
    if (chart.label) select.value = chart.choices[place];
    const variant = chart.variants[place];
    const series = variant.series.map((each) => ({ ...each, name: `tl-s${each.slot}` }));
    plot.update({ ...variant, series, words: `${variant.words} ${labels.table_below}` });
    table.update(variant.table);
  };
  select.addEventListener("change", () => {
    chosen = select.value;
    paint();
  });
  /** @param {ArenaChart} now */
  const update = (now) => {
    chart = now;
    plot.rename(chart.title);
    choice.hidden = !chart.label || chart.choices.length < 2;
    text(label, chart.label);
    const have = [...select.options].map((option) => option.value).join("|");
    if (have !== chart.choices.join("|")) {
      select.replaceChildren(...chart.choices.map((words) => h("option", { value: words }, words)));
    }
    paint();
  };
  return { el, update };
}

/** @param {Store<ArenaState>} store */
function draw(store) {
  /** @param {"start" | "stop"} type */
  const ask = (type) => () => store.state.actions[type] && store.request({ type });
  const { title, labels } = store.state;
  const start = button(labels.start, ask("start"), "primary");
  const stop = button(labels.stop, ask("stop"));
  const budget = h("span", { class: "tl-quiet" });
  const progress = createProgress();
  const legend = h("div", { class: "tl-legend" });
  const whose = h("p", { class: "tl-quiet tl-whose" });
  const place = h("div", { class: "tl-charts" });
  const message = createMessage();
  /** @type {Map<string, ReturnType<typeof createArenaChart>>} */
  const charts = new Map();
  const root = createRoot(
    "arena",
    labels.panel,
    h("div", { class: "tl-head" }, h("h3", { class: "tl-title" }, title), budget),
    h("div", { class: "tl-bar" }, start, stop),
    progress.el,
    legend,
    whose,
    place,
    message.el,
  );
  /** @type {ArenaChart[] | null} */
  let drawn = null;

  const paint = () => {
    const state = store.state;
    message.update(store, state.status);
    if (store.gone) return;
    attr(root, "data-phase", state.phase);
    text(budget, state.budget);
    text(start, ["stopped", "failed"].includes(state.phase) ? labels.again : labels.start);
    attr(start, "aria-disabled", !state.actions.start);
    attr(stop, "aria-disabled", !state.actions.stop);
    progress.update(state);
    text(whose, state.whose);
    whose.hidden = !state.whose;
    if (drawn === state.charts) return; // only how far it is has changed
    drawn = state.charts;
    legend.replaceChildren(
      ...state.legend.map(({ slot, name, glyph, dash }) => sampleLine(`tl-s${slot}`, name, glyph, dash)),
    );
    const order = state.charts.map((chart) => {
      const drawing = charts.get(chart.name) || createArenaChart(chart, labels);
      charts.set(chart.name, drawing);
      drawing.update(chart);
      return drawing.el;
    });
    const same = order.length === place.children.length && order.every((el, at) => place.children[at] === el);
    if (!same) place.replaceChildren(...order);
    legend.hidden = place.hidden = !order.length;
  };
  return { root, stop: paintOnChange(store, paint) };
}

/**
 * @param {ArenaState} state
 * @param {{ frame: Partial<ArenaState> }} message
 */
function merge(state, message) {
  Object.assign(state, message.frame);
  return true;
}

export default panelModule((model) => createStateStore(model, merge), draw);
