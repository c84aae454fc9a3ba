// The store of a retrieval grid, with the sounds and pictures that it was sent beside its state.

import { createStateStore } from "../base/store.js";

/** @import { AnyModel } from "@anywidget/types" */
/** @import { Store } from "../base/store.js" */
/** @import { RetrievalState } from "./state" */

/** @typedef {"query" | "gallery"} Side */

/**
 * `sheet` is the address of the queries' pictures, or empty; `play` plays a sound, or stops it where it
 * plays.
 * @typedef {object} Sounds
 * @prop {string} sheet
 * @prop {(side: Side, index: number) => void} play
 * @prop {(side: Side, index: number) => boolean} plays
 */

/**
 * One sound plays at a time, and each is asked for when it is first wanted.
 * @param {AnyModel} model
 * @returns {Store<RetrievalState> & Sounds}
 */
export function createGridStore(model) {
  /** @type {Store<RetrievalState>} */
  const store = createStateStore(model);
  /** @type {Map<string, string>} */
  const urls = new Map();
  const player = new Audio();
  let wanted = "";
  let playing = "";

  /**
   * @param {string} side
   * @param {number} index
   */
  const key = (side, index) => `${side} ${index}`;
  /** @param {string} name the sound that plays now, or nothing */
  const tell = (name) => {
    playing = name;
    store.listeners.forEach((listener) => listener());
  };
  /**
   * @param {string} name
   * @param {string} url
   */
  const start = (name, url) => {
    player.src = url;
    player.play().then(
      () => tell(name),
      () => tell(""),
    );
  };
  /**
   * @param {any} message
   * @param {DataView<ArrayBuffer>[]} buffers
   */
  const receive = (message, buffers) => {
    if (message.type !== "sound" || !buffers?.length) return;
    const name = key(message.side, message.index);
    const url = URL.createObjectURL(new Blob([buffers[0]], { type: "audio/wav" }));
    urls.set(name, url);
    if (wanted === name) start(name, url);
  };
  player.addEventListener("ended", () => tell(""));
  model.on("msg:custom", receive);
  const bytes = model.get("_sheet");
  const sheet = bytes?.byteLength ? URL.createObjectURL(new Blob([bytes], { type: "image/png" })) : "";
  const { close } = store;
  return Object.assign(store, {
    sheet,
    /**
     * @param {Side} side
     * @param {number} index
     */
    play: (side, index) => {
      const name = key(side, index);
      player.pause();
      if (playing === name) {
        wanted = "";
        tell("");
        return;
      }
      wanted = name;
      const url = urls.get(name);
      if (url) start(name, url);
      else store.request({ type: "sound", side, index });
    },
    /**
     * @param {Side} side
     * @param {number} index
     */
    plays: (side, index) => playing === key(side, index),
    close: () => {
      close();
      player.pause();
      model.off("msg:custom", receive);
      [...urls.values(), sheet].filter(Boolean).forEach((url) => URL.revokeObjectURL(url));
    },
  });
}
