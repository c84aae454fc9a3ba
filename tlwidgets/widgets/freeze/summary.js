// The strip of figures, and what they are based on.

import { attr, h, text } from "../base/dom.js";

const LEAST = 0.008; // of a bar: what is there can be seen

/** @import { FreezeFigure, FreezeMemory, FreezeSummary } from "./state" */

/** A number with a bar below it. */
function createFigure() {
  const title = h("div", { class: "tl-figure-title" });
  const value = h("strong");
  const of = h("span");
  const track = h("div", { class: "tl-track", "aria-hidden": "true" });
  const note = h("div", { class: "tl-quiet tl-figure-note" });
  const el = h(
    "div",
    { class: "tl-figure" },
    title,
    h("div", { class: "tl-figure-value" }, value, of),
    track,
    note,
  );
  /** @type {HTMLElement[]} */
  const fills = [];
  /** @param {FreezeFigure} figure */
  const update = (figure) => {
    text(title, figure.title);
    text(value, figure.value);
    text(of, figure.of);
    text(note, figure.note);
    attr(el, "title", figure.tip);
    while (fills.length < figure.parts.length) {
      fills.push(h("span"));
      track.append(fills[fills.length - 1]);
    }
    figure.parts.forEach(({ name, share }, index) => {
      const width = 100 * Math.min(1, share > 0 ? Math.max(LEAST, share) : 0);
      attr(fills[index], "class", `tl-fill tl-moves tl-fill--${name}`);
      fills[index].style.width = `${width}%`;
    });
  };
  return { el, update };
}

/** @param {Record<string, string>} labels */
export function createSummary(labels) {
  const strip = h("div", { class: "tl-summary" });
  /** @type {ReturnType<typeof createFigure>[]} */
  const figures = [];
  const legend = h("div", { class: "tl-legend" });
  const assumptions = h("p", { class: "tl-quiet" });
  const details = h(
    "details",
    { class: "tl-details" },
    h("summary", {}, labels.figures),
    legend,
    assumptions,
  );
  /** @param {FreezeMemory} part */
  const sample = ({ name, title, text: size }) =>
    h(
      "span",
      { class: "tl-legend-item" },
      h("span", { class: `tl-swatch tl-fill--${name}`, "aria-hidden": "true" }),
      `${title} ${size}`,
    );

  /** @param {FreezeSummary} summary */
  const update = (summary) => {
    while (figures.length < summary.figures.length) {
      figures.push(createFigure());
      strip.append(figures[figures.length - 1].el);
    }
    summary.figures.forEach((figure, index) => figures[index].update(figure));
    legend.replaceChildren(
      ...summary.memory.map(sample),
      ...(summary.activations_known ? [] : [h("span", { class: "tl-quiet" }, labels.activations_unknown)]),
      h("span", { class: "tl-legend-item" }, summary.forward_words),
    );
    text(assumptions, summary.assumptions);
  };
  return { el: h("div", {}, strip, details), update };
}
