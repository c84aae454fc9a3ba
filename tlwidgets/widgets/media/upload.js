// Files on their way to Python: what is sent, in pieces, and what the browser decodes or makes smaller
// before.

import { uniqueId } from "../base/dom.js";
import { createStateStore } from "../base/store.js";
import { decodedStart, isWav, shrunk } from "./decode.js";

/** @import { AnyModel } from "@anywidget/types" */
/** @import { Store } from "../base/store.js" */
/** @import { MediaAccepted, MediaState } from "./state" */

/** @typedef {MediaAccepted["kind"]} MediaKind */

/**
 * @typedef {object} Uploads
 * @prop {Set<string>} busy files that were sent and not answered yet
 * @prop {string} said a sentence of this browser's own
 * @prop {(words: string) => void} say
 * @prop {(buffer: DataView<ArrayBuffer>) => void} onSound
 * @prop {(message: { type: string, id: string, at: number }, bytes: ArrayBuffer) => void} piece
 */

/** @typedef {Store<MediaState> & Uploads} MediaStore */

const PIECE = 1 << 20; // bytes that are sent at once
const AS_IT_IS = 4_000_000; // bytes up to which a picture is sent untouched
const OF_A_TEXT = 40_000; // bytes: with so many it is too long, whatever follows

/**
 * @param {AnyModel} model
 * @returns {MediaStore}
 */
export function createMediaStore(model) {
  /** @type {Store<MediaState>} */
  const state = createStateStore(model);
  const tell = () => state.listeners.forEach((listener) => listener());
  /**
   * @param {any} message
   * @param {DataView<ArrayBuffer>[]} buffers
   */
  const receive = (message, buffers) => {
    if (message.type === "done" && store.busy.delete(message.id)) tell();
    if (message.type === "sound") store.onSound(buffers[0]);
  };
  const { close } = state;
  /** @type {MediaStore} */
  const store = Object.assign(state, {
    busy: new Set(),
    said: "",
    onSound: () => {},
    /** @param {string} words */
    say: (words) => {
      store.said = words;
      tell();
    },
    /**
     * @param {{ type: string, id: string, at: number }} message
     * @param {ArrayBuffer} bytes
     */
    piece: (message, bytes) => model.send(message, undefined, [bytes]),
    close: () => {
      model.off("msg:custom", receive);
      close();
    },
  });
  model.on("msg:custom", receive);
  return store;
}

/**
 * Send what `blob` holds in pieces. `about` goes first: where Python refuses it, the pieces are let go.
 * @param {MediaStore} store
 * @param {Record<string, unknown>} about
 * @param {Blob} blob
 */
async function sendPieces(store, about, blob) {
  const id = uniqueId("file");
  store.busy.add(id);
  store.say("");
  store.request({ ...about, type: "begin", id, size: blob.size });
  try {
    for (let at = 0; at < blob.size; at += PIECE) {
      store.piece({ type: "chunk", id, at }, await blob.slice(at, at + PIECE).arrayBuffer());
    }
  } catch (error) {
    store.busy.delete(id);
    throw error;
  }
  store.request({ type: "end", id });
}

/**
 * The samples of a sound that the browser can decode, one channel after the other, no longer than is taken.
 * @param {MediaStore} store
 * @param {File} file
 * @param {number} seconds
 */
async function sendDecoded(store, file, seconds) {
  const { name } = file;
  const { sound, length, more } = await decodedStart(file, seconds);
  if (!sound) return sendPieces(store, { kind: "sound", name, form: "undecoded" }, file.slice(0, 512));
  const { sampleRate: rate, numberOfChannels: channels } = sound;
  const samples = Math.min(sound.length, Math.ceil(seconds * rate));
  const data = Array.from({ length: channels }, (_, place) =>
    sound.getChannelData(place).subarray(0, samples),
  );
  const about = {
    kind: "sound",
    name,
    form: "samples",
    decoded: true,
    rate,
    channels,
    seconds: length,
    more,
  };
  return sendPieces(store, about, new Blob(data));
}

/**
 * Send what a microphone recorded.
 * @param {MediaStore} store
 * @param {Float32Array<ArrayBuffer>} samples
 * @param {number} rate
 */
export function sendRecording(store, samples, rate) {
  const about = { kind: "sound", name: "microphone.wav", form: "samples", rate, channels: 1 };
  return sendPieces(store, about, new Blob([samples]));
}

/**
 * @param {MediaStore} store
 * @param {File} file
 * @param {MediaKind} kind
 */
async function sendFile(store, file, kind) {
  const { limits } = store.state;
  const about = { kind, name: file.name, form: "file" };
  const large = kind === "picture" && file.size > AS_IT_IS && file.type !== "image/gif";
  const smaller = large ? await shrunk(file, limits.side) : null;
  if (kind === "text") await sendPieces(store, about, file.slice(0, OF_A_TEXT));
  else if (smaller) await sendPieces(store, { ...about, shrunk: smaller.was }, smaller.blob);
  else if (kind === "sound" && !(await isWav(file))) await sendDecoded(store, file, limits.seconds);
  else await sendPieces(store, about, file);
}

/**
 * Bring a file. One that is too large, or of a kind that is not accepted, is rejected before any of it is
 * read.
 * @param {MediaStore} store
 * @param {File} file
 * @param {MediaKind} kind
 */
export async function takeFile(store, file, kind) {
  const { kinds, limits } = store.state;
  const { name, size } = file;
  if (size > limits.bytes || size === 0 || !kinds.some((accepted) => accepted.kind === kind)) {
    store.say("");
    store.request({ kind, name, form: "file", type: "begin", id: uniqueId("file"), size });
    return;
  }
  try {
    await sendFile(store, file, kind);
  } catch (error) {
    const { name: problem, message } = error instanceof Error ? error : new Error(String(error));
    const folder = ["NotReadableError", "NotFoundError"].includes(problem);
    const remedy = folder ? " A folder cannot be taken; choose the file again." : "";
    store.say(`${name} could not be read (${message}).${remedy}`);
  }
}

/**
 * The kind of a file by its type or, if the browser knows none, by the place where it was dropped.
 * @param {File} file
 * @param {MediaKind} place
 * @returns {MediaKind}
 */
export function kindOf(file, place) {
  const [type] = file.type.split("/");
  if (type === "image") return "picture";
  if (type === "audio" || type === "video") return "sound";
  return type === "text" ? "text" : place;
}
