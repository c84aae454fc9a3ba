// The marks of the embedding map, one for each thing in each modality, with a line between those of one
// thing.

import { s, scaleOf } from "../base/charts.js";
import { attr } from "../base/dom.js";

/** @import { EmbeddingState } from "./state" */

const SIZE = 520;
const NEAR = 14; // pixels within which the pointer finds a point

/**
 * A mark in words: what it is, and how far its partners are.
 * @param {EmbeddingState} state
 * @param {number} row
 * @param {number} modality
 */
function markWords({ modalities, pairs, rows, groups }, row, modality) {
  const { name } = modalities[modality];
  const partners = pairs.filter((pair) => pair.one === name || pair.other === name);
  const far = partners.map(({ one, other, distances }) => {
    const [before, after] = distances[row];
    return `${one === name ? other : one} ${before} away before, ${after} after`;
  });
  const { name: thing, group } = rows[row];
  const where = groups.length > 1 ? ` (${groups[group].name})` : "";
  return `${name}: ${thing}${where}; its ${far.join("; its ")}`;
}

/**
 * The map: `move(share)` puts all points on their way, and `onPoint` gets the words on the one that is
 * pointed at.
 * @param {EmbeddingState} state
 * @param {(words: string) => void} onPoint
 */
export function createMap(state, onPoint) {
  const { modalities, rows, groups, points } = state;
  const x = scaleOf(state.axis.x, 0, SIZE);
  const y = scaleOf(state.axis.y, SIZE, 0);
  const slots = rows.map(({ group }) => `tl-s${groups[group].slot}`);
  const nodes = rows.map((_, row) =>
    modalities.map(({ glyph }, modality) => {
      const props = { role: "img", tabindex: "-1", "aria-label": markWords(state, row, modality) };
      const node = s("path", { class: `tl-point ${slots[row]}`, d: `M0 0${glyph}`, ...props });
      node.addEventListener("focus", () => point(row, modality));
      return node;
    }),
  );
  const joins = rows.map((_, row) =>
    modalities.slice(1).map(() => s("path", { class: `tl-join ${slots[row]}` })),
  );
  const svg = s(
    "svg",
    { class: "tl-map", viewBox: `0 0 ${SIZE} ${SIZE}`, role: "group" },
    s("g", { "aria-hidden": "true" }, ...joins.flat()),
    s("g", {}, ...nodes.flat()),
  );
  /** @type {[x: number, y: number][][]} where each mark is on the map, by row and modality */
  let places = [];
  let marked = { row: 0, modality: 0 };

  /** @param {number} share */
  const move = (share) => {
    places = rows.map((_, row) =>
      modalities.map(({ name }) => {
        const [before, after] = [points[name].before[row], points[name].after[row]];
        const [across, up] = before.map((from, axis) => from + share * (after[axis] - from));
        return [x(across), y(up)];
      }),
    );
    places.forEach((own, row) => {
      const words = own.map((place) => place.map((value) => value.toFixed(1)).join(" "));
      words.forEach((at, modality) => nodes[row][modality].setAttribute("transform", `translate(${at})`));
      joins[row].forEach((join, index) => join.setAttribute("d", `M${words[0]}L${words[index + 1]}`));
    });
  };

  /** @param {number} row */
  const ofRow = (row) => [...nodes[row], ...joins[row]];
  /**
   * Mark a row; `modality` is where the focus or the pointer is.
   * @param {number} row
   * @param {number} modality
   */
  function point(row, modality) {
    ofRow(marked.row).forEach((node) => node.classList.remove("tl-marked"));
    attr(nodes[marked.row][marked.modality], "tabindex", "-1");
    marked = { row, modality };
    ofRow(row).forEach((node) => node.classList.add("tl-marked"));
    attr(nodes[row][modality], "tabindex", "0");
    onPoint(markWords(state, row, modality));
  }

  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const scale = SIZE / box.width;
    const [across, down] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    const all = places.flatMap((own, row) =>
      own.map(([left, top], modality) => ({ row, modality, far: Math.hypot(left - across, top - down) })),
    );
    const best = all.reduce((near, each) => (each.far < near.far ? each : near));
    if (best.far < NEAR * scale && (best.row !== marked.row || best.modality !== marked.modality)) {
      point(best.row, best.modality);
    }
  });
  svg.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { row, modality } = marked;
    const count = modalities.length;
    /** @type {Record<string, [row: number, modality: number]>} */
    const ways = {
      ArrowRight: [row + 1, modality],
      ArrowLeft: [row - 1, modality],
      ArrowDown: [row, (modality + 1) % count],
      ArrowUp: [row, (modality + count - 1) % count],
      Home: [0, modality],
      End: [nodes.length - 1, modality],
    };
    const to = ways[event.key];
    if (!to) return;
    event.preventDefault();
    event.stopPropagation();
    nodes[to[0]]?.[to[1]]?.focus();
  });
  attr(nodes[0][0], "tabindex", "0");
  return { svg, move };
}
