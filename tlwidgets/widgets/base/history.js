// Undo and redo.

import { attr, h } from "./dom.js";

/** @import { Store } from "./store.js" */

/**
 * Ask for undo at Ctrl+Z, for redo at Ctrl+Y or Ctrl+Shift+Z; fields to type into keep an undo of their own.
 * @param {HTMLElement} root
 * @param {(request: { type: "undo" | "redo" }) => void} request
 */
export function onHistoryKeys(root, request) {
  root.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const { target } = event;
    if (target instanceof Element && target.matches("textarea, input:not([type=radio], [type=range])"))
      return;
    const key = event.key.toLowerCase();
    const type = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : null;
    if (!type) return;
    event.preventDefault();
    event.stopPropagation();
    request({ type });
  });
}

/**
 * Buttons for undo and redo, which keep the focus where there is nothing to do. `listen(root)` adds the keys.
 * @param {Store<{ undo: boolean, redo: boolean, labels: Record<string, string> }>} store
 */
export function createHistory(store) {
  const { labels } = store.state;
  /** @param {"undo" | "redo"} type */
  const button = (type) => {
    const props = { class: "tl-button", title: labels[`${type}_tip`] };
    const onclick = () => store.state[type] && store.request({ type });
    return h("button", { type: "button", ...props, onclick }, labels[type]);
  };
  const [undo, redo] = [button("undo"), button("redo")];
  const update = () => {
    attr(undo, "aria-disabled", !store.state.undo);
    attr(redo, "aria-disabled", !store.state.redo);
  };
  /** @param {HTMLElement} root */
  const listen = (root) => onHistoryKeys(root, store.request);
  return { buttons: [undo, redo], update, listen };
}
