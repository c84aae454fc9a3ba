// The schedule of gradual unfreezing: rows of sliders, and the work of each epoch. Python decides what a move
// means.

import { createChoices } from "../base/choices.js";
import { codeBox, details } from "../base/controls.js";
import { attr, h, text } from "../base/dom.js";
import { createHistory } from "../base/history.js";
import { createStateStore, paintOnChange } from "../base/store.js";
import { columnHeads, createScrollTable, quietCaption, tableRow } from "../base/tables.js";
import { createMessage, createRoot, panelModule } from "../base/view.js";
import { createCells, createRow } from "./rows.js";

/** @import { Store } from "../base/store.js" */
/** @import { UnfreezeState } from "./state" */

/**
 * Epoch numbers above; below, a bar for the work of each.
 * @param {Store<UnfreezeState>} store
 */
function createScale(store) {
  const { epochs, labels } = store.state;
  const each = Math.ceil(epochs / 16);
  const head = createCells(epochs);
  head.cells.forEach((cell, index) => {
    text(cell, index === epochs ? labels.never : index % each === 0 ? String(index + 1) : "");
  });
  const top = h(
    "div",
    { class: "tl-row tl-row--head" },
    h("div", { class: "tl-part tl-quiet" }, labels.epoch),
    h("div", { class: "tl-lane" }, head.cells),
    h("span", {}),
  );
  const foot = createCells(epochs);
  const bars = store.state.costs.map((_, index) => {
    const fill = h("span", { class: "tl-work" });
    const words = h("span", { class: "tl-quiet" });
    foot.cells[index].append(words, fill);
    return { fill, words };
  });
  const lane = h("div", { class: "tl-lane", role: "img" }, foot.cells);
  const note = h("span", { class: "tl-quiet tl-note" }, labels.share);
  const bottom = h(
    "div",
    { class: "tl-row tl-row--work" },
    h("div", { class: "tl-part" }, h("span", {}, labels.work), note),
    lane,
    h("span", {}),
  );
  const update = () => {
    const { costs, current } = store.state;
    costs.forEach((cost, index) => {
      bars[index].fill.style.height = `${Math.max(2, 34 * cost.share)}px`;
      text(bars[index].words, epochs <= 12 ? cost.short : "");
      const words = `epoch ${cost.epoch}: ${cost.text}, ${cost.learns} parameters learn`;
      attr(foot.cells[index], "title", words);
    });
    const work = costs.map((cost) => `epoch ${cost.epoch} ${cost.text}`).join(", ");
    attr(lane, "aria-label", `${labels.work}: ${work}`);
    head.update(current);
    foot.update(current);
  };
  return { top, bottom, update };
}

/** @param {Store<UnfreezeState>} store */
function createTable(store) {
  const { labels } = store.state;
  const { el: scroll, head, body } = createScrollTable(labels.epochs, quietCaption(labels.caption));
  head.append(...columnHeads([labels.epoch, labels.begins, labels.learns, labels.work]));
  const el = details(labels.epochs, scroll);
  let seen = "";
  const update = () => {
    const { costs } = store.state;
    const now = JSON.stringify(costs);
    if (now === seen) return;
    seen = now;
    body.replaceChildren(
      ...costs.map((cost) => tableRow([String(cost.epoch), cost.begins, cost.learns, cost.text])),
    );
  };
  return { el, update };
}

/** @param {Store<UnfreezeState>} store */
function draw(store) {
  const { state } = store;
  const { labels } = state;
  const presets = createChoices(state.presets, (name, options) =>
    store.request({ type: "preset", name, options }),
  );
  attr(presets.el, "role", "group");
  attr(presets.el, "aria-label", labels.presets);
  const scale = createScale(store);
  const rows = state.rows.map((_, place) => createRow(store, place));
  const table = createTable(store);
  const history = createHistory(store);
  const code = codeBox(labels.code_title);
  const whole = h("span", { class: "tl-whole" });
  const assumptions = h("p", { class: "tl-quiet" });
  const message = createMessage();
  const root = createRoot(
    "unfreeze",
    state.title,
    h(
      "div",
      { class: "tl-head" },
      h("h3", { class: "tl-title" }, state.title),
      h("span", { class: "tl-quiet" }, labels.count),
      h("span", { class: "tl-spacer" }),
      history.buttons,
    ),
    h("div", { class: "tl-bar" }, presets.el),
    h("p", { class: "tl-quiet tl-help" }, labels.help),
    h(
      "div",
      { class: "tl-staff", role: "group", "aria-label": labels.rows },
      scale.top,
      rows.map((row) => row.el),
      scale.bottom,
    ),
    h("p", { class: "tl-sum" }, whole),
    table.el,
    details(labels.code_title, code),
    details(labels.figures, assumptions),
    message.el,
  );
  root.style.setProperty("--tl-epochs", String(state.epochs));
  history.listen(root);

  const paint = () => {
    message.update(store);
    if (store.gone) return;
    const now = store.state;
    presets.update(now.presets);
    scale.update();
    rows.forEach((row) => row.update());
    table.update();
    history.update();
    attr(root, "data-current", now.current || null);
    text(code, now.code);
    text(whole, `${now.status} ${now.whole}`);
    text(assumptions, now.assumptions);
  };
  return { root, stop: paintOnChange(store, paint) };
}

export default panelModule((model) => createStateStore(model), draw);
