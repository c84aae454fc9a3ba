// The freezing panel: a WAI-ARIA tree of layer groups, presets, and the figures that Python sends.
// Nothing is computed here: a click is a request, and what comes back is drawn.

const ICONS = {
  frozen:
    '<path d="M4.5 7V5.2a3.5 3.5 0 0 1 7 0V7" fill="none" stroke="currentColor" stroke-width="1.6"/>' +
    '<rect x="3" y="7" width="10" height="7" rx="1.6" fill="currentColor"/>',
  trained:
    '<path d="M4.5 7V4.6a3.5 3.5 0 0 1 6.7-1.4" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round"/>' +
    '<rect x="3.8" y="7.8" width="8.4" height="5.4" rx="1.2" fill="none" stroke="currentColor" stroke-width="1.6"/>',
  partial:
    '<path d="M4.5 7V5.2a3.5 3.5 0 0 1 7 0V7" fill="none" stroke="currentColor" stroke-width="1.6"/>' +
    '<rect x="3.8" y="7.8" width="8.4" height="5.4" rx="1.2" fill="none" stroke="currentColor" stroke-width="1.6"/>' +
    '<path d="M3.8 9v3a1.2 1.2 0 0 0 1.2 1.2h3V7.8H5A1.2 1.2 0 0 0 3.8 9z" fill="currentColor"/>',
  fixed: '<path d="M3 8h10" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"/>',
  undo: '<path d="M6.2 3 3 6.2l3.2 3.2M3.4 6.2h5.8a3.6 3.6 0 0 1 0 7.2H6.5" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"/>',
  redo: '<path d="M9.8 3 13 6.2 9.8 9.4M12.6 6.2H6.8a3.6 3.6 0 0 0 0 7.2h2.7" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"/>',
  open: '<path d="m6 4 4 4-4 4" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"/>',
};

function icon(name) {
  const span = h("span", { class: "tl-icon", "aria-hidden": "true" });
  span.innerHTML = `<svg viewBox="0 0 16 16" width="14" height="14">${ICONS[name]}</svg>`;
  return span;
}

const CHECKED = { frozen: "false", trained: "true", partial: "mixed", fixed: "false" };

/** The front end's one copy of the state, shared by all views of a panel, and its line of requests. */
function createStore(model) {
  const store = { state: null, rows: new Map(), children: new Map(), top: [], listeners: new Set(), code: null };
  const queue = [];
  let inFlight = null;
  let seq = 0;
  let slow = null;

  function take(rows) {
    return rows.map((row) => {
      const { children, ...fields } = row;
      store.rows.set(row.id, fields);
      if (children && children.length) store.children.set(row.id, take(children));
      return row.id;
    });
  }

  function load(state) {
    store.rows.clear();
    store.children.clear();
    const { rows, code, ...frame } = state;
    store.top = take(rows);
    store.state = frame;
    store.title = state.title;
    store.code = null;
  }

  const tell = (what) => store.listeners.forEach((listener) => listener(what));

  function next() {
    if (inFlight !== null || !queue.length) return;
    const request = queue.shift();
    seq += 1;
    inFlight = seq;
    model.send({ ...request, seq, revision: store.state.revision });
    slow = setTimeout(() => tell({ waiting: true }), 1500);
  }

  /** Requests go one at a time, each with the revision that the answer before it brought. */
  store.request = (request) => {
    queue.push(request);
    next();
  };

  const receive = (message) => {
    if (message.type === "snapshot") {
      load(message.state);
      tell({ rebuilt: true });
    } else if (message.type === "delta") {
      const changed = [];
      for (const row of message.rows) {
        if (!store.rows.has(row.id)) continue;
        Object.assign(store.rows.get(row.id), row);
        changed.push(row.id);
      }
      Object.assign(store.state, message.frame);
      tell({ changed });
    } else if (message.type === "children") {
      store.children.set(message.id, take(message.rows));
      tell({ opened: message.id });
    } else if (message.type === "code") {
      store.code = message.text;
      tell({ code: true });
    } else if (message.type === "gone") {
      tell({ gone: true });
    }
    if (message.seq !== undefined && message.seq === inFlight) {
      clearTimeout(slow);
      inFlight = null;
      tell({ waiting: false });
      next();
    }
  };
  model.on("msg:custom", receive);
  store.close = () => {
    clearTimeout(slow);
    model.off("msg:custom", receive);
  };
  const initial = model.get("_state");
  if (initial && typeof initial === "object") load(initial);
  return store;
}

/** Buttons for the usual plans; "last" has a stepper for k. */
function createPresets(store) {
  const bar = h("div", { class: "tl-presets", role: "group", "aria-label": "Presets" });
  const buttons = new Map();
  for (const preset of store.state.presets) {
    const k = preset.options.k;
    const input = k
      ? h("input", { type: "number", class: "tl-input tl-number", min: k.min, max: k.max, value: k.value, "aria-label": "k, the number of last layers that learn" })
      : null;
    const choose = () => {
      const options = input ? { k: Number.parseInt(input.value, 10) || 0 } : {};
      store.request({ type: "preset", name: preset.name, options });
    };
    const button = h("button", { type: "button", class: "tl-button", title: preset.unavailable || preset.description, onclick: choose }, preset.title);
    if (input) {
      input.addEventListener("change", choose);
      bar.append(h("span", { class: "tl-with-number" }, button, input));
    } else {
      bar.append(button);
    }
    buttons.set(preset.name, { button, input });
  }
  const update = () => {
    for (const preset of store.state.presets) {
      const { button, input } = buttons.get(preset.name);
      attr(button, "aria-pressed", preset.active ? "true" : "false");
      button.classList.toggle("tl-unavailable", Boolean(preset.unavailable));
      if (input && document.activeElement !== input) input.value = preset.options.k.value;
    }
  };
  return { el: bar, update };
}

/** The strip of figures, and the details below it. */
function createSummary() {
  const figure = (title) => {
    const value = h("div", { class: "tl-figure-value" });
    const track = h("div", { class: "tl-track", "aria-hidden": "true" });
    const note = h("div", { class: "tl-quiet tl-figure-note" });
    return { el: h("div", { class: "tl-figure" }, h("div", { class: "tl-figure-title" }, title), value, track, note), value, track, note };
  };
  const learns = figure("Parameters that learn");
  const memory = figure("Memory to train");
  const work = figure("Backward work");
  const part = (figure, name) => {
    const fill = h("span", { class: `tl-fill tl-moves tl-fill--${name}` });
    figure.track.append(fill);
    return fill;
  };
  const learnFill = part(learns, "trained");
  const workFill = part(work, "work");
  const memoryFills = new Map();
  const legend = h("div", { class: "tl-legend" });
  const assumptions = h("p", { class: "tl-quiet" });
  const details = h(
    "details",
    { class: "tl-details" },
    h("summary", {}, "What these figures are made of"),
    legend,
    assumptions,
  );
  const el = h("div", {}, h("div", { class: "tl-summary" }, learns.el, memory.el, work.el), details);

  const percent = (share) => `${Math.min(100, Math.max(share > 0 ? 0.8 : 0, 100 * share))}%`;
  const update = (summary) => {
    learns.value.replaceChildren(h("strong", {}, summary.trainable_text), ` of ${summary.total_text}`);
    attr(learns.el, "title", summary.trainable_exact);
    text(learns.note, summary.trainable_percent);
    learnFill.style.width = percent(summary.trainable_share);
    memory.value.replaceChildren(h("strong", {}, summary.memory_text), ` of ${summary.memory_full_text}`);
    attr(memory.el, "title", summary.memory.map((item) => `${item.title}: ${item.text}`).join("\n"));
    text(memory.note, summary.activations_known ? "of full fine-tuning's" : "of full fine-tuning's, activations apart");
    legend.replaceChildren();
    for (const item of summary.memory) {
      if (!memoryFills.has(item.name)) memoryFills.set(item.name, part(memory, item.name));
      memoryFills.get(item.name).style.width = percent(item.share);
      legend.append(
        h("span", { class: "tl-legend-item" }, h("span", { class: `tl-swatch tl-fill--${item.name}`, "aria-hidden": "true" }), `${item.title} ${item.text}`),
      );
    }
    if (!summary.activations_known) legend.append(h("span", { class: "tl-quiet" }, "Activations: not estimated for this model"));
    legend.append(h("span", { class: "tl-legend-item" }, `Forward work that changes as it learns: ${summary.forward_percent}`));
    work.value.replaceChildren(h("strong", {}, summary.backward_percent));
    text(work.note, "of full fine-tuning's");
    workFill.style.width = percent(summary.backward_share);
    text(assumptions, summary.assumptions);
    attr(work.el, "title", summary.assumptions);
  };
  return { el, update };
}

/** The tree: rows in a flat list, levels told by ARIA, one of them in the tab order. */
function createTree(store) {
  const tree = h("div", { class: "tl-tree", role: "tree", "aria-label": `Layers of ${store.title}` });
  const nodes = new Map();
  const expanded = new Set(store.children.keys());
  let order = [];
  let current = null;

  function createRow(id) {
    const row = store.rows.get(id);
    const parts = {
      twisty: h("span", { class: "tl-twisty", "aria-hidden": "true" }),
      lock: h("span", { class: "tl-lock", "aria-hidden": "true", title: "Freeze or thaw (Space)" }),
      label: h("span", { class: "tl-label" }, row.label),
      type: h("span", { class: "tl-type tl-quiet" }, row.type),
      note: h("span", { class: "tl-note tl-quiet" }),
      fill: h("span", { class: "tl-fill tl-moves" }),
      learns: h("span", { class: "tl-learns tl-quiet" }),
      count: h("span", { class: "tl-count" }, row.count),
    };
    if (row.expandable) parts.twisty.append(icon("open"));
    const el = h(
      "div",
      { class: "tl-row", role: "treeitem", id: uniqueId("row"), tabindex: "-1", "aria-selected": "false" },
      parts.twisty,
      parts.lock,
      h("span", { class: "tl-name" }, parts.label, parts.type, parts.note),
      parts.learns,
      h("span", { class: "tl-size", "aria-hidden": "true" }, parts.fill),
      parts.count,
    );
    el.addEventListener("mousedown", (event) => event.preventDefault()); // no text selection, focus goes to the row
    el.addEventListener("click", (event) => {
      focus(id);
      if (event.target.closest(".tl-twisty") && row.expandable) setExpanded(id, !expanded.has(id));
      else if (event.target.closest(".tl-lock")) toggle(id);
    });
    el.addEventListener("dblclick", () => row.expandable && setExpanded(id, !expanded.has(id)));
    nodes.set(id, { el, parts, shown: null });
    return el;
  }

  function paint(id, level, place, size) {
    const row = store.rows.get(id);
    const { el, parts } = nodes.get(id);
    if (level !== undefined) {
      attr(el, "aria-level", level);
      attr(el, "aria-posinset", place);
      attr(el, "aria-setsize", size);
      el.style.setProperty("--tl-level", level - 1);
    }
    if (row.expandable) attr(el, "aria-expanded", expanded.has(id) ? "true" : "false");
    attr(el, "data-state", row.state);
    attr(el, "aria-checked", CHECKED[row.state]);
    attr(el, "aria-disabled", row.fixed ? "true" : null);
    attr(el, "aria-label", row.note || row.fixed ? `${row.spoken}. ${row.fixed || row.note}` : row.spoken);
    if (nodes.get(id).shown !== row.state) {
      parts.lock.replaceChildren(icon(row.state), row.state_text);
      nodes.get(id).shown = row.state;
    }
    attr(el, "title", row.fixed || row.note || `${row.numel.toLocaleString("en")} parameters`);
    text(parts.note, row.fixed ? "cannot be trained" : row.note ? "tied" : "");
    text(parts.learns, row.learns);
    text(parts.count, row.count);
    parts.fill.style.width = `${row.numel ? Math.max(1, 100 * row.bar) : 0}%`;
  }

  function layOut() {
    order = [];
    const walk = (ids, level) =>
      ids.forEach((id, place) => {
        if (!nodes.has(id)) createRow(id);
        paint(id, level, place + 1, ids.length);
        order.push(id);
        if (expanded.has(id) && store.children.has(id)) walk(store.children.get(id), level + 1);
      });
    walk(store.top, 1);
    const keep = tree.contains(document.activeElement) ? document.activeElement : null;
    tree.replaceChildren(...order.map((id) => nodes.get(id).el));
    if (!order.includes(current)) current = order[0];
    rove();
    if (keep) nodes.get(current).el.focus({ preventScroll: true });
  }

  function rove() {
    for (const id of order) {
      const { el } = nodes.get(id);
      attr(el, "tabindex", id === current ? "0" : "-1");
      attr(el, "aria-selected", id === current ? "true" : "false");
    }
  }

  function focus(id) {
    current = id;
    rove();
    nodes.get(id).el.focus({ preventScroll: true });
    nodes.get(id).el.scrollIntoView({ block: "nearest" });
  }

  function toggle(id) {
    store.request({ type: "toggle", id });
  }

  function setExpanded(id, open) {
    if (open === expanded.has(id)) return;
    if (open) {
      expanded.add(id);
      if (!store.children.has(id)) {
        store.request({ type: "expand", id });
        return; // drawn when the rows arrive
      }
    } else {
      expanded.delete(id);
    }
    layOut();
  }

  function parentOf(id) {
    const level = Number(nodes.get(id).el.getAttribute("aria-level"));
    for (let place = order.indexOf(id) - 1; place >= 0; place -= 1) {
      if (Number(nodes.get(order[place]).el.getAttribute("aria-level")) < level) return order[place];
    }
    return null;
  }

  let typed = "";
  let typedAt = 0;
  function typeAhead(key) {
    typed = performance.now() - typedAt > 700 ? key : typed + key;
    typedAt = performance.now();
    const start = order.indexOf(current) + (typed.length === 1 ? 1 : 0);
    const found = [...order.slice(start), ...order.slice(0, start)].find((id) =>
      store.rows.get(id).label.toLowerCase().startsWith(typed.toLowerCase()),
    );
    if (found !== undefined) focus(found);
  }

  tree.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const place = order.indexOf(current);
    const row = store.rows.get(current);
    const moves = {
      ArrowDown: () => place < order.length - 1 && focus(order[place + 1]),
      ArrowUp: () => place > 0 && focus(order[place - 1]),
      Home: () => focus(order[0]),
      End: () => focus(order[order.length - 1]),
      Enter: () => toggle(current),
      " ": () => toggle(current),
      ArrowRight: () => {
        if (!row.expandable) return;
        if (!expanded.has(current)) setExpanded(current, true);
        else if (store.children.has(current)) focus(store.children.get(current)[0]);
      },
      ArrowLeft: () => {
        if (row.expandable && expanded.has(current)) setExpanded(current, false);
        else if (parentOf(current) !== null) focus(parentOf(current));
      },
    };
    if (moves[event.key]) moves[event.key]();
    else if (event.key.length === 1 && event.key.trim()) typeAhead(event.key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  const update = (what) => {
    if (what.rebuilt) {
      nodes.clear();
      expanded.clear();
      for (const id of store.children.keys()) expanded.add(id);
      layOut();
    } else if (what.opened !== undefined) {
      layOut();
    } else if (what.changed) {
      for (const id of what.changed) if (nodes.has(id)) paint(id);
    }
  };
  layOut();
  return { el: tree, update };
}

/** "Show me the code": asked for when opened, and again after each change while it is open. */
function createCode(store) {
  const pre = h("pre", { class: "tl-code", tabindex: "0", role: "region", "aria-label": "PyTorch code" });
  const said = h("span", { class: "tl-quiet", "aria-live": "polite" });
  const copy = h("button", { type: "button", class: "tl-button tl-copy" }, "Copy");
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(store.code || "");
      text(said, "Copied");
    } catch {
      const range = document.createRange(); // without clipboard rights: select it, so that Ctrl+C copies
      range.selectNodeContents(pre);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      text(said, "Selected: press Ctrl+C to copy");
    }
  });
  const el = h("div", { class: "tl-code-box", hidden: true }, h("div", { class: "tl-code-bar" }, h("span", { class: "tl-quiet" }, "The same in plain PyTorch"), h("span", { class: "tl-spacer" }), said, copy), pre);
  const button = h("button", { type: "button", class: "tl-button", "aria-expanded": "false" }, "Show me the code");
  button.addEventListener("click", () => {
    el.hidden = !el.hidden;
    attr(button, "aria-expanded", el.hidden ? "false" : "true");
    text(button, el.hidden ? "Show me the code" : "Hide the code");
    if (!el.hidden) store.request({ type: "code" });
  });
  let revision = null;
  const update = (what) => {
    if (what.code) {
      text(pre, store.code);
      text(said, "");
      revision = store.state.revision;
    } else if (!el.hidden && revision !== null && store.state.revision !== revision) {
      revision = store.state.revision;
      store.request({ type: "code" });
    }
  };
  return { el, button, update };
}

function draw(store) {
  const root = h("section", { class: "tl tl-freeze", "aria-label": `Freezing panel of ${store.title}`, "data-lm-suppress-shortcuts": "true" });
  const plan = h("span", { class: "tl-plan" });
  const device = h("span", { class: "tl-quiet tl-device" });
  const undo = h("button", { type: "button", class: "tl-button tl-button--icon", "aria-label": "Undo", title: "Undo (Ctrl+Z)", onclick: () => store.request({ type: "undo" }) }, icon("undo"));
  const redo = h("button", { type: "button", class: "tl-button tl-button--icon", "aria-label": "Redo", title: "Redo (Ctrl+Shift+Z)", onclick: () => store.request({ type: "redo" }) }, icon("redo"));
  const presets = createPresets(store);
  const summary = createSummary();
  const tree = createTree(store);
  const code = createCode(store);
  const notes = h("ul", { class: "tl-notes tl-quiet" });
  const message = h("div", { class: "tl-message", role: "status", "aria-live": "polite" });
  root.append(
    h("div", { class: "tl-head" }, h("h3", { class: "tl-title" }, store.title), plan, h("span", { class: "tl-spacer" }), device, undo, redo),
    h("div", { class: "tl-bar" }, presets.el, h("span", { class: "tl-spacer" }), code.button),
    summary.el,
    tree.el,
    notes,
    code.el,
    message,
  );

  const update = (what) => {
    if (what.waiting !== undefined) {
      root.classList.toggle("tl-waiting", what.waiting);
      if (what.waiting) {
        attr(message, "data-kind", "info");
        text(message, "Waiting for the kernel: it is running a cell. The click is carried out when it answers.");
      } else {
        speak();
      }
      return;
    }
    if (what.gone) {
      attr(message, "data-kind", "error");
      text(message, GONE);
      return;
    }
    tree.update(what);
    code.update(what);
    if (what.opened !== undefined || what.code) return;
    const state = store.state;
    text(plan, state.plan);
    attr(plan, "data-custom", state.presets.some((preset) => preset.active) ? null : "true");
    text(device, state.device.text);
    undo.disabled = !state.undo;
    redo.disabled = !state.redo;
    presets.update();
    summary.update(state.summary);
    notes.hidden = !state.notes.length;
    notes.replaceChildren(...state.notes.slice(0, 3).map((note) => h("li", {}, note)));
    root.classList.toggle("tl-pending", state.pending);
    speak();
  };
  const speak = () => {
    const { kind, text: words } = store.state.message;
    attr(message, "data-kind", kind || null);
    text(message, store.state.pending ? `${words} It takes effect at the next training step.` : words);
  };

  root.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.target.matches("input")) return;
    const key = event.key.toLowerCase();
    const wanted = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : null;
    if (!wanted) return;
    store.request({ type: wanted });
    event.preventDefault();
    event.stopPropagation();
  });

  store.listeners.add(update);
  update({ rebuilt: true });
  return { root, stop: () => store.listeners.delete(update) };
}

export default panelModule(createStore, draw);
