// The input as the model gets it, and the last few inputs to choose from.

import { codeBox, details } from "../base/controls.js";
import { s } from "../base/charts.js";
import { attr, h, text } from "../base/dom.js";
import { createSortedTable } from "../base/tables.js";

/** @import { MediaPicture, MediaRecent, MediaSound, MediaText } from "./state" */
/** @import { MediaKind, MediaStore } from "./upload.js" */

/**
 * A button that plays the sound, which Python sends when it is asked for.
 * @param {MediaStore} store
 */
function createPlay(store) {
  /** @type {HTMLAudioElement | null} */
  let audio = null;
  const { labels } = store.state;
  const button = h("button", { type: "button", class: "tl-button tl-play" }, labels.play);
  const halt = () => {
    if (!audio) return;
    audio.pause();
    URL.revokeObjectURL(audio.src);
    audio = null;
    text(button, labels.play);
  };
  /** @param {DataView<ArrayBuffer>} buffer */
  const hear = (buffer) => {
    halt();
    audio = new Audio(URL.createObjectURL(new Blob([buffer], { type: "audio/wav" })));
    audio.addEventListener("ended", halt);
    text(button, labels.stop);
    audio.play().catch((error) => {
      halt();
      store.say(`The sound cannot be played here (${error.message}).`);
    });
  };
  button.addEventListener("click", () => {
    if (audio) return halt();
    store.onSound = hear; // of several views, the one that asked
    store.request({ type: "listen" });
  });
  return { button, halt };
}

/** @param {MediaSound} value */
function createWaveform({ box: [width, height], path, alt }) {
  const view = { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none" };
  return s("svg", { class: "tl-wave", role: "img", "aria-label": alt, ...view }, s("path", { d: path }));
}

/** @param {MediaPicture | MediaSound | MediaText} value */
function createShown(value) {
  if (value.kind === "sound") return createWaveform(value);
  if (value.kind === "text") return h("blockquote", {}, value.text);
  const { image, alt, width, height } = value;
  return h("img", { src: image, alt, width, height });
}

/**
 * What the model gets.
 * @param {MediaStore} store
 */
export function createValue(store) {
  const { labels } = store.state;
  const play = createPlay(store);
  const shown = h("div", { class: "tl-shown" });
  const facts = h("p", { class: "tl-facts" });
  const notes = h("ul", { class: "tl-notes tl-quiet" });
  const answer = h("p", { class: "tl-answer" });
  const table = createSortedTable(labels.waveform);
  const code = codeBox(labels.code_title);
  const name = h("strong", { class: "tl-name" });
  const lead = h("span", { class: "tl-quiet" }, `${labels.value} `);
  const el = h(
    "div",
    { class: "tl-value" },
    h("p", { class: "tl-gets" }, lead, name, " ", play.button),
    shown,
    facts,
    notes,
    answer,
    table.el,
    details(labels.code_title, code),
  );
  let seen = "";
  const update = () => {
    const { value, answer: words } = store.state;
    el.hidden = !value;
    const now = JSON.stringify(value);
    if (now !== seen) {
      seen = now;
      play.halt();
      shown.replaceChildren(...(value ? [createShown(value)] : []));
      notes.replaceChildren(...(value?.notes || []).map((note) => h("li", {}, note)));
      notes.hidden = !value?.notes.length;
    }
    if (!value) return;
    attr(el, "data-kind", value.kind);
    text(name, value.name);
    text(facts, value.facts);
    play.button.hidden = table.el.hidden = value.kind !== "sound";
    if (value.kind === "sound") table.update(value.table);
    text(answer, words);
    answer.hidden = !words;
    text(code, store.state.code);
  };
  return { el, update, stop: play.halt };
}

/** @type {Record<MediaKind, string>} */
const GLYPHS = { picture: "", sound: "♪", text: "¶" };

/**
 * The last few, to take one again.
 * @param {MediaStore} store
 */
export function createRecent(store) {
  const row = h("div", { class: "tl-row" });
  const words = store.state.labels.recent;
  const label = h("span", { class: "tl-quiet" }, words);
  const el = h("div", { class: "tl-recent", role: "group", "aria-label": words }, label, row);

  /**
   * @param {MediaRecent} entry
   * @param {number} place
   */
  const createEntry = ({ image, kind, words, chosen }, place) => {
    const sign = image
      ? h("img", { src: image, alt: "" })
      : h("span", { "aria-hidden": "true" }, GLYPHS[kind]);
    const onclick = () => {
      store.say("");
      store.request({ type: "choose", place });
    };
    const states = { "aria-pressed": String(chosen), "aria-label": `${kind}: ${words}` };
    const props = { type: "button", class: "tl-button tl-earlier", ...states };
    return h("button", { ...props, onclick }, sign, words);
  };
  let seen = "";
  const update = () => {
    const { recent } = store.state;
    el.hidden = recent.length < 2;
    const now = JSON.stringify(recent);
    if (now === seen) return;
    seen = now;
    const buttons = recent.map(createEntry);
    const at = [...row.children].findIndex((child) => child === document.activeElement);
    row.replaceChildren(...buttons);
    buttons[at]?.focus();
  };
  return { el, update };
}
