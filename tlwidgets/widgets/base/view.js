// A view on the page: it stands in for its receipt while its kernel lives, and keeps its keys.

import { attr, h, text, uniqueId } from "./dom.js";

/** @import { AnyModel, AnyWidget } from "@anywidget/types" */
/** @import { Child } from "./dom.js" */
/** @import { Message } from "./records" */
/** @import { Store } from "./store.js" */

/**
 * The outermost element of a view.
 * @param {string} name the widget's, for its class
 * @param {string} label
 * @param {...(Child | Child[])} children
 */
export function createRoot(name, label, ...children) {
  return h("section", { class: `tl tl-${name}`, "aria-label": label }, ...children);
}

/** The message of a view whose panel is gone. */
export const GONE = "The panel is no longer in memory. Run its cell again.";

/**
 * A view's last line, read out when it changes: what Python says, perhaps after other words.
 */
export function createMessage() {
  const el = h("div", { class: "tl-message", role: "status", "aria-live": "polite" });
  /**
   * @param {Store<{ message: Message }>} store
   * @param {string} [before]
   */
  const update = (store, before = "") => {
    const { message } = store.state;
    attr(el, "data-kind", store.gone ? "error" : message.kind || null);
    text(el, store.gone ? GONE : [before, message.text].filter(Boolean).join(" "));
  };
  return { el, update };
}

/**
 * Hide the static receipt beside a live view. Returns a function that shows it again.
 * @param {string} receipt its class name
 */
function hideReceipt(receipt) {
  if (!receipt) return () => {};
  const name = CSS.escape(receipt);
  const rule = `.${name}, .jp-OutputArea-child:has(> * .${name}) { display: none !important; }`;
  const style = h("style", {}, rule);
  document.head.append(style);
  return () => style.remove();
}

/**
 * Call `stopped` when the kernel behind `model` stops or restarts. Returns a function that stops listening.
 * @param {AnyModel} model
 * @param {HTMLElement} el
 * @param {() => void} stopped
 */
function onDisconnect(model, el, stopped) {
  /** @this {any} */
  const check = function () {
    // anywidget calls this as a method of the view (0.11) or not; else the manager marks the view in the same
    // turn of the event loop, after its listeners have run.
    const cut = this?.model?.comm_live === false;
    queueMicrotask(() => {
      if (cut || el.closest(".jupyter-widgets-disconnected, .jp-widgets-disconnected")) stopped();
    });
  };
  model.on("comm_live_update", check);
  return () => model.off("comm_live_update", check);
}

/**
 * Let a live view stand in for its receipt until it goes or its kernel stops. Returns a function that ends
 * it.
 * @param {AnyModel} model
 * @param {HTMLElement} el
 * @param {HTMLElement} root
 */
export function standIn(model, el, root) {
  const showReceipt = hideReceipt(model.get("_receipt"));
  const stopListening = onDisconnect(model, el, () => {
    root.hidden = true;
    showReceipt();
  });
  return () => {
    stopListening();
    showReceipt();
  };
}

/**
 * Keep arrows and letters from the notebook, which would treat them as its own shortcuts: it would move the
 * focus away, or delete the cell. Shortcuts with Ctrl, Cmd or Alt, Shift+Enter and Escape are the notebook's.
 * @param {HTMLElement} root
 */
export function keepKeys(root) {
  root.addEventListener("keydown", (event) => {
    const { key } = event;
    const theirs =
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      key === "Escape" ||
      (event.shiftKey && key === "Enter");
    if (!theirs) event.stopPropagation();
  });
}

/**
 * The module of a panel (`PanelWidget` in Python). `createStore(model)` makes the front end's copy of the
 * state, and `draw(store)` a view of it.
 * @template {Store<any>} AStore
 * @param {(model: AnyModel) => AStore} createStore
 * @param {(store: AStore) => { root: HTMLElement, stop: () => void }} draw
 * @returns {() => AnyWidget}
 */
export function panelModule(createStore, draw) {
  return () => {
    /** @type {AStore} */
    let store;
    return {
      initialize({ model }) {
        store = createStore(model);
        return () => store.close();
      },
      render({ model, el }) {
        if (!store.state) {
          el.append(h("section", { class: "tl" }, h("div", { class: "tl-message" }, GONE)));
          return () => {};
        }
        const view = draw(store);
        keepKeys(view.root);
        el.append(view.root);
        const stepBack = standIn(model, el, view.root);
        const id = uniqueId("view");
        store.view = id;
        store.request({ type: "hello", view: id });
        return () => {
          view.stop();
          stepBack();
          model.send({ type: "bye", view: id });
        };
      },
    };
  };
}
