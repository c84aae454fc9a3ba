// The front end's copy of the panel's state, and its line of requests.

import { createStateStore, trackAnswers } from "../base/store.js";

/** @import { AnyModel } from "@anywidget/types" */
/** @import { Request, Store } from "../base/store.js" */
/** @import { FreezeRow, FreezeState } from "./state" */

/**
 * What changed: fields of rows that are here, the children of opened rows, and the code if it was asked for.
 * @typedef {object} Delta
 * @prop {(Partial<FreezeRow> & { id: string })[]} rows
 * @prop {{ id: string, children: FreezeRow[] }[]} opened
 * @prop {Partial<FreezeState>} frame
 * @prop {string} [code]
 */

/**
 * `ask` sends requests one at a time, each with the revision that the answer before it brought: a second
 * click is meant for what the first one made of the model. `late` is true while an answer is overdue.
 * @typedef {Store<FreezeState> & { ask: (request: Request) => void, late: boolean }} FreezeStore
 */

const SLOW = 1500; // milliseconds after which a view says that it waits for the kernel

/**
 * Every row whose parent was opened, by its id.
 * @param {FreezeRow[]} rows
 * @param {Map<string, FreezeRow>} found
 */
export function rowsById(rows, found = new Map()) {
  for (const row of rows) {
    found.set(row.id, row);
    rowsById(row.children, found);
  }
  return found;
}

/**
 * Take in what Python says has changed; false if it is about rows that are not here.
 * @param {FreezeState} state
 * @param {Delta} message
 */
function merge(state, message) {
  const rows = rowsById(state.rows);
  if (![...message.rows, ...message.opened].every(({ id }) => rows.has(id))) return false;
  for (const row of message.rows) Object.assign(rows.get(row.id) ?? {}, row);
  for (const { id, children } of message.opened) Object.assign(rows.get(id) ?? {}, { children });
  if (message.code !== undefined) state.code = message.code;
  else if (message.frame.revision !== state.revision) state.code = ""; // to be asked for again
  Object.assign(state, message.frame);
  return true;
}

/**
 * @param {AnyModel} model
 * @returns {FreezeStore}
 */
export function createFreezeStore(model) {
  /** @type {Store<FreezeState>} */
  const shared = createStateStore(model, merge);
  const tracked = trackAnswers(model, shared);
  /** @type {Request[]} */
  const queue = [];
  let timer = 0;

  const next = () => {
    const request = tracked.waiting() ? undefined : queue.shift();
    if (!request) return;
    tracked.request({ ...request, revision: tracked.state.revision });
    timer = setTimeout(() => setLate(true), SLOW);
  };
  const store = Object.assign(tracked, {
    late: false,
    /** @param {Request} request */
    ask: (request) => {
      queue.push(request);
      next();
    },
  });
  /** @param {boolean} late */
  const setLate = (late) => {
    if (store.late === late) return;
    store.late = late;
    store.listeners.forEach((listener) => listener());
  };
  const receive = () => {
    if (store.waiting()) return;
    clearTimeout(timer);
    setLate(false);
    next();
  };
  model.on("msg:custom", receive);
  const { close } = store;
  store.close = () => {
    clearTimeout(timer);
    model.off("msg:custom", receive);
    close();
  };
  return store;
}
