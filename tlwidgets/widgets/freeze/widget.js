// The freezing panel: a WAI-ARIA tree of layer groups, presets, and the figures that Python sends.
// Nothing is computed here: a click is a request, and what comes back is drawn.

import { createChoices } from "../base/choices.js";
import { attr, h, text } from "../base/dom.js";
import { onHistoryKeys } from "../base/history.js";
import { createMessage, createRoot, panelModule } from "../base/view.js";
import { createCode } from "./code.js";
import { icon } from "./icons.js";
import { createFreezeStore } from "./store.js";
import { createSummary } from "./summary.js";
import { createTree } from "./tree.js";

/** @import { FreezeStore } from "./store.js" */

const NOTES = 3; // as many as are shown at most

/**
 * Undo or redo, as a button with an arrow.
 * @param {FreezeStore} store
 * @param {"undo" | "redo"} name
 */
function createStep(store, name) {
  const { labels } = store.state;
  const props = { "aria-label": labels[name], title: labels[`${name}_tip`] };
  const ask = () => store.ask({ type: name });
  return h(
    "button",
    { type: "button", class: "tl-button tl-button--icon", ...props, onclick: ask },
    icon(name),
  );
}

/** @param {FreezeStore} store */
function draw(store) {
  const { state } = store;
  const { title, labels } = state;
  const plan = h("span", { class: "tl-plan" });
  const device = h("span", { class: "tl-quiet tl-device" });
  const [undo, redo] = [createStep(store, "undo"), createStep(store, "redo")];
  const presets = createChoices(state.presets, (name, options) =>
    store.ask({ type: "preset", name, options }),
  );
  attr(presets.el, "role", "group");
  attr(presets.el, "aria-label", labels.presets);
  const summary = createSummary(labels);
  const tree = createTree(store);
  const code = createCode(store);
  const notes = h("ul", { class: "tl-notes tl-quiet" });
  const message = createMessage();
  const space = () => h("span", { class: "tl-spacer" });
  const root = createRoot(
    "freeze",
    labels.panel,
    h("div", { class: "tl-head" }, h("h3", { class: "tl-title" }, title), plan, space(), device, undo, redo),
    h("div", { class: "tl-bar" }, presets.el, space(), code.button),
    summary.el,
    tree.el,
    notes,
    code.el,
    message.el,
  );
  onHistoryKeys(root, store.ask);

  const paint = () => {
    const { state } = store;
    const said = store.late ? { kind: "info", text: labels.waiting } : state.message;
    message.update({ ...store, state: { message: said } });
    if (store.gone) return;
    root.classList.toggle("tl-waiting", store.late);
    root.classList.toggle("tl-pending", state.pending);
    tree.update();
    code.update();
    presets.update(state.presets);
    summary.update(state.summary);
    text(plan, state.plan);
    attr(plan, "data-custom", state.presets.some((preset) => preset.active) ? null : "true");
    text(device, state.device.text);
    undo.disabled = !state.undo;
    redo.disabled = !state.redo;
    notes.hidden = !state.notes.length;
    notes.replaceChildren(...state.notes.slice(0, NOTES).map((note) => h("li", {}, note)));
  };
  store.listeners.add(paint); // at once, not with the next frame: a click is answered as soon as it can be
  paint();
  return { root, stop: () => store.listeners.delete(paint) };
}

export default panelModule(createFreezeStore, draw);
