// How far something is.

import { attr, h, text } from "./dom.js";

/** A bar with words below it. */
export function createProgress() {
  const fill = h("span", { class: "tl-fill tl-moves" });
  const bounds = { "aria-valuemin": "0", "aria-valuemax": "100" };
  const track = h(
    "div",
    { class: "tl-track", role: "progressbar", "aria-label": "Progress", ...bounds },
    fill,
  );
  const progress = h("span", { class: "tl-quiet tl-steps" });
  const left = h("span", { class: "tl-quiet tl-left" });
  const words = h("div", { class: "tl-progress-words" }, progress, left);
  const el = h("div", { class: "tl-progress" }, track, words);
  /** @param {{ share: number, progress: string, left: string }} state */
  const update = (state) => {
    fill.style.width = `${100 * state.share}%`;
    attr(track, "aria-valuenow", Math.round(100 * state.share));
    attr(track, "aria-valuetext", [state.progress, state.left].filter(Boolean).join(", "));
    text(progress, state.progress);
    text(left, state.left);
  };
  return { el, update };
}
