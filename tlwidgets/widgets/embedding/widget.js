// The embedding map: points between before and after training. Places, distances and words are Python's.

import { sign } from "../base/charts.js";
import { attr, h, text, uniqueId } from "../base/dom.js";
import { createStateStore, paintOnChange } from "../base/store.js";
import { createSortedTable } from "../base/tables.js";
import { createMessage, createRoot, panelModule } from "../base/view.js";
import { createMap } from "./map.js";

/** @import { Store } from "../base/store.js" */
/** @import { EmbeddingState } from "./state" */

/** @param {EmbeddingState} state */
function createLegend({ modalities, groups }) {
  const glyphs = modalities.map(({ glyph, name }) => h("span", {}, sign(glyph, "", "tl-glyph"), name));
  const colours = groups.map(({ slot, name }) =>
    h("span", { class: `tl-s${slot}` }, h("span", { class: "tl-swatch", "aria-hidden": "true" }), name),
  );
  return h("div", { class: "tl-legend tl-quiet" }, glyphs, groups.length > 1 ? colours : null);
}

/**
 * The slider from before (0) to after (1), with a button that plays it; `show(share)` is called with each
 * place.
 * @param {(share: number) => void} show
 * @param {Record<string, string>} labels
 */
function createTravel(show, labels) {
  const id = uniqueId("between");
  const range = { min: "0", max: "100", step: "1", value: "0" };
  const slider = h("input", { type: "range", class: "tl-slider", id, ...range });
  const shown = h("output", { class: "tl-step", for: id });
  const play = h("button", { type: "button", class: "tl-button tl-play" }, labels.play);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let frame = 0;

  /** @param {number} share */
  const go = (share) => {
    const percent = Math.round(100 * share);
    slider.value = String(percent);
    const ends = new Map([
      [0, labels.before.toLowerCase()],
      [100, labels.after.toLowerCase()],
    ]);
    const words = ends.get(percent) ?? `${percent} % ${labels.way}`;
    attr(slider, "aria-valuetext", words);
    text(shown, words);
    show(share);
  };
  const halt = () => {
    cancelAnimationFrame(frame);
    frame = 0;
    text(play, labels.play);
  };
  /** @param {number} percent */
  const stopAt = (percent) => {
    halt();
    go(percent / 100);
  };
  slider.addEventListener("input", () => stopAt(Number(slider.value)));
  play.addEventListener("click", () => {
    if (frame) return halt();
    const from = Number(slider.value) === 100 ? 0 : Number(slider.value) / 100;
    const start = performance.now();
    const length = 2200 * (1 - from);
    text(play, labels.pause);
    /** @param {number} now */
    const next = (now) => {
      const done = Math.min(1, Math.max(0, (now - start) / length));
      go(from + (1 - from) * (done * done * (3 - 2 * done)));
      if (done < 1) frame = requestAnimationFrame(next);
      else halt();
    };
    frame = requestAnimationFrame(next);
  });
  const settle = () => {
    play.hidden = still.matches; // the slider and the two buttons remain
    if (still.matches) halt();
  };
  still.addEventListener("change", settle);
  settle();
  /**
   * @param {string} words
   * @param {number} percent
   */
  const jump = (words, percent) =>
    h("button", { type: "button", class: "tl-button", onclick: () => stopAt(percent) }, words);
  const label = h("label", { for: id, class: "tl-sr" }, labels.between);
  const ends = [jump(labels.before, 0), jump(labels.after, 100)];
  const el = h("div", { class: "tl-bar" }, play, ends[0], label, slider, ends[1], shown);
  const stop = () => {
    halt();
    still.removeEventListener("change", settle);
  };
  return { el, go, stop };
}

/** @param {Store<EmbeddingState>} store */
function draw(store) {
  const { state } = store;
  const { labels } = state;
  const about = h("p", { class: "tl-about" });
  const map = createMap(state, (words) => text(about, words));
  const travel = createTravel(map.move, labels);
  const table = createSortedTable(labels.numbers);
  const message = createMessage();
  const beside = h(
    "div",
    { class: "tl-beside" },
    createLegend(state),
    about,
    h("p", {}, state.words),
    h("p", { class: "tl-quiet" }, state.basis),
    h("p", { class: "tl-quiet" }, labels.help),
  );
  const root = createRoot(
    "embedding",
    state.title,
    h(
      "div",
      { class: "tl-head" },
      h("h3", { class: "tl-title" }, state.title),
      h("span", { class: "tl-quiet" }, state.status),
    ),
    travel.el,
    h("div", { class: "tl-map-place" }, map.svg, beside),
    table.el,
    message.el,
  );
  attr(map.svg, "aria-label", `${labels.map} ${state.words}`);
  table.update(state.table);
  travel.go(0);
  const stopPainting = paintOnChange(store, () => message.update(store));
  return {
    root,
    stop: () => {
      travel.stop();
      stopPainting();
    },
  };
}

export default panelModule((model) => createStateStore(model), draw);
