// The queries of a retrieval grid as a list box: arrows move, and each query that they reach is picked.

import { attr, h, uniqueId } from "../base/dom.js";

/** @import { Store } from "../base/store.js" */
/** @import { RetrievalState } from "./state" */

/**
 * The part of the sheet of pictures that shows the query at `place`.
 * @param {string} url
 * @param {number} columns
 * @param {number} count
 * @param {number} place
 */
function createTile(url, columns, count, place) {
  const tile = h("span", { class: "tl-tile", "aria-hidden": "true" });
  const [column, row] = [place % columns, Math.floor(place / columns)];
  const rows = Math.ceil(count / columns);
  /**
   * @param {number} at
   * @param {number} of
   */
  const percent = (at, of) => `${of > 1 ? (100 * at) / (of - 1) : 0}%`;
  tile.style.backgroundImage = `url("${url}")`;
  tile.style.backgroundSize = `${100 * columns}% ${100 * rows}%`;
  tile.style.backgroundPosition = `${percent(column, columns)} ${percent(row, rows)}`;
  return tile;
}

/**
 * The list; `label` is the id of what names it.
 * @param {Store<RetrievalState> & { sheet: string }} store
 */
export function createQueries(store) {
  const { queries, sheet } = store.state;
  const { names, indices } = queries;
  const options = names.map((name, place) => {
    const pictured = sheet && store.sheet;
    const tile = pictured ? createTile(store.sheet, sheet.columns, names.length, place) : h("span", {}, name);
    const props = { class: "tl-query", title: name, "aria-label": name, "aria-selected": "false" };
    const id = uniqueId("query");
    return h("div", { role: "option", id, ...props, onclick: () => pick(place) }, tile);
  });
  const label = uniqueId("queries");
  const name = sheet ? "tl-queries tl-queries--tiles" : "tl-queries";
  const el = h("div", { class: name, role: "listbox", tabindex: "0", "aria-labelledby": label }, options);
  /** @type {number | null} what Python has not answered yet: the next key goes on from there */
  let asked = null;
  /** @param {number} place */
  const pick = (place) => {
    asked = place;
    store.request({ type: "pick", query: indices[place] });
  };
  const placeOfPicked = () => indices.findIndex((index) => index === store.state.picked.index);
  const perRow = () =>
    Math.max(1, options.filter((option) => option.offsetTop === options[0].offsetTop).length);

  el.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const now = asked ?? placeOfPicked();
    const last = options.length - 1;
    const page = 5 * perRow();
    /** @param {number} step from nothing picked, any step leads to the first */
    const by = (step) => (now < 0 ? 0 : now + step);
    /** @param {number} place */
    const inside = (place) => Math.min(last, Math.max(0, place));
    /** @type {Record<string, number>} */
    const places = {
      ArrowDown: by(perRow()),
      ArrowUp: by(-perRow()),
      ArrowRight: by(1),
      ArrowLeft: by(-1),
      PageDown: inside(by(page)),
      PageUp: inside(by(-page)),
      Home: 0,
      End: last,
    };
    if (!(event.key in places)) return;
    event.preventDefault();
    const to = places[event.key];
    if (to >= 0 && to <= last && to !== now) pick(to);
  });

  let shown = -1;
  const bringIntoView = () => {
    if (shown < 0) return;
    const [box, row] = [el.getBoundingClientRect(), options[shown].getBoundingClientRect()];
    if (row.top < box.top) el.scrollTop -= box.top - row.top;
    else if (row.bottom > box.bottom) el.scrollTop += row.bottom - box.bottom;
  };
  const seen = new ResizeObserver(() => {
    if (!el.clientHeight) return; // drawn, but not on the page yet
    seen.disconnect();
    bringIntoView();
  });
  seen.observe(el);
  const update = () => {
    const place = placeOfPicked();
    if (place === asked) asked = null;
    if (place === shown) return;
    if (shown >= 0) attr(options[shown], "aria-selected", "false");
    shown = place;
    attr(el, "aria-activedescendant", options[place]?.id);
    if (place < 0) return;
    attr(options[place], "aria-selected", "true");
    bringIntoView();
  };
  return { el, label, update };
}
