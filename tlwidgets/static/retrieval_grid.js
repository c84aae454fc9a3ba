// The retrieval grid: a list of queries, what is found for the one picked, and recall over all. Scores and ranks are Python's.

/** The store of a panel, and the sounds that it was sent. One sound plays at a time. */
function createGridStore(model) {
  const store = createStateStore(model);
  const urls = new Map();
  const player = new Audio();
  const key = (side, index) => `${side} ${index}`;
  let wanted = null;
  store.playing = null;
  const tell = (playing) => {
    store.playing = playing;
    store.listeners.forEach((listener) => listener());
  };
  const start = (name) => {
    player.src = urls.get(name);
    player.play().then(() => tell(name), () => tell(null));
  };
  const receive = (message, buffers) => {
    if (message.type !== "sound" || !buffers?.length) return;
    const name = key(message.side, message.index);
    urls.set(name, URL.createObjectURL(new Blob([buffers[0]], { type: "audio/wav" })));
    if (wanted === name) start(name);
  };
  player.addEventListener("ended", () => tell(null));
  model.on("msg:custom", receive);
  /** Play a sound, or stop it where it plays; it is asked for when it is first wanted. */
  store.play = (side, index) => {
    const name = key(side, index);
    player.pause();
    if (store.playing === name) {
      wanted = null;
      tell(null);
      return;
    }
    wanted = name;
    if (urls.has(name)) start(name);
    else store.request({ type: "sound", side, index });
  };
  store.plays = (side, index) => store.playing === key(side, index);
  const sheet = model.get("_sheet");
  store.sheet = sheet?.byteLength ? URL.createObjectURL(new Blob([sheet], { type: "image/png" })) : "";
  const close = store.close;
  store.close = () => {
    close();
    player.pause();
    model.off("msg:custom", receive);
    [...urls.values(), store.sheet].filter(Boolean).forEach((url) => URL.revokeObjectURL(url));
  };
  return store;
}

/** A button that plays a sound; `update(store)` shows whether it does. */
function createPlayButton(store, side, index, name) {
  const el = h("button", { type: "button", class: "tl-button tl-sound", onclick: () => store.play(side, index) });
  const update = () => {
    const on = store.plays(side, index);
    text(el, on ? "■" : "▶");
    attr(el, "aria-label", `${on ? "Stop" : "Play"} ${name}`);
  };
  update();
  return { el, update };
}

/** The queries, as a list box: arrows move, and what is moved to is picked. */
function createQueries(store) {
  const { queries, sheet } = store.state;
  const options = queries.names.map((name, place) => {
    const tile = sheet && store.sheet ? h("span", { class: "tl-tile", "aria-hidden": "true" }) : null;
    if (tile) {
      const [column, row] = [place % sheet.columns, Math.floor(place / sheet.columns)];
      const rows = Math.ceil(queries.names.length / sheet.columns);
      tile.style.backgroundImage = `url("${store.sheet}")`;
      tile.style.backgroundSize = `${100 * sheet.columns}% ${100 * rows}%`;
      tile.style.backgroundPosition = `${sheet.columns > 1 ? (100 * column) / (sheet.columns - 1) : 0}% ${rows > 1 ? (100 * row) / (rows - 1) : 0}%`;
    }
    return h("div", { role: "option", id: uniqueId("query"), class: "tl-query", title: name, "aria-label": name, "aria-selected": "false", onclick: () => pick(place) }, tile, tile ? null : h("span", {}, name));
  });
  const label = uniqueId("queries");
  const el = h("div", { class: `tl-queries${sheet ? " tl-queries--tiles" : ""}`, role: "listbox", tabindex: "0", "aria-labelledby": label }, options);
  let asked = null; // what Python has not answered yet: the next key goes on from there
  const pick = (place) => {
    asked = place;
    store.request({ type: "pick", query: queries.indices[place] });
  };
  const perRow = () => Math.max(1, options.filter((option) => option.offsetTop === options[0].offsetTop).length);
  el.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const now = asked ?? queries.indices.indexOf(store.state.picked.index);
    const step = { ArrowDown: perRow(), ArrowUp: -perRow(), ArrowRight: 1, ArrowLeft: -1, PageDown: 5 * perRow(), PageUp: -5 * perRow() }[event.key];
    const to = { Home: 0, End: options.length - 1 }[event.key] ?? (step === undefined ? undefined : now < 0 ? 0 : now + step);
    if (to === undefined) return;
    event.preventDefault();
    const place = event.key.startsWith("Page") ? Math.min(options.length - 1, Math.max(0, to)) : to;
    if (place >= 0 && place < options.length && place !== now) pick(place);
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
    const place = queries.indices.indexOf(store.state.picked.index);
    if (place === asked) asked = null;
    if (place === shown) return;
    attr(options[shown] || el, "aria-selected", shown < 0 ? null : "false");
    shown = place;
    attr(el, "aria-activedescendant", options[place]?.id);
    if (place < 0) return;
    attr(options[place], "aria-selected", "true");
    bringIntoView();
  };
  return { el, label, update };
}

function createRecall() {
  const el = h("div", { class: "tl-recalls" });
  const update = (entries) => {
    el.replaceChildren(...entries.map((entry) => {
      const fill = h("span", { class: "tl-share-fill" });
      const chance = h("span", { class: "tl-share-chance" });
      fill.style.width = `${100 * entry.share}%`;
      chance.style.left = `${100 * entry.chance}%`;
      const words = `R@${entry.k}: ${entry.count} queries have something right among their first ${entry.k}; 95 % interval ${entry.interval}; chance ${entry.chance_text}`;
      return h(
        "div",
        { class: "tl-recall", title: words },
        h("span", {}, h("strong", {}, `R@${entry.k} ${entry.text}`), h("span", { class: "tl-quiet" }, ` (${entry.interval}), chance ${entry.chance_text}`)),
        h("span", { class: "tl-share", role: "img", "aria-label": words }, fill, chance),
      );
    }));
  };
  return { el, update };
}

/** One thing found: its place and score, its picture, sound or words, and whether it is right. */
function createHit(store, hit) {
  const button = hit.sound ? createPlayButton(store, "gallery", hit.index, hit.name) : null;
  const picture = hit.png ? h("img", { src: `data:image/png;base64,${hit.png}`, alt: hit.name, width: 72, height: 72 }) : null;
  const el = h(
    "li",
    { class: `tl-hit${hit.right ? " tl-hit--right" : ""}${picture ? "" : " tl-hit--words"}` },
    h("div", { class: "tl-hit-head" }, h("span", { class: "tl-quiet" }, h("span", { class: "tl-sr" }, "rank "), hit.place.toLocaleString("en")), hit.right ? h("strong", { class: "tl-right" }, "✓ right") : null, h("span", { class: "tl-quiet" }, h("span", { class: "tl-sr" }, "cosine "), hit.score)),
    picture,
    h("div", { class: "tl-hit-name", title: hit.name, "aria-hidden": picture ? "true" : null }, hit.name),
    button?.el,
  );
  return { el, update: () => button?.update() };
}

function draw(store) {
  const { state } = store;
  const queries = createQueries(store);
  const recall = createRecall();
  const table = createSortedTable("All queries");
  const hits = h("ol", { class: "tl-hits", "aria-label": "Found, best first" });
  const beyond = h("ol", { class: "tl-hits tl-beyond", "aria-label": "The first right one, further down" });
  const picked = h("div", { class: "tl-picked" });
  const words = h("p", { class: "tl-words", role: "status", "aria-live": "polite" });
  const inputId = uniqueId("own");
  const input = h("input", { id: inputId, class: "tl-input", type: "text", maxlength: "200", autocomplete: "off", placeholder: "your own words" });
  const form = h("form", { class: "tl-ask" }, h("label", { for: inputId }, "Search for"), input, h("button", { class: "tl-button tl-button--primary", type: "submit" }, "Search"));
  const message = h("div", { class: "tl-message", role: "status", "aria-live": "polite" });
  const root = h(
    "section",
    { class: "tl tl-retrieval", "aria-label": state.title, "data-lm-suppress-shortcuts": "true" },
    h("div", { class: "tl-head" }, h("h3", { class: "tl-title" }, state.title), h("span", { class: "tl-quiet" }, state.status)),
    recall.el,
    h(
      "div",
      { class: "tl-search" },
      h("div", { class: "tl-ask-for" }, h("div", { class: "tl-quiet", id: queries.label }, "Pick a query"), queries.el),
      h("div", { class: "tl-found" }, form, picked, words, hits, beyond),
    ),
    table.el,
    message,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    store.request({ type: "ask", text: input.value });
  });
  recall.update(state.recall);
  let seen = "";
  let drawn = [];

  const paint = () => {
    attr(message, "data-kind", store.gone ? "error" : store.state.message.kind || null);
    text(message, store.gone ? GONE : store.state.message.text);
    if (store.gone) return;
    const now = store.state;
    form.hidden = !now.encodes;
    queries.update();
    const wanted = JSON.stringify([now.picked, now.results, now.right]);
    if (wanted !== seen) {
      seen = wanted;
      const found = now.results.map((hit) => createHit(store, hit));
      const further = now.right ? [createHit(store, now.right)] : [];
      const sound = now.picked.sound ? createPlayButton(store, "query", now.picked.index, now.picked.name) : null;
      hits.replaceChildren(...found.map((hit) => hit.el));
      beyond.replaceChildren(...further.map((hit) => hit.el));
      beyond.hidden = !now.right;
      const picture = now.picked.png ? h("img", { src: `data:image/png;base64,${now.picked.png}`, alt: now.picked.name, width: 72, height: 72 }) : null;
      picked.replaceChildren(...[picture, sound?.el].filter(Boolean));
      picked.hidden = !picture && !sound;
      drawn = [...found, ...further, ...(sound ? [sound] : [])];
    }
    drawn.forEach((each) => each.update());
    text(words, now.words);
    table.update(now.queries.table);
  };
  return { root, stop: paintOnChange(store, paint) };
}

export default panelModule(createGridStore, draw);
