// The front end's one copy of a panel's state, which all views of the panel share.

import { uniqueId } from "./dom.js";

/** @import { AnyModel } from "@anywidget/types" */

/**
 * A message to Python.
 * @typedef {{ type: string, [key: string]: unknown }} Request
 */

/**
 * @template State
 * @typedef {object} Store
 * @prop {State} state as Python sent it last; a view is drawn only where there is one
 * @prop {boolean} gone whether the panel has left the kernel's memory
 * @prop {string} view the id of a view, which a new snapshot is asked for with
 * @prop {Set<() => void>} listeners called after each change
 * @prop {(request: Request) => void} request
 * @prop {() => void} close
 */

/**
 * A store whose state Python sends whole (`snapshot`) or, where `merge(state, message)` can take it in, in
 * parts (`delta`). Where `merge` returns false, something is missing, and a new snapshot is asked for.
 * @template State
 * @param {AnyModel} model
 * @param {(state: State, message: any) => boolean} [merge]
 * @returns {Store<State>}
 */
export function createStateStore(model, merge = () => false) {
  /** @type {number | null} */
  let seq = null;
  /** @param {State & { seq: number }} state */
  const load = (state) => {
    store.state = state;
    seq = state.seq;
  };
  /** @param {any} message */
  const receive = (message) => {
    if (message.type === "gone") {
      store.gone = true;
    } else if (message.type === "snapshot") {
      load(message.state);
    } else if (message.type === "delta") {
      if (seq === null || message.seq <= seq) return; // the snapshot had it
      if (message.seq !== seq + 1 || !merge(store.state, message)) {
        store.request({ type: "hello", view: store.view });
        return;
      }
      seq = message.seq;
    }
    store.listeners.forEach((listener) => listener());
  };
  /** @type {Store<State>} */
  const store = {
    state: /** @type {any} */ (null),
    gone: false,
    view: uniqueId("view"),
    listeners: new Set(),
    request: (request) => model.send(request),
    close: () => model.off("msg:custom", receive),
  };
  model.on("msg:custom", receive);
  const initial = model.get("_state");
  if (initial && typeof initial === "object") load(initial);
  return store;
}

/**
 * Tag requests, so that `waiting()` says whether one has not been answered yet: a state that was on its way
 * before a click must not take the click back.
 * @template {Store<any>} AStore
 * @param {AnyModel} model
 * @param {AStore} store
 */
export function trackAnswers(model, store) {
  /** @type {Set<string>} */
  const asked = new Set();
  /** @param {{ type: string, answered?: string[] }} message */
  const receive = ({ type, answered = [] }) => {
    if (type === "gone") asked.clear();
    answered.forEach((tag) => asked.delete(tag));
  };
  model.on("msg:custom", receive);
  const { request, close } = store;
  return Object.assign(store, {
    waiting: () => asked.size > 0,
    /** @param {Request} message */
    request: (message) => {
      const tag = uniqueId("request");
      asked.add(tag);
      request({ ...message, tag });
    },
    close: () => {
      model.off("msg:custom", receive);
      close();
    },
  });
}

/**
 * Call `paint` now and after each change of the store, at most once a frame; a page in the background draws
 * nothing. Returns what ends it.
 * @param {Store<any>} store
 * @param {() => void} paint
 */
export function paintOnChange(store, paint) {
  let due = 0;
  const update = () => {
    due ||= requestAnimationFrame(() => {
      due = 0;
      paint();
    });
  };
  store.listeners.add(update);
  paint();
  return () => {
    cancelAnimationFrame(due);
    store.listeners.delete(update);
  };
}
