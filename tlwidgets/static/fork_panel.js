// The fork panel: curves of a run with a marker on a step, what is to change from there, and the curves of the forks.

const GLYPHS = ["m0-4l4 4-4 4-4-4z", "m-3.2-3.2h6.4v6.4h-6.4z", "m0-4.2l4 7h-8z", "m0 4.2l4-7h-8z", "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z"];
const DASHES = ["", "7 3", "2 3", "9 3 2 3", "4 2"];

/** Take in a frame, and the lines that changed; `order` says which lines there are. */
function merge(state, message) {
  Object.assign(state, message.frame);
  const byName = new Map([...state.lines, ...message.lines].map((line) => [line.name, line]));
  if (state.order.some((name) => !byName.has(name))) return false;
  state.lines = state.order.map((name) => byName.get(name));
  return true;
}

/** A chart of all lines, with the marker's line over it. */
function createChart(title, key) {
  const plot = createPlot(title);
  const marker = h("span", { class: "tl-marker", "aria-hidden": "true" });
  const over = h("div", { class: "tl-over" }, plot.el, marker);
  const update = (state) => {
    const series = state.lines.flatMap((line) => [
      { name: `tl-line tl-line-${line.place}`, line: line[key], dash: DASHES[line.place] },
      { name: `tl-valid-line tl-line-${line.place} tl-valid-${line.place}`, line: line[`valid_${key}`], marks: line[`valid_${key}`], glyph: GLYPHS[line.place], dash: DASHES[line.place] },
    ]);
    plot.el.hidden = !state.lines.some((line) => line[key].length || line[`valid_${key}`].length);
    over.hidden = plot.el.hidden;
    const said = state.rows.map((row) => `${row.title}: ${key === "loss" ? row.loss : row.accuracy} in training, ${key === "loss" ? row.valid_loss : row.valid_accuracy} in validation`);
    const end = `step ${state.steps.toLocaleString("en")}`;
    plot.update({
      x: { low: 0, high: state.steps, ticks: [[0, "0", "start"], [state.steps, end, "end"]] },
      y: state.axes[key],
      series,
      words: `${said.join("; ")}. The table below has the numbers.`,
    });
  };
  return { el: over, svg: plot.el.querySelector("svg"), marker, update };
}

/** The marker: a slider over the charts, moved by mouse on either of them and by keyboard. */
function createMarker(store, charts) {
  const handle = h("div", { class: "tl-handle", role: "slider", tabindex: "0", "aria-label": "Step to fork at", "aria-valuemin": "0" });
  const rail = h("div", { class: "tl-rail" }, handle);
  charts[0].el.append(rail);
  let local = null; // where the mouse holds it, before Python has answered
  let sent = null;
  const left = BOX.left / BOX.width;
  const width = (BOX.width - BOX.left - BOX.right) / BOX.width;
  const clamp = (step) => Math.min(store.state.most, Math.max(0, step));
  const ask = (step) => {
    if (step === sent) return;
    sent = step;
    store.request({ type: "move", step });
  };
  const place = () => {
    const { state } = store;
    const step = local ?? state.step;
    const at = `${100 * (left + (width * step) / state.steps)}%`;
    for (const chart of charts) chart.marker.style.left = at;
    handle.style.left = at;
  };
  let due = 0;
  const dragTo = (event, svg) => {
    const box = svg.getBoundingClientRect();
    const share = ((event.clientX - box.left) / box.width - left) / width;
    local = clamp(Math.round(share * store.state.steps));
    place();
    due = due || requestAnimationFrame(() => {
      due = 0;
      if (local !== null) ask(local);
    });
  };
  for (const chart of charts) {
    let held = false;
    chart.el.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      held = true;
      chart.el.setPointerCapture(event.pointerId);
      handle.focus({ preventScroll: true });
      dragTo(event, chart.svg);
    });
    chart.el.addEventListener("pointermove", (event) => held && dragTo(event, chart.svg));
    const end = () => {
      if (!held) return;
      held = false;
      if (local !== null) ask(local);
      local = null;
    };
    chart.el.addEventListener("pointerup", end);
    chart.el.addEventListener("pointercancel", end);
  }
  handle.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { step, each, most } = store.state;
    const now = sent ?? step;
    const wanted = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1, PageDown: now - each, PageUp: now + each, Home: 0, End: most }[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    ask(clamp(wanted));
  });
  const update = () => {
    const { state } = store;
    if (sent === state.step) sent = null;
    place();
    attr(handle, "aria-valuemax", state.most);
    attr(handle, "aria-valuenow", state.step);
    attr(handle, "aria-valuetext", state.place);
  };
  return { update, stop: () => cancelAnimationFrame(due) };
}

/** A row of buttons of which one is pressed. `choose(name, k)`. */
function createChoice(label, items, choose) {
  const list = h("div", { class: "tl-presets" });
  const el = h("div", { class: "tl-choice", role: "group", "aria-label": label }, h("span", { class: "tl-quiet tl-choice-label", "aria-hidden": "true" }, label), list);
  let buttons = new Map();
  const update = (now) => {
    const names = now.map((item) => item.name).join();
    if (names !== [...buttons.keys()].join() || !buttons.size) {
      buttons = new Map();
      list.replaceChildren();
      for (const item of now) {
        const k = item.options && item.options.k;
        const input = k ? h("input", { type: "number", class: "tl-input tl-number", min: k.min, max: k.max, value: k.value, "aria-label": "k, the number of last layers that learn" }) : null;
        const act = () => choose(item.name, input ? Number.parseInt(input.value, 10) || 0 : undefined);
        const button = h("button", { type: "button", class: "tl-button", onclick: act }, item.title);
        if (input) input.addEventListener("change", act);
        list.append(input ? h("span", { class: "tl-with-number" }, button, input) : button);
        buttons.set(item.name, { button, input });
      }
    }
    for (const item of now) {
      const { button, input } = buttons.get(item.name);
      attr(button, "aria-pressed", item.active ? "true" : "false");
      attr(button, "title", item.unavailable || item.description || null);
      button.classList.toggle("tl-unavailable", Boolean(item.unavailable));
      if (input && document.activeElement !== input) input.value = item.options.k.value;
    }
  };
  update(items);
  return { el, update };
}

/** What came of each line, with a way to take a fork away. */
function createResults(store) {
  const head = ["", "Forked after", "Changed there", "Training loss", "Validation loss", "Validation accuracy", "Test accuracy", ""];
  const body = h("tbody");
  const cells = head.map((words) => h(words ? "th" : "td", words ? { scope: "col" } : {}, words));
  const table = h("table", {}, h("caption", { class: "tl-sr" }, "The run and its forks"), h("thead", {}, h("tr", {}, cells)), body);
  const el = h("div", { class: "tl-scroll tl-results", tabindex: "0", role: "region", "aria-label": "The run and its forks" }, table);
  let seen = "";
  const update = () => {
    const { rows, actions } = store.state;
    const now = JSON.stringify([rows, actions.remove]);
    if (now === seen) return;
    seen = now;
    body.replaceChildren(
      ...rows.map((row) => {
        const remove = row.name
          ? h("button", { type: "button", class: "tl-button tl-small", "aria-label": `Remove fork ${row.name}`, "aria-disabled": actions.remove ? null : "true", onclick: () => store.state.actions.remove && store.request({ type: "remove", name: row.name }) }, "Remove")
          : "";
        const title = sampleLine(`tl-line tl-line-${row.place}`, row.title, GLYPHS[row.place], DASHES[row.place]);
        title.classList.add("tl-legend-item");
        return h("tr", {}, h("th", { scope: "row" }, title), [row.since, row.change, row.loss, row.valid_loss, row.valid_accuracy, row.test].map((cell) => h("td", {}, cell)), h("td", {}, remove));
      }),
    );
  };
  return { el, update };
}

/** The same numbers as a table, one row an epoch, a column a line. */
function createTable(store) {
  const head = h("tr");
  const body = h("tbody");
  const table = h("table", {}, h("caption", { class: "tl-quiet" }, "Validation loss and accuracy after each epoch"), h("thead", {}, head), body);
  const el = h("details", { class: "tl-details" }, h("summary", {}, "The numbers of each epoch"), h("div", { class: "tl-scroll", tabindex: "0", role: "region", "aria-label": "Numbers of each epoch" }, table));
  const update = () => {
    const { lines } = store.state;
    head.replaceChildren(h("th", { scope: "col" }, "Epoch"), ...lines.flatMap((line) => [h("th", { scope: "col" }, `${line.title}: loss`), h("th", { scope: "col" }, "right")]));
    const most = Math.max(0, ...lines.map((line) => line.epochs.length));
    body.replaceChildren(
      ...Array.from({ length: most }, (_, index) =>
        h("tr", {}, h("td", {}, String(index + 1)), lines.flatMap((line) => {
          const [, loss, right, validLoss, validRight] = line.epochs[index] || [];
          return [h("td", {}, validLoss === "–" ? loss : validLoss ?? ""), h("td", {}, validRight === "–" ? right : validRight ?? "")];
        })),
      ),
    );
  };
  return { el, update };
}

function draw(store) {
  const { state } = store;
  const charts = [createChart("Loss", "loss"), createChart("Accuracy", "accuracy")];
  const marker = createMarker(store, charts);
  const ask = (type) => () => store.state.actions[type] && store.request({ type });
  const fork = requestButton("Fork here", ask("fork"), true);
  const stop = requestButton("Stop", ask("stop"));
  const restore = requestButton("Bring back", ask("restore"));
  const place = h("strong", {});
  const how = h("span", { class: "tl-quiet" });
  const base = createChoice("Fork", state.bases, (name) => store.request({ type: "base", name }));
  const plans = createChoice("From there on", state.plans, (name, k) => store.request(k === undefined ? { type: "plan", name } : { type: "plan", name, k }));
  const rates = createChoice("Learning rate", state.rates, (name) => store.request({ type: "rate", name }));
  const progress = createProgress();
  const results = createResults(store);
  const table = createTable(store);
  const code = h("pre", { class: "tl-code", tabindex: "0", role: "region", "aria-label": "The same in code" });
  const status = createStatus();
  const key = h("div", { class: "tl-legend tl-quiet tl-key" }, h("span", {}, "thick: training, smoothed"), h("span", {}, "thin with marks: validation"));
  const root = h(
    "section",
    { class: "tl tl-fork", "aria-label": state.title, "data-lm-suppress-shortcuts": "true" },
    h("div", { class: "tl-head" }, h("h3", { class: "tl-title" }, state.title)),
    h("div", { class: "tl-charts" }, charts.map((chart) => chart.el)),
    key,
    h("div", { class: "tl-where" }, h("span", {}, "Fork ", place), how),
    base.el,
    plans.el,
    rates.el,
    h("div", { class: "tl-bar" }, fork, stop, restore),
    progress.el,
    results.el,
    table.el,
    h("details", { class: "tl-details" }, h("summary", {}, "The same in code"), code),
    status.el,
  );

  let drawn = null;
  const paint = () => {
    const now = store.state;
    status.update(store);
    if (store.gone) return;
    attr(root, "data-running", now.running ? "true" : null);
    attr(root, "data-forks", now.rows.filter((row) => row.name && row.status !== "running").length);
    if (drawn !== now.lines) {
      drawn = now.lines;
      charts.forEach((chart) => chart.update(now));
      table.update();
    }
    marker.update();
    text(place, now.place);
    text(how, now.how);
    base.el.hidden = now.bases.length < 2;
    base.update(now.bases);
    plans.update(now.plans);
    rates.update(now.rates);
    attr(fork, "aria-disabled", !now.actions.fork);
    attr(stop, "aria-disabled", !now.actions.stop);
    stop.hidden = !now.running;
    restore.hidden = !now.actions.restore;
    progress.el.hidden = !now.running;
    progress.update(now);
    results.update();
    text(code, now.code);
  };
  const end = paintOnChange(store, paint);
  return {
    root,
    stop: () => {
      marker.stop();
      end();
    },
  };
}

export default panelModule((model) => createStateStore(model, merge), draw);
