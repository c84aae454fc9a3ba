// Padlocks and arrows, drawn: few fonts have them.

import { h } from "../base/dom.js";

const THIN = 'fill="none" stroke="currentColor" stroke-width="1.6"';
const ROUND = `${THIN} stroke-linecap="round" stroke-linejoin="round"`;
const SHACKLE = `<path d="M4.5 7V5.2a3.5 3.5 0 0 1 7 0V7" ${THIN}/>`;
const BODY = `<rect x="3.8" y="7.8" width="8.4" height="5.4" rx="1.2" ${THIN}/>`;
const HALF = '<path d="M3.8 9v3a1.2 1.2 0 0 0 1.2 1.2h3V7.8H5A1.2 1.2 0 0 0 3.8 9z" fill="currentColor"/>';

/** The paths of a picture of 16 by 16. */
const ICONS = {
  frozen: `${SHACKLE}<rect x="3" y="7" width="10" height="7" rx="1.6" fill="currentColor"/>`,
  trained: `<path d="M4.5 7V4.6a3.5 3.5 0 0 1 6.7-1.4" ${ROUND}/>${BODY}`,
  partial: `${SHACKLE}${BODY}${HALF}`,
  fixed: `<path d="M3 8h10" ${ROUND}/>`,
  undo: `<path d="M6.2 3 3 6.2l3.2 3.2M3.4 6.2h5.8a3.6 3.6 0 0 1 0 7.2H6.5" ${ROUND}/>`,
  redo: `<path d="M9.8 3 13 6.2 9.8 9.4M12.6 6.2H6.8a3.6 3.6 0 0 0 0 7.2h2.7" ${ROUND}/>`,
  open: `<path d="m6 4 4 4-4 4" ${ROUND}/>`,
};

/**
 * A small picture beside words that say the same.
 * @param {keyof typeof ICONS} name
 */
export function icon(name) {
  const span = h("span", { class: "tl-icon", "aria-hidden": "true" });
  span.innerHTML = `<svg viewBox="0 0 16 16" width="14" height="14">${ICONS[name]}</svg>`;
  return span;
}
