// The embedding map: points between before and after training. Places, distances and words are Python's.

const MAP_SIZE = 520;
const NEAR = 14; // pixels within which the pointer finds a point

/** The map: `move(share)` puts all points on their way, `point(row, modality)` marks one and its partners. */
function createMap(state, onPoint) {
  const x = scaleOf(state.axis.x, 0, MAP_SIZE);
  const y = scaleOf(state.axis.y, MAP_SIZE, 0);
  const [lines, marks] = [s("g", { "aria-hidden": "true" }), s("g")];
  const svg = s("svg", { class: "tl-map", viewBox: `0 0 ${MAP_SIZE} ${MAP_SIZE}`, role: "group" }, lines, marks);
  const words = (row, modality) => {
    const name = state.modalities[modality].name;
    const partners = state.pairs.filter((pair) => pair.one === name || pair.other === name);
    const far = partners.map((pair) => `${pair.one === name ? pair.other : pair.one} ${pair.distances[row][0]} away before, ${pair.distances[row][1]} after`);
    const { name: thing, group } = state.rows[row];
    return `${name}: ${thing}${state.groups.length > 1 ? ` (${state.groups[group].name})` : ""}; its ${far.join("; its ")}`;
  };
  const nodes = state.rows.map((row, place) => state.modalities.map((modality, index) => {
    const slot = `tl-s${state.groups[row.group].slot}`;
    const node = s("path", { class: `tl-point ${slot}`, d: `M0 0${modality.glyph}`, role: "img", tabindex: "-1", "aria-label": words(place, index) });
    node.addEventListener("focus", () => point(place, index));
    marks.append(node);
    return node;
  }));
  const joins = state.rows.map((row) => state.modalities.slice(1).map(() => {
    const node = s("path", { class: `tl-join tl-s${state.groups[row.group].slot}` });
    lines.append(node);
    return node;
  }));
  const at = (row, modality, share) => {
    const { before, after } = state.points[state.modalities[modality].name];
    return [0, 1].map((axis) => before[row][axis] + share * (after[row][axis] - before[row][axis]));
  };
  let places = [];
  let marked = null;

  const move = (share) => {
    places = nodes.map((_, row) => state.modalities.map((_, modality) => {
      const [across, up] = at(row, modality, share);
      return [x(across), y(up)];
    }));
    places.forEach((row, place) => {
      const join = (index) => `M${row[0].map((value) => value.toFixed(1)).join(" ")}L${row[index].map((value) => value.toFixed(1)).join(" ")}`;
      row.forEach(([across, down], index) => nodes[place][index].setAttribute("transform", `translate(${across.toFixed(1)} ${down.toFixed(1)})`));
      joins[place].forEach((node, index) => node.setAttribute("d", join(index + 1)));
    });
  };
  /** Mark a row: `modality` is where the focus or the pointer is. */
  function point(row, modality) {
    if (marked) [...nodes[marked[0]], ...joins[marked[0]]].forEach((node) => node.classList.remove("tl-marked"));
    if (marked) attr(nodes[marked[0]][marked[1]], "tabindex", "-1");
    marked = [row, modality];
    [...nodes[row], ...joins[row]].forEach((node) => node.classList.add("tl-marked"));
    attr(nodes[row][modality], "tabindex", "0");
    onPoint(words(row, modality));
  }
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const scale = MAP_SIZE / box.width;
    const [across, down] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    let best = null;
    places.forEach((row, place) => row.forEach(([px, py], index) => {
      const far = Math.hypot(px - across, py - down);
      if (far < (best?.far ?? NEAR * scale)) best = { far, place, index };
    }));
    if (best && (marked?.[0] !== best.place || marked?.[1] !== best.index)) point(best.place, best.index);
  });
  svg.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !marked) return;
    const [row, modality] = marked;
    const count = state.modalities.length;
    const to = {
      ArrowRight: [row + 1, modality],
      ArrowLeft: [row - 1, modality],
      ArrowDown: [row, (modality + 1) % count],
      ArrowUp: [row, (modality + count - 1) % count],
      Home: [0, modality],
      End: [nodes.length - 1, modality],
    }[event.key];
    if (!to) return;
    event.preventDefault();
    event.stopPropagation();
    nodes[to[0]]?.[to[1]]?.focus();
  });
  attr(nodes[0][0], "tabindex", "0");
  marked = [0, 0];
  return { svg, move };
}

function createLegend(state) {
  const glyphs = state.modalities.map((modality) => h("span", {}, s("svg", { width: 13, height: 13, viewBox: "-6.5 -6.5 13 13", "aria-hidden": "true" }, s("path", { class: "tl-glyph", d: `M0 0${modality.glyph}` })), modality.name));
  const groups = state.groups.map((group) => h("span", { class: `tl-s${group.slot}` }, h("span", { class: "tl-swatch", "aria-hidden": "true" }), group.name));
  return h("div", { class: "tl-legend tl-quiet" }, glyphs, state.groups.length > 1 ? groups : null);
}

function draw(store) {
  const { state } = store;
  const id = uniqueId("between");
  const slider = h("input", { type: "range", class: "tl-slider", id, min: "0", max: "100", step: "1", value: "0" });
  const shown = h("output", { class: "tl-step", for: id });
  const jump = (words, to) => h("button", { type: "button", class: "tl-button", onclick: () => stopAt(to) }, words);
  const play = h("button", { type: "button", class: "tl-button tl-play" }, "Play");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const about = h("p", { class: "tl-about" });
  const map = createMap(state, (words) => text(about, words));
  const table = createSortedTable("The distances");
  const message = h("div", { class: "tl-message", role: "status", "aria-live": "polite" });
  const root = h(
    "section",
    { class: "tl tl-embedding", "aria-label": state.title, "data-lm-suppress-shortcuts": "true" },
    h("div", { class: "tl-head" }, h("h3", { class: "tl-title" }, state.title), h("span", { class: "tl-quiet" }, state.status)),
    h("div", { class: "tl-bar" }, play, jump("Before", 0), h("label", { for: id, class: "tl-sr" }, "Between before and after"), slider, jump("After", 100), shown),
    h("div", { class: "tl-map-place" }, map.svg, h("div", { class: "tl-beside" }, createLegend(state), about, h("p", {}, state.words), h("p", { class: "tl-quiet" }, state.basis), h("p", { class: "tl-quiet" }, "Point at a mark, or go through them with the arrow keys: left and right to the next thing, up and down to its partner."))),
    table.el,
    message,
  );
  attr(map.svg, "aria-label", `Map of embeddings. ${state.words}`);
  table.update(state.table);
  let frame = 0;

  const show = (share) => {
    const percent = Math.round(100 * share);
    slider.value = percent;
    const words = percent === 0 ? "before" : percent === 100 ? "after" : `${percent} % of the way`;
    attr(slider, "aria-valuetext", words);
    text(shown, words);
    map.move(share);
  };
  const halt = () => {
    cancelAnimationFrame(frame);
    frame = 0;
    text(play, "Play");
  };
  function stopAt(percent) {
    halt();
    show(percent / 100);
  }
  slider.addEventListener("input", () => stopAt(Number(slider.value)));
  play.addEventListener("click", () => {
    if (frame) return halt();
    const from = Number(slider.value) === 100 ? 0 : Number(slider.value) / 100;
    const start = performance.now();
    const length = 2200 * (1 - from);
    text(play, "Pause");
    const next = (now) => {
      const done = Math.min(1, Math.max(0, (now - start) / length));
      show(from + (1 - from) * (done * done * (3 - 2 * done)));
      if (done < 1) frame = requestAnimationFrame(next);
      else halt();
    };
    frame = requestAnimationFrame(next);
  });
  const settle = () => {
    play.hidden = still.matches; // the slider and the two buttons are left
    if (still.matches) halt();
  };
  still.addEventListener("change", settle);
  settle();
  show(0);

  const paint = () => {
    attr(message, "data-kind", store.gone ? "error" : store.state.message.kind || null);
    text(message, store.gone ? GONE : store.state.message.text);
  };
  const stopPainting = paintOnChange(store, paint);
  return {
    root,
    stop: () => {
      halt();
      still.removeEventListener("change", settle);
      stopPainting();
    },
  };
}

export default panelModule((model) => createStateStore(model), draw);
