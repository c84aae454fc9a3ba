// Charts in SVG: axes, bands, lines and marks that Python has put into numbers and words.

import { attr, h, text } from "./dom.js";

/** @import { Axis } from "./records" */

/** @typedef {{ low: number, high: number, log?: boolean }} Scale */
/** @typedef {[x: number, y: number]} Point */
/** @typedef {[x: number, y: number, words?: string, kind?: string, size?: number]} Mark */
/** @typedef {[x: number, low: number, high: number]} Interval */

/**
 * One series of a chart. `name` is its class, `glyph` a path from the middle of a mark.
 * @typedef {object} Series
 * @prop {string} name
 * @prop {Point[]} [line]
 * @prop {Interval[]} [band]
 * @prop {Mark[]} [marks]
 * @prop {string} [glyph]
 * @prop {string} [dash]
 */

/**
 * What a chart shows. `level` is a y that a faint line marks, `said` stands beside the title, `words` is the
 * picture in words.
 * @typedef {object} Shown
 * @prop {Axis} x
 * @prop {Axis} y
 * @prop {Series[]} series
 * @prop {number | null} [level]
 * @prop {string} [said]
 * @prop {string} words
 */

/** @typedef {{ el: SVGElement, band: SVGElement, line: SVGElement, marks: SVGElement, seen: string }} Part */

const SVG = "http://www.w3.org/2000/svg";

/** The size of a chart, and the margins around what is drawn. */
export const BOX = { width: 400, height: 180, left: 46, right: 8, top: 8, bottom: 22 };

/**
 * An SVG element, as `h` makes HTML ones.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} [props]
 * @param {...(Node | string)} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function s(tag, props = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(props)) node.setAttribute(key, String(value));
  node.append(...children);
  return node;
}

/**
 * A glyph by itself, for a legend.
 * @param {string} glyph
 * @param {string} name the class of its series
 * @param {string} mark the class of its path
 */
export function sign(glyph, name = "", mark = "tl-mark") {
  const props = { class: name, width: 12, height: 12, viewBox: "-6 -6 12 12", "aria-hidden": "true" };
  return s("svg", props, s("path", { class: mark, d: `M0 0${glyph}` }));
}

/**
 * From a value to a place between `from` and `to`.
 * @param {Scale} scale
 * @param {number} from
 * @param {number} to
 * @returns {(value: number) => number}
 */
export function scaleOf(scale, from, to) {
  const f = scale.log ? Math.log : (/** @type {number} */ value) => value;
  const [low, high] = [f(scale.low), f(scale.high)];
  return (value) => from + ((to - from) * (f(value) - low)) / (high - low);
}

/**
 * The classes of a line in the series `name`: "tl-s0" -> "tl-curve--s0".
 * @param {string} name
 */
function curveClasses(name) {
  return name.split(" ").map((word) => word.replace("tl-", "tl-curve--"));
}

/**
 * The elements of a series. They are kept, and only their paths change, many times a second.
 * @param {string} name
 * @returns {Part}
 */
function createPart(name) {
  const band = s("path", { class: "tl-band" });
  const line = s("path", { class: ["tl-curve", ...curveClasses(name)].join(" ") });
  const marks = s("g");
  return { el: s("g", { class: name }, band, line, marks), band, line, marks, seen: "" };
}

/**
 * @param {Mark} point
 * @param {string} glyph
 * @param {string} place
 */
function createMark([, , words, kind, size], glyph, place) {
  const node = s("path", {
    class: kind ? `tl-mark tl-mark--${kind}` : "tl-mark",
    d: `M0 0${glyph}`,
    transform: `translate(${place}) scale(${size || 1})`,
  });
  if (words) node.append(s("title", {}, words));
  return node;
}

/**
 * One chart with a title: `update(shown)` draws it.
 * @param {string} title
 */
export function createPlot(title, box = BOX) {
  const heading = h("span", {}, title);
  const said = h("span", { class: "tl-quiet tl-now" });
  const caption = h("figcaption", {}, heading, said);
  const [grid, level, drawn] = [s("g"), s("path", { class: "tl-level" }), s("g")];
  const view = { class: "tl-chart", viewBox: `0 0 ${box.width} ${box.height}`, role: "img" };
  const svg = s("svg", view, grid, level, drawn);
  const el = h("figure", {}, caption, svg);
  const [left, right, top, bottom] = [box.left, box.width - box.right, box.top, box.height - box.bottom];
  /** @type {Map<string, Part>} */
  const parts = new Map();
  let scale = "";

  /**
   * @param {Shown} shown
   * @param {(value: number) => number} x
   * @param {(value: number) => number} y
   */
  function drawGrid(shown, x, y) {
    const wanted = JSON.stringify([shown.x, shown.y]);
    if (wanted === scale) return;
    scale = wanted;
    const rows = shown.y.ticks.flatMap(([value, words]) => [
      s("line", { class: "tl-grid", x1: left, x2: right, y1: y(value), y2: y(value) }),
      s("text", { x: left - 5, y: y(value) + 4, "text-anchor": "end" }, words),
    ]);
    const columns = shown.x.ticks.map(([value, words, anchor]) =>
      s("text", { x: x(value), y: bottom + 14, "text-anchor": anchor || "middle" }, words),
    );
    const middle = { x: (left + right) / 2, y: box.height - 3, "text-anchor": "middle", class: "tl-axis" };
    const name = shown.x.title ? [s("text", middle, shown.x.title)] : [];
    grid.replaceChildren(...rows, ...columns, ...name);
  }

  /** @param {Shown} shown */
  const update = (shown) => {
    const [x, y] = [scaleOf(shown.x, left, right), scaleOf(shown.y, bottom, top)];
    drawGrid(shown, x, y);
    /** @param {readonly [number, number, ...unknown[]]} point */
    const at = (point) => `${x(point[0]).toFixed(1)} ${y(point[1]).toFixed(1)}`;
    /** @param {Point[]} points */
    const path = (points) => points.map((point, index) => `${index ? "L" : "M"}${at(point)}`).join("");
    /** @param {Interval[]} band */
    const around = (band) => {
      const lows = band.map(([across, low]) => /** @type {Point} */ ([across, low]));
      const highs = band.map(([across, , high]) => /** @type {Point} */ ([across, high]));
      if (band.length === 1) return `M${at(lows[0])}L${at(highs[0])}`; // a whisker
      return band.length ? `${path([...highs, ...lows.reverse()])}z` : "";
    };
    const { level: quiet = null } = shown;
    level.setAttribute("d", quiet === null ? "" : `M${left} ${y(quiet)}H${right}`);
    const now = shown.series.map(({ name, line = [], band = [], marks = [], glyph = "", dash }) => {
      const part = parts.get(name) || createPart(name);
      parts.set(name, part);
      part.band.setAttribute("d", around(band));
      part.band.classList.toggle("tl-whisker", band.length === 1);
      part.line.setAttribute("d", path(line));
      if (dash) part.line.setAttribute("stroke-dasharray", dash);
      const seen = JSON.stringify([marks, shown.x, shown.y]);
      if (part.seen !== seen) {
        part.seen = seen;
        part.marks.replaceChildren(...marks.map((mark) => createMark(mark, glyph, at(mark))));
      }
      return part.el;
    });
    if (drawn.children.length !== now.length || now.some((node, index) => drawn.children[index] !== node)) {
      drawn.replaceChildren(...now);
    }
    text(said, shown.said || "");
    attr(svg, "aria-label", `${title}: ${shown.words}`);
  };
  /** @param {string} words */
  const rename = (words) => {
    title = words;
    text(heading, words);
  };
  return { el, svg, caption, update, rename };
}

/**
 * A line as it is drawn in a chart, for a legend.
 * @param {string} name
 * @param {string} words
 * @param {string} [glyph]
 * @param {string} [dash]
 */
export function sampleLine(name, words, glyph, dash) {
  const line = s("path", { class: ["tl-curve", ...curveClasses(name)].join(" "), d: "M0 6H24" });
  if (dash) line.setAttribute("stroke-dasharray", dash);
  const mark = glyph ? [s("path", { class: "tl-mark", d: `M12 6${glyph}` })] : [];
  const props = { class: name, width: 24, height: 12, viewBox: "0 0 24 12", "aria-hidden": "true" };
  return h("span", {}, s("svg", props, line, ...mark), words);
}
