// Buttons, and what opens below a line of words.

import { h } from "./dom.js";

/** @import { Child } from "./dom.js" */

/**
 * A button. Unavailable ones are marked by `aria-disabled` and keep the focus: a keyboard user is not thrown
 * back to the start of the page.
 * @param {string} words
 * @param {() => unknown} onclick
 * @param {"" | "primary"} [kind]
 */
export function button(words, onclick, kind = "") {
  const name = kind ? `tl-button tl-button--${kind}` : "tl-button";
  return h("button", { type: "button", class: name, onclick }, words);
}

/**
 * What is shown when a line of words is clicked.
 * @param {string} words
 * @param {...(Child | Child[])} children
 */
export function details(words, ...children) {
  return h("details", { class: "tl-details" }, h("summary", {}, words), ...children);
}

/**
 * A box for code, which can be scrolled by keyboard.
 * @param {string} label
 */
export function codeBox(label) {
  return h("pre", { class: "tl-code", tabindex: "0", role: "region", "aria-label": label });
}
