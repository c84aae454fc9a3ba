// The score of gradual unfreezing: a slider a row, on a grid of epochs. What a move means is for Python to say.

const NEVER_WORDS = "never";

/** Buttons for the usual schedules; some have a number. */
function createPresets(store) {
  const bar = h("div", { class: "tl-presets", role: "group", "aria-label": "Presets" });
  const buttons = new Map();
  for (const preset of store.state.presets) {
    const [key, option] = Object.entries(preset.options)[0] || [];
    const words = { every: "epochs from one part to the next", k: "number of last layers that learn" };
    const input = key ? h("input", { type: "number", class: "tl-input tl-number", min: option.min, max: option.max, value: option.value, "aria-label": words[key] }) : null;
    const choose = () => store.request({ type: "preset", name: preset.name, options: input ? { [key]: Number.parseInt(input.value, 10) || 0 } : {} });
    const button = h("button", { type: "button", class: "tl-button", title: preset.unavailable || preset.description, onclick: choose }, key === "every" ? `${preset.title}, every` : preset.title);
    if (input) input.addEventListener("change", choose);
    bar.append(input ? h("span", { class: "tl-with-number" }, button, input) : button);
    buttons.set(preset.name, { button, input, key });
  }
  const update = () => {
    for (const preset of store.state.presets) {
      const { button, input, key } = buttons.get(preset.name);
      attr(button, "aria-pressed", preset.active ? "true" : "false");
      button.classList.toggle("tl-unavailable", Boolean(preset.unavailable));
      if (input && document.activeElement !== input) input.value = preset.options[key].value;
    }
  };
  return { el: bar, update };
}

/** A grid line for each epoch, the column that is being trained marked. */
function createCells(epochs) {
  const cells = Array.from({ length: epochs + 1 }, (_, index) => {
    const cell = h("span", { class: index === epochs ? "tl-cell tl-cell--never" : "tl-cell", "aria-hidden": "true" });
    cell.style.gridColumn = index + 1;
    return cell;
  });
  const update = (current) => cells.forEach((cell, index) => cell.classList.toggle("tl-cell--now", index + 1 === current));
  return { cells, update };
}

/** One row: what it is, and the bar whose start is a slider. */
function createRow(store, id) {
  const { epochs } = store.state;
  const find = () => store.state.rows.find((row) => row.id === id);
  const first = find();
  let asked = null; // what Python has not answered yet: the next key goes on from there
  const ask = (column, gesture) => {
    asked = column;
    const start = column > epochs ? null : column;
    store.request({ type: "move", row: id, start, gesture: gesture || null });
  };
  const name = uniqueId("row");
  const handle = h("span", {
    class: "tl-handle",
    role: "slider",
    tabindex: "0",
    "aria-labelledby": name,
    "aria-valuemin": "1",
    "aria-valuemax": epochs + 1,
    "aria-orientation": "horizontal",
    "aria-disabled": first.fixed ? "true" : null,
  });
  const rest = h("span", { class: "tl-rest", "aria-hidden": "true" });
  const bar = h("span", { class: "tl-voice" }, handle);
  const ghost = h("span", { class: "tl-ghost", "aria-hidden": "true", hidden: true });
  const grid = createCells(epochs);
  const track = h("div", { class: "tl-lane" }, grid.cells, rest, bar, ghost);
  const said = h("span", { class: "tl-quiet tl-from", "aria-hidden": "true" });
  const note = h("span", { class: "tl-quiet tl-note" }, first.note);
  const label = h("div", { class: "tl-part" }, h("span", { class: "tl-name", id: name }, first.label), h("span", { class: "tl-quiet" }, first.count), note);
  const el = h("div", { class: "tl-row", title: first.note || first.type }, label, track, said);

  /** The column below a place on the screen; the last is "never". */
  const columnAt = (x) => {
    const found = grid.cells.findIndex((cell) => x < cell.getBoundingClientRect().right);
    return found < 0 ? epochs + 1 : found + 1;
  };
  let drag = null;
  const moveTo = (x) => {
    const column = columnAt(x);
    ghost.hidden = false;
    ghost.style.gridColumn = column;
    if (column === drag.column) return;
    drag.column = column;
    ask(column, drag.gesture);
  };
  track.addEventListener("pointerdown", (event) => {
    if (event.button || find().fixed) return;
    event.preventDefault();
    handle.focus({ preventScroll: true });
    track.setPointerCapture(event.pointerId);
    const start = find().start;
    drag = { gesture: uniqueId("drag"), column: start === null ? epochs + 1 : start };
    moveTo(event.clientX);
  });
  track.addEventListener("pointermove", (event) => drag && moveTo(event.clientX));
  const end = () => {
    drag = null;
    ghost.hidden = true;
  };
  track.addEventListener("pointerup", end);
  track.addEventListener("pointercancel", end);

  handle.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const now = asked ?? find().start ?? epochs + 1;
    const wanted = {
      ArrowLeft: now - 1,
      ArrowDown: now - 1,
      ArrowRight: now + 1,
      ArrowUp: now + 1,
      Home: 1,
      End: epochs + 1,
      Delete: epochs + 1,
      Backspace: epochs + 1,
    }[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (!find().fixed && wanted !== now && wanted >= 1 && wanted <= epochs + 1) ask(wanted);
  });

  const update = () => {
    const row = find();
    const column = row.start ?? epochs + 1;
    if (column === asked || store.state.message.kind === "error") asked = null;
    bar.style.gridColumn = row.start === null ? String(epochs + 1) : `${row.start} / ${epochs + 1}`;
    bar.classList.toggle("tl-voice--never", row.start === null);
    rest.hidden = column === 1;
    rest.style.gridColumn = `1 / ${column}`;
    attr(handle, "aria-valuenow", column);
    attr(handle, "aria-valuetext", row.start_text);
    text(said, row.start === null ? NEVER_WORDS : `epoch ${row.start}`);
    grid.update(store.state.current);
  };
  return { el, update };
}

/** Epoch numbers above; below, a bar for the work of each. */
function createScale(store) {
  const { epochs } = store.state;
  const each = Math.ceil(epochs / 16);
  const head = createCells(epochs);
  head.cells.forEach((cell, index) => {
    const shown = index === epochs ? NEVER_WORDS : index % each === 0 ? String(index + 1) : "";
    text(cell, shown);
  });
  const top = h("div", { class: "tl-row tl-row--head" }, h("div", { class: "tl-part tl-quiet" }, "Epoch"), h("div", { class: "tl-lane" }, head.cells), h("span", {}));
  const foot = createCells(epochs);
  const bars = store.state.costs.map((cost, index) => {
    const fill = h("span", { class: "tl-work" });
    const words = h("span", { class: "tl-quiet" });
    foot.cells[index].append(words, fill);
    return { fill, words };
  });
  const lane = h("div", { class: "tl-lane", role: "img" }, foot.cells);
  const bottom = h("div", { class: "tl-row tl-row--work" }, h("div", { class: "tl-part" }, h("span", {}, "Backward work"), h("span", { class: "tl-quiet tl-note" }, "share of full fine-tuning's")), lane, h("span", {}));
  const update = () => {
    store.state.costs.forEach((cost, index) => {
      bars[index].fill.style.height = `${Math.max(2, 34 * cost.share)}px`;
      text(bars[index].words, epochs <= 12 ? cost.short : "");
      attr(foot.cells[index], "title", `epoch ${cost.epoch}: ${cost.text}, ${cost.learns} parameters learn`);
    });
    attr(lane, "aria-label", `Backward work: ${store.state.costs.map((cost) => `epoch ${cost.epoch} ${cost.text}`).join(", ")}`);
    head.update(store.state.current);
    foot.update(store.state.current);
  };
  return { top, bottom, update };
}

function createTable(store) {
  const body = h("tbody");
  const head = ["Epoch", "Begins to learn", "Parameters that learn", "Backward work"];
  const table = h("table", {}, h("caption", { class: "tl-quiet" }, "Backward work: as a share of full fine-tuning's"), h("thead", {}, h("tr", {}, head.map((title) => h("th", { scope: "col" }, title)))), body);
  const el = h("details", { class: "tl-details" }, h("summary", {}, "The numbers of each epoch"), h("div", { class: "tl-scroll", tabindex: "0", role: "region", "aria-label": "Numbers of each epoch" }, table));
  let seen = "";
  const update = () => {
    const { costs } = store.state;
    const now = JSON.stringify(costs);
    if (now === seen) return;
    seen = now;
    body.replaceChildren(...costs.map((cost) => h("tr", {}, [cost.epoch, cost.begins, cost.learns, cost.text].map((cell) => h("td", {}, String(cell))))));
  };
  return { el, update };
}

function draw(store) {
  const { state } = store;
  const presets = createPresets(store);
  const scale = createScale(store);
  const rows = state.rows.map((row) => createRow(store, row.id));
  const table = createTable(store);
  const button = (type, words, keys) =>
    h("button", { type: "button", class: "tl-button", title: `${words} (${keys})`, onclick: () => store.state[type] && store.request({ type }) }, words);
  const undo = button("undo", "Undo", "Ctrl+Z");
  const redo = button("redo", "Redo", "Ctrl+Y");
  const code = h("pre", { class: "tl-code", tabindex: "0", role: "region", "aria-label": "The same in plain PyTorch" });
  const whole = h("span", { class: "tl-whole" });
  const assumptions = h("p", { class: "tl-quiet" });
  const status = h("div", { class: "tl-message tl-status", role: "status", "aria-live": "polite" });
  const root = h(
    "section",
    { class: "tl tl-score", "aria-label": state.title, "data-lm-suppress-shortcuts": "true" },
    h("div", { class: "tl-head" }, h("h3", { class: "tl-title" }, state.title), h("span", { class: "tl-quiet" }, `${state.epochs} epochs`), h("span", { class: "tl-spacer" }), undo, redo),
    h("div", { class: "tl-bar" }, presets.el),
    h("p", { class: "tl-quiet tl-help" }, "Drag the start of a bar, or move it with the arrow keys: the part learns from that epoch on. Delete: never."),
    h("div", { class: "tl-staff", role: "group", "aria-label": "From which epoch on each part learns" }, scale.top, rows.map((row) => row.el), scale.bottom),
    h("p", { class: "tl-sum" }, whole),
    table.el,
    h("details", { class: "tl-details" }, h("summary", {}, "The same in plain PyTorch"), code),
    h("details", { class: "tl-details" }, h("summary", {}, "What the figures rest on"), assumptions),
    status,
  );
  root.style.setProperty("--tl-epochs", state.epochs);
  root.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.target.matches("input")) return;
    const key = event.key.toLowerCase();
    const type = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : null;
    if (!type) return;
    event.preventDefault();
    event.stopPropagation();
    store.request({ type });
  });

  const paint = () => {
    if (store.gone) {
      attr(status, "data-kind", "error");
      text(status, GONE);
      return;
    }
    const now = store.state;
    presets.update();
    scale.update();
    rows.forEach((row) => row.update());
    table.update();
    attr(undo, "aria-disabled", !now.undo);
    attr(redo, "aria-disabled", !now.redo);
    attr(root, "data-current", now.current || null);
    text(code, now.code);
    text(whole, `${now.status} ${now.whole}`);
    text(assumptions, now.assumptions);
    attr(status, "data-kind", now.message.kind || null);
    text(status, now.message.text);
  };
  return { root, stop: paintOnChange(store, paint) };
}

export default panelModule(createStateStore, draw);
