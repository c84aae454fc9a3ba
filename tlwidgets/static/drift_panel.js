// The drift panel: one row a group of layers, a slider over the measured steps. All words and numbers are Python's.

/** A place on an axis in percent, kept inside it. */
function percentOf(axis, value) {
  return Math.min(100, Math.max(0, scaleOf(axis, 0, 100)(value)));
}

function sign(run) {
  const svg = s("svg", { class: `tl-s${run.slot}`, width: 12, height: 12, viewBox: "-6 -6 12 12", "aria-hidden": "true" });
  svg.append(s("path", { class: "tl-mark", d: `M0 0${run.glyph}` }));
  return svg;
}

/** The rows: groups in forward order, each with a dot and a bar for each run. */
function createRows(state) {
  const head = (words, axis) => {
    const ticks = axis.ticks.map(([value, label], place) => {
      const shift = place === 0 ? 0 : place === axis.ticks.length - 1 ? -100 : -50; // the outermost stay inside
      return h("span", { class: "tl-tick", style: `left: ${percentOf(axis, value)}%; transform: translateX(${shift}%)` }, label);
    });
    return h("div", { role: "columnheader" }, words, h("div", { class: "tl-ticks tl-quiet", "aria-hidden": "true" }, ticks));
  };
  const title = h("div", { class: "tl-drift-row tl-drift-head", role: "row" }, h("div", { role: "columnheader" }, "Layers"), head("Gradient norm", state.axes.gradient), head("Moved, of its size", state.axes.drift), h("div", { role: "columnheader" }, "Gradients"));
  const rows = state.groups.map((group) => {
    const dots = state.runs.map((run) => h("span", { class: "tl-dot tl-slides" }, sign(run)));
    const bars = state.runs.map((run) => h("span", { class: `tl-moved tl-moves tl-s${run.slot}` }));
    const said = [h("span", { class: "tl-sr" }), h("span", { class: "tl-sr" })];
    const why = h("div", { class: "tl-why", role: "cell" });
    const name = h("div", { class: "tl-layer", role: "rowheader", title: group.id }, group.label);
    const gradient = h("div", { role: "cell" }, h("div", { class: "tl-rail", "aria-hidden": "true" }, dots), said[0]);
    const drift = h("div", { role: "cell" }, h("div", { class: "tl-lanes", "aria-hidden": "true" }, bars), said[1]);
    return { el: h("div", { class: "tl-drift-row", role: "row" }, name, gradient, drift, why), dots, bars, said, why };
  });
  const el = h("div", { class: "tl-drift-rows", role: "table", "aria-label": "Layers, first layer at the top" }, title, rows.map((row) => row.el));

  const update = (now, frame) => {
    const { gradient, drift } = now.axes;
    rows.forEach((row, place) => {
      const cells = frame.cells[place];
      const several = now.runs.length > 1;
      const words = (column) => cells.map((cell, index) => (several ? `${now.runs[index].name}: ${cell[column]}` : cell[column])).join(", ");
      cells.forEach((cell, index) => {
        const reached = cell[0] !== null && cell[0] > 0;
        row.dots[index].hidden = !reached;
        if (reached) row.dots[index].style.left = `${percentOf(gradient, cell[0])}%`;
        row.bars[index].style.width = cell[2] ? `max(2px, ${percentOf(drift, cell[2])}%)` : "0";
      });
      text(row.said[0], words(1));
      text(row.said[1], words(3));
      attr(row.dots[0].parentElement, "title", words(1));
      attr(row.bars[0].parentElement, "title", words(3));
      text(row.why, reasonWords(now, cells));
      row.el.classList.toggle("tl-learns", row.why.textContent === "learns");
      row.el.classList.toggle("tl-stopped", cells.every((cell) => cell[0] === null));
    });
  };
  return { el, update };
}

/** The numbers of a frame, as words and as values to sort by. */
function tableOf(state, frame) {
  const several = state.runs.length > 1;
  const of = (run) => (several ? `, ${run.name}` : "");
  const head = ["Group", ...state.runs.flatMap((run) => [`Gradient norm${of(run)}`, `Moved${of(run)}`]), "Gradients"];
  const rows = state.groups.map((group, place) => [group.id, ...frame.cells[place].flatMap((cell) => [cell[1], cell[3]]), reasonWords(state, frame.cells[place])]);
  const sort = rows.map((row, place) => [place, ...frame.cells[place].flatMap((cell) => [cell[0] ?? -1, cell[2] ?? -1]), row[row.length - 1]]);
  return { head, rows, sort, caption: `Step ${frame.step.toLocaleString("en")}, first layer at the top.` };
}

/** Why gradients do not reach a group, in each run where they do not. */
function reasonWords(state, cells) {
  const reasons = new Map();
  cells.forEach((cell, index) => {
    const reason = state.reasons[cell[4]];
    if (reason !== "learns") reasons.set(reason, [...(reasons.get(reason) || []), state.runs[index].name]);
  });
  const all = [...reasons].map(([reason, names]) => (names.length === state.runs.length ? reason : `${names.join(", ")}: ${reason}`));
  return all.join("; ") || "learns";
}

function draw(store) {
  const status = h("span", { class: "tl-quiet" });
  const legend = h("div", { class: "tl-legend" });
  const id = uniqueId("step");
  const play = h("button", { type: "button", class: "tl-button tl-play" }, "Play");
  const slider = h("input", { type: "range", class: "tl-slider", id, min: "0", step: "1" });
  const shown = h("output", { class: "tl-step", for: id });
  const bar = h("div", { class: "tl-bar" }, play, h("label", { for: id }, "Step"), slider, shown);
  const place = h("div", { class: "tl-drift-place" });
  const words = h("p", { class: "tl-quiet tl-drift-words" });
  const table = createSortedTable("The numbers of this step");
  const message = h("div", { class: "tl-message", role: "status", "aria-live": "polite" });
  const root = h(
    "section",
    { class: "tl tl-drift", "aria-label": store.state.title, "data-lm-suppress-shortcuts": "true" },
    h("div", { class: "tl-head" }, h("h3", { class: "tl-title" }, store.state.title), status),
    bar,
    legend,
    place,
    words,
    table.el,
    message,
  );
  let rows = null;
  let layout = "";
  let at = null; // the frame looked at; null: the last one, also when more come
  let timer = 0;

  const last = () => store.state.frames.length - 1;
  const paint = () => {
    const state = store.state;
    attr(message, "data-kind", store.gone ? "error" : null);
    text(message, store.gone ? GONE : store.state.message.text);
    if (store.gone) return;
    text(status, state.status);
    bar.hidden = place.hidden = words.hidden = table.el.hidden = !state.frames.length;
    if (!state.frames.length) return;
    const wanted = JSON.stringify([state.groups, state.runs, state.axes]);
    if (wanted !== layout) {
      layout = wanted;
      rows = createRows(state);
      place.replaceChildren(rows.el);
      legend.replaceChildren(...state.runs.map((run) => h("span", {}, sign(run), run.name)));
      legend.hidden = state.runs.length < 2;
    }
    const now = Math.min(at ?? last(), last());
    const frame = state.frames[now];
    attr(slider, "max", last());
    slider.value = now;
    slider.disabled = play.disabled = last() === 0;
    attr(slider, "aria-valuetext", `step ${frame.step.toLocaleString("en")}`);
    text(shown, `${frame.step.toLocaleString("en")} of ${state.frames[last()].step.toLocaleString("en")}`);
    rows.update(state, frame);
    text(words, frame.words);
    table.update(tableOf(state, frame));
  };
  const go = (to) => {
    at = to >= last() ? null : to;
    paint();
  };
  const halt = () => {
    clearInterval(timer);
    timer = 0;
    text(play, "Play");
  };
  slider.addEventListener("input", () => {
    halt();
    go(Number(slider.value));
  });
  play.addEventListener("click", () => {
    if (timer) return halt();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches; // then pictures follow one another slowly
    const pace = still ? 1500 : Math.min(700, Math.max(120, 8000 / (last() + 1)));
    if (at === null) go(0);
    text(play, "Pause");
    timer = setInterval(() => {
      go((at ?? last()) + 1);
      if (at === null) halt();
    }, pace);
  });
  const stopPainting = paintOnChange(store, paint);
  return {
    root,
    stop: () => {
      halt();
      stopPainting();
    },
  };
}

export default panelModule((model) => createStateStore(model), draw);
