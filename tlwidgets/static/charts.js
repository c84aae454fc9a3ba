// Charts in SVG: axes, bands, lines and marks that Python has put into numbers and words.

const SVG = "http://www.w3.org/2000/svg";
const BOX = { width: 400, height: 180, left: 46, right: 8, top: 8, bottom: 22 };

/** An SVG element, as `h` makes HTML ones. */
function s(tag, props = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(props)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** From a value to a place between `from` and `to`; `axis`: {low, high, log}. */
function scaleOf(axis, from, to) {
  const f = axis.log ? Math.log : (value) => value;
  const [low, high] = [f(axis.low), f(axis.high)];
  return (value) => from + ((to - from) * (f(value) - low)) / (high - low);
}

/**
 * One chart with a title: `update(shown)`, where `shown` has
 *   x, y: {low, high, log, ticks: [[value, words]], title};
 *   series: [{name (a class), line: [[x, y]], band: [[x, low, high]], marks: [[x, y, words, kind]], glyph (a path from
 *     its middle), dash}], all but `name` optional; marks may end with their size;
 *   level: a y that a quiet line marks, or null; said: words beside the title; words: the picture in words.
 */
function createPlot(title, box = BOX) {
  const heading = h("span", {}, title);
  const said = h("span", { class: "tl-quiet tl-now" });
  const [grid, level, drawn] = [s("g"), s("path", { class: "tl-level" }), s("g")];
  const svg = s("svg", { class: "tl-chart", viewBox: `0 0 ${box.width} ${box.height}`, role: "img" }, grid, level, drawn);
  const el = h("figure", {}, h("figcaption", {}, heading, said), svg);
  const [left, right, top, bottom] = [box.left, box.width - box.right, box.top, box.height - box.bottom];
  const parts = new Map();
  let scale = "";

  /** A series' elements are kept and only their paths change, many times a second. */
  const partOf = (name) => {
    if (!parts.has(name)) {
      const part = { band: s("path", { class: "tl-band" }), line: s("path", { class: "tl-curve" }), marks: s("g"), seen: "" };
      part.el = s("g", { class: name }, part.band, part.line, part.marks);
      part.line.classList.add(...name.split(" ").map((word) => word.replace("tl-", "tl-curve--")));
      parts.set(name, part);
    }
    return parts.get(name);
  };

  function mark(point, glyph, place) {
    const [, , words, kind, size] = point;
    const node = s("path", { class: `tl-mark${kind ? ` tl-mark--${kind}` : ""}`, d: `M0 0${glyph}`, transform: `translate(${place}) scale(${size || 1})` });
    if (words) {
      node.append(s("title"));
      node.firstChild.textContent = words;
    }
    return node;
  }

  function drawGrid(shown, x, y) {
    const wanted = JSON.stringify([shown.x, shown.y]);
    if (wanted === scale) return;
    scale = wanted;
    const label = (props, words) => {
      const node = s("text", props);
      node.textContent = words;
      return node;
    };
    const rows = shown.y.ticks.flatMap(([value, words]) => [
      s("line", { class: "tl-grid", x1: left, x2: right, y1: y(value), y2: y(value) }),
      label({ x: left - 5, y: y(value) + 4, "text-anchor": "end" }, words),
    ]);
    const columns = shown.x.ticks.map(([value, words, anchor]) => label({ x: x(value), y: bottom + 14, "text-anchor": anchor || "middle" }, words));
    const name = shown.x.title ? [label({ x: (left + right) / 2, y: box.height - 3, "text-anchor": "middle", class: "tl-axis" }, shown.x.title)] : [];
    grid.replaceChildren(...rows, ...columns, ...name);
  }

  const update = (shown) => {
    const [x, y] = [scaleOf(shown.x, left, right), scaleOf(shown.y, bottom, top)];
    drawGrid(shown, x, y);
    const at = (point) => `${x(point[0]).toFixed(1)} ${y(point[1]).toFixed(1)}`;
    const path = (points) => points.map((point, index) => `${index ? "L" : "M"}${at(point)}`).join("");
    level.setAttribute("d", shown.level === null || shown.level === undefined ? "" : `M${left} ${y(shown.level)}H${right}`);
    const now = shown.series.map((series) => partOf(series.name));
    shown.series.forEach((series, index) => {
      const part = now[index];
      const band = series.band || [];
      const back = [...band].reverse().map((point) => [point[0], point[1]]);
      const [only] = band;
      part.band.setAttribute("d", band.length === 1 ? `M${at(only)}L${at([only[0], only[2]])}` : band.length ? `${path([...band.map((point) => [point[0], point[2]]), ...back])}z` : "");
      part.line.setAttribute("d", path(series.line || []));
      part.band.classList.toggle("tl-whisker", band.length === 1);
      if (series.dash) part.line.setAttribute("stroke-dasharray", series.dash);
      const marks = series.marks || [];
      const seen = JSON.stringify([marks, shown.x, shown.y]);
      if (part.seen !== seen) {
        part.seen = seen;
        part.marks.replaceChildren(...marks.map((point) => mark(point, series.glyph, at(point))));
      }
    });
    if (drawn.children.length !== now.length || now.some((part, index) => drawn.children[index] !== part.el)) drawn.replaceChildren(...now.map((part) => part.el));
    text(said, shown.said || "");
    attr(svg, "aria-label", `${title}: ${shown.words}`);
  };
  const rename = (words) => {
    title = words;
    text(heading, words);
  };
  return { el, caption: el.firstChild, update, rename };
}

/** A line as it is drawn in a chart, for a legend. */
function sampleLine(name, words, glyph, dash) {
  const line = s("path", { class: `tl-curve ${name.split(" ").map((word) => word.replace("tl-", "tl-curve--")).join(" ")}`, d: "M0 6H24" });
  if (dash) line.setAttribute("stroke-dasharray", dash);
  const mark = glyph ? [s("path", { class: "tl-mark", d: `M12 6${glyph}` })] : [];
  return h("span", {}, s("svg", { class: name, width: 24, height: 12, viewBox: "0 0 24 12", "aria-hidden": "true" }, line, ...mark), words);
}
