// The switchboard of modalities: radio buttons for each modality, a bar for each model. Numbers and words are
// Python's.

import { s } from "../base/charts.js";
import { button, codeBox, details } from "../base/controls.js";
import { attr, h, text, uniqueId } from "../base/dom.js";
import { createHistory } from "../base/history.js";
import { createStateStore, paintOnChange, trackAnswers } from "../base/store.js";
import { columnHeads, createSortedTable, quietCaption } from "../base/tables.js";
import { createMessage, createRoot, panelModule } from "../base/view.js";

/** @import { AnyModel } from "@anywidget/types" */
/** @import { Store } from "../base/store.js" */
/** @import { SwitchboardModel, SwitchboardState } from "./state" */

/** @typedef {Store<SwitchboardState> & { waiting: () => boolean }} SwitchboardStore */

/**
 * One row: the modality, its choices, and the meaning of the current one.
 * @param {SwitchboardStore} store
 * @param {number} place
 */
function createModality(store, place) {
  const row = () => store.state.modalities[place];
  const { id, size } = row();
  const name = uniqueId("modality");
  const group = uniqueId("mode");
  /** @type {Map<string, HTMLInputElement>} */
  const inputs = new Map();
  const choices = store.state.modes.map((mode) => {
    const onchange = () => store.request({ type: "mode", modality: id, mode: mode.id });
    const input = h("input", { type: "radio", name: group, value: mode.id, class: "tl-sr", onchange });
    inputs.set(mode.id, input);
    const glyph = h("span", { class: "tl-mode-glyph", "aria-hidden": "true" }, mode.glyph);
    return h("label", { class: "tl-mode", title: mode.description }, input, glyph, mode.label);
  });
  const means = h("span", { class: "tl-quiet tl-means" });
  const el = h(
    "div",
    { class: "tl-modality" },
    h(
      "div",
      { class: "tl-modality-name" },
      h("strong", { id: name }, id),
      " ",
      h("span", { class: "tl-quiet" }, size),
    ),
    h("div", { class: "tl-modes", role: "radiogroup", "aria-labelledby": name }, choices),
    means,
  );
  const update = () => {
    const now = row();
    if (!store.waiting()) inputs.forEach((input, mode) => (input.checked = mode === now.mode));
    attr(el, "data-mode", now.mode);
    text(means, now.mode_text);
  };
  return { el, update };
}

/**
 * A model's accuracy: a bar with its interval, a hollow mark where it is with all on, a dotted line at
 * chance.
 * @param {Store<SwitchboardState>} store
 * @param {number} place
 */
function createResult(store, place) {
  const first = store.state.models[place];
  const fill = h("span", { class: "tl-share-fill tl-moves" });
  const whisker = h("span", { class: "tl-result-interval tl-glides" });
  const mark = s("path", { d: `M0 0${first.glyph}` });
  const on = h(
    "span",
    { class: "tl-result-on" },
    s("svg", { width: 14, height: 14, viewBox: "-7 -7 14 14" }, mark),
  );
  const level = h("span", { class: "tl-share-chance" });
  const bar = h("div", { class: "tl-share", role: "img" }, fill, whisker, level, on);
  const value = h("span", { class: "tl-result-value" });
  const interval = h("span", { class: "tl-quiet" });
  const change = h("div", { class: "tl-quiet tl-result-change" });
  const el = h(
    "div",
    { class: `tl-result tl-s${first.slot}` },
    h("div", { class: "tl-result-name" }, first.name || store.state.labels.accuracy),
    bar,
    h("div", {}, value, " ", interval),
    change,
  );
  const update = () => {
    const now = store.state.models[place];
    fill.style.width = `${100 * now.share}%`;
    whisker.style.left = `${100 * now.low}%`;
    whisker.style.width = `${100 * (now.high - now.low)}%`;
    on.style.left = `${100 * now.on.share}%`;
    level.style.left = `${100 * store.state.chance.share}%`;
    attr(bar, "aria-label", now.label);
    text(value, now.text);
    text(interval, `(${now.interval})`);
    text(change, now.change);
  };
  return { el, update };
}

/**
 * Right answers of each class.
 * @param {SwitchboardModel} model
 */
function createClassBars({ classes }) {
  const bars = classes.map((found) => {
    const fill = h("span", { class: "tl-share-fill", style: `width: ${100 * found.share}%` });
    const bar = h("span", { class: "tl-share", "aria-hidden": "true" }, fill);
    return [h("span", {}, found.label), bar, h("span", { class: "tl-quiet" }, found.text)];
  });
  return h("div", { class: "tl-class-bars" }, bars.flat());
}

/**
 * The confusions between classes: the more answers a cell counts, the darker it is.
 * @param {SwitchboardModel} model
 * @param {Record<string, string>} labels
 */
function createConfusions({ classes, confusion, confusion_text: words }, labels) {
  const most = Math.max(1, ...confusion.flat());
  const rows = confusion.map((counts, right) => {
    const cells = counts.map((count, answer) => {
      const name = right === answer ? "tl-confusion tl-confusion--right" : "tl-confusion";
      const style = `--tl-share: ${Math.round((55 * count) / most)}%`;
      return h("td", { class: name, style }, words[right][answer]);
    });
    return h("tr", {}, h("th", { scope: "row" }, classes[right].label), cells);
  });
  const heads = columnHeads(classes.map((found) => found.label));
  return h(
    "table",
    {},
    quietCaption(labels.confusion),
    h("thead", {}, h("tr", {}, h("td", {}), heads)),
    h("tbody", {}, rows),
  );
}

/** @param {Store<SwitchboardState>} store */
function createClasses(store) {
  const { labels } = store.state;
  const body = h("div", { class: "tl-classes" });
  const props = { tabindex: "0", role: "region", "aria-label": labels.classes };
  const el = details(labels.classes, h("div", { class: "tl-scroll tl-class-scroll", ...props }, body));
  let seen = "";
  const update = () => {
    const { models } = store.state;
    el.hidden = !models[0].classes.length;
    const now = JSON.stringify(models.map((model) => [model.classes, model.confusion]));
    if (now === seen) return;
    seen = now;
    body.replaceChildren(
      ...models.map((model) =>
        h(
          "div",
          { class: `tl-class-model tl-s${model.slot}` },
          h("div", { class: "tl-result-name" }, model.name || labels.right),
          createClassBars(model),
          model.confusion.length ? createConfusions(model, labels) : null,
        ),
      ),
    );
  };
  return { el, update };
}

/** @param {SwitchboardStore} store */
function draw(store) {
  const { state } = store;
  const { labels } = state;
  const modalities = state.modalities.map((_, place) => createModality(store, place));
  const results = state.models.map((_, place) => createResult(store, place));
  const classes = createClasses(store);
  const tried = createSortedTable(labels.numbers);
  const history = createHistory(store);
  const reset = button(labels.reset, () => !store.state.all_on && store.request({ type: "reset" }));
  const key = h("p", { class: "tl-quiet tl-key" });
  const code = codeBox(labels.code_title);
  const message = createMessage();
  const root = createRoot(
    "switchboard",
    state.title,
    h(
      "div",
      { class: "tl-head" },
      h("h3", { class: "tl-title" }, state.title),
      h("span", { class: "tl-quiet" }, state.examples),
      h("span", { class: "tl-spacer" }),
      history.buttons,
      reset,
    ),
    h(
      "div",
      { class: "tl-modalities" },
      modalities.map((each) => each.el),
    ),
    h(
      "div",
      { class: "tl-results" },
      results.map((each) => each.el),
    ),
    key,
    classes.el,
    tried.el,
    details(labels.code_title, code),
    message.el,
  );
  history.listen(root);

  const paint = () => {
    message.update(store);
    if (store.gone) return;
    const now = store.state;
    modalities.forEach((each) => each.update());
    results.forEach((each) => each.update());
    classes.update();
    tried.update(now.tried);
    history.update();
    attr(reset, "aria-disabled", now.all_on);
    text(key, now.bar_key);
    text(code, now.code);
  };
  return { root, stop: paintOnChange(store, paint) };
}

/**
 * The store of a switchboard, which knows whether a click has not been answered yet.
 * @param {AnyModel} model
 */
function createSwitchboardStore(model) {
  /** @type {Store<SwitchboardState>} */
  const store = createStateStore(model);
  return trackAnswers(model, store);
}

export default panelModule(createSwitchboardStore, draw);
