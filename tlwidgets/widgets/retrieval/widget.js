// The retrieval grid: a list of queries, the results of the one that is picked, and recall. Scores and ranks
// are
// Python's.

import { attr, h, text, uniqueId } from "../base/dom.js";
import { paintOnChange } from "../base/store.js";
import { createSortedTable } from "../base/tables.js";
import { createMessage, createRoot, panelModule } from "../base/view.js";
import { createQueries } from "./queries.js";
import { createGridStore } from "./sounds.js";

/** @import { Side } from "./sounds.js" */
/** @import { RetrievalHit, RetrievalRecall } from "./state" */

/** @typedef {ReturnType<typeof createGridStore>} GridStore */

/**
 * A button that plays a sound; `update()` shows whether it does.
 * @param {GridStore} store
 * @param {Side} side
 * @param {number} index
 * @param {string} name
 */
function createPlayButton(store, side, index, name) {
  const { labels } = store.state;
  const onclick = () => store.play(side, index);
  const el = h("button", { type: "button", class: "tl-button tl-sound", onclick });
  const update = () => {
    const on = store.plays(side, index);
    text(el, on ? "■" : "▶");
    attr(el, "aria-label", `${on ? labels.stop : labels.play} ${name}`);
  };
  update();
  return { el, update };
}

/** @param {RetrievalRecall[]} entries */
function createRecall(entries) {
  const rows = entries.map((entry) => {
    const fill = h("span", { class: "tl-share-fill", style: `width: ${100 * entry.share}%` });
    const chance = h("span", { class: "tl-share-chance", style: `left: ${100 * entry.chance}%` });
    const also = ` (${entry.interval}), chance ${entry.chance_text}`;
    return h(
      "div",
      { class: "tl-recall", title: entry.label },
      h("span", {}, h("strong", {}, `R@${entry.k} ${entry.text}`), h("span", { class: "tl-quiet" }, also)),
      h("span", { class: "tl-share", role: "img", "aria-label": entry.label }, fill, chance),
    );
  });
  return h("div", { class: "tl-recalls" }, rows);
}

/**
 * A picture of 72 by 72 pixels; nothing where there is none.
 * @param {string} png in base64
 * @param {string} alt
 */
function createPicture(png, alt) {
  return png ? h("img", { src: `data:image/png;base64,${png}`, alt, width: 72, height: 72 }) : null;
}

/**
 * One thing found: its place and score, its picture, sound or words, and whether it is right.
 * @param {GridStore} store
 * @param {RetrievalHit} hit
 */
function createHit(store, hit) {
  const { labels } = store.state;
  const button = hit.sound ? createPlayButton(store, "gallery", hit.index, hit.name) : null;
  const picture = createPicture(hit.png, hit.name);
  /**
   * @param {string} spoken
   * @param {string} words
   */
  const number = (spoken, words) =>
    h("span", { class: "tl-quiet" }, h("span", { class: "tl-sr" }, `${spoken} `), words);
  const el = h(
    "li",
    {
      class: ["tl-hit", hit.right && "tl-hit--right", !picture && "tl-hit--words"].filter(Boolean).join(" "),
    },
    h(
      "div",
      { class: "tl-hit-head" },
      number(labels.rank, hit.place_text),
      hit.right ? h("strong", { class: "tl-right" }, `✓ ${labels.right}`) : null,
      number(labels.cosine, hit.score),
    ),
    picture,
    h("div", { class: "tl-hit-name", title: hit.name, "aria-hidden": picture ? "true" : null }, hit.name),
    button?.el,
  );
  return { el, update: () => button?.update() };
}

/** @param {GridStore} store */
function createSearch(store) {
  const { labels } = store.state;
  const id = uniqueId("own");
  const props = { type: "text", maxlength: "200", autocomplete: "off", placeholder: labels.placeholder };
  const input = h("input", { id, class: "tl-input", ...props });
  const submit = h("button", { class: "tl-button tl-button--primary", type: "submit" }, labels.search);
  const form = h("form", { class: "tl-ask" }, h("label", { for: id }, labels.search_for), input, submit);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    store.request({ type: "ask", text: input.value });
  });
  return form;
}

/**
 * The results: the query that was picked, the best hits, and the first right one if it is further down.
 * @param {GridStore} store
 */
function createFound(store) {
  const { labels } = store.state;
  const hits = h("ol", { class: "tl-hits", "aria-label": labels.found });
  const beyond = h("ol", { class: "tl-hits tl-beyond", "aria-label": labels.beyond });
  const picked = h("div", { class: "tl-picked" });
  const words = h("p", { class: "tl-words", role: "status", "aria-live": "polite" });
  let seen = "";
  /** @type {{ update: () => void }[]} */
  let drawn = [];
  const update = () => {
    const now = store.state;
    const wanted = JSON.stringify([now.picked, now.results, now.right]);
    if (wanted !== seen) {
      seen = wanted;
      const { index, name, png } = now.picked;
      const found = now.results.map((hit) => createHit(store, hit));
      const further = now.right ? [createHit(store, now.right)] : [];
      const sound = now.picked.sound && index !== null ? [createPlayButton(store, "query", index, name)] : [];
      const picture = createPicture(png, name);
      hits.replaceChildren(...found.map((hit) => hit.el));
      beyond.replaceChildren(...further.map((hit) => hit.el));
      beyond.hidden = !further.length;
      picked.replaceChildren(...(picture ? [picture] : []), ...sound.map(({ el }) => el));
      picked.hidden = !picked.children.length;
      drawn = [...found, ...further, ...sound];
    }
    drawn.forEach((each) => each.update());
    text(words, now.words);
  };
  return { children: [picked, words, hits, beyond], update };
}

/** @param {GridStore} store */
function draw(store) {
  const { state } = store;
  const { labels } = state;
  const queries = createQueries(store);
  const table = createSortedTable(labels.numbers);
  const form = createSearch(store);
  const found = createFound(store);
  const message = createMessage();
  const list = h(
    "div",
    { class: "tl-ask-for" },
    h("div", { class: "tl-quiet", id: queries.label }, labels.pick),
    queries.el,
  );
  const root = createRoot(
    "retrieval",
    state.title,
    h(
      "div",
      { class: "tl-head" },
      h("h3", { class: "tl-title" }, state.title),
      h("span", { class: "tl-quiet" }, state.status),
    ),
    createRecall(state.recall),
    h("div", { class: "tl-search" }, list, h("div", { class: "tl-found" }, form, found.children)),
    table.el,
    message.el,
  );

  const paint = () => {
    message.update(store);
    if (store.gone) return;
    form.hidden = !store.state.encodes;
    queries.update();
    found.update();
    table.update(store.state.queries.table);
  };
  return { root, stop: paintOnChange(store, paint) };
}

export default panelModule(createGridStore, draw);
