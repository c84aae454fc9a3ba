// The training panel: buttons that ask, and curves of the numbers that Python sends.

const DIAMOND = "m0-4l4 4-4 4-4-4z";

/** Put what came in place of the end of a list; false where something before it is missing. */
function splice(list, part) {
  if (part.from > list.length) return false;
  list.splice(part.from, list.length, ...part.items);
  return true;
}

function merge(state, message) {
  if (!splice(state.points, message.points) || !splice(state.rows, message.rows)) return false;
  Object.assign(state, message.frame);
  return true;
}

/** Round numbers that span low to high. */
function niceTicks(low, high, about = 4) {
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / about));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= span / about * (1 - 1e-9));
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(Math.ceil(high / step - 1e-9), first + 1);
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

const lossTick = (value) => String(Number(value.toPrecision(3)));
const shareTick = (value) => `${Number((100 * value).toFixed(1))} %`;

/** One chart. `raw`, `smooth` and `valid` are columns of points and rows; `now` names its last values in words. */
function createChart(title, now, words, columns, ceiling) {
  const plot = createPlot(title);
  const update = (state) => {
    const points = state.points.filter((point) => point[columns.raw] !== null);
    const valid = state.rows.filter((row) => row[columns.valid] !== null).map((row) => [row[1], row[columns.valid]]);
    plot.el.hidden = !points.length && !valid.length && state.phase !== "ready" && state.step > 0;
    const values = points.flatMap((point) => [point[columns.raw], point[columns.smooth]]).concat(valid.map((row) => row[1]));
    const low = Math.min(0, ...values);
    const high = ceiling ?? Math.max(...values, low + 1e-9);
    const ticks = values.length || ceiling ? niceTicks(low, high) : niceTicks(0, 1);
    const right = Math.max(state.steps, points.length ? points[points.length - 1][0] : 0, 1);
    const end = state.steps ? `step ${state.steps.toLocaleString("en")}` : "steps";
    plot.update({
      x: { low: 0, high: right, ticks: [[0, "0", "start"], [right, end, "end"]] },
      y: { low: ticks[0], high: ticks[ticks.length - 1], ticks: ticks.map((tick) => [tick, words(tick)]) },
      series: [
        { name: "tl-raw", line: points.map((point) => [point[0], point[columns.raw]]) },
        { name: "tl-smooth", line: points.map((point) => [point[0], point[columns.smooth]]) },
        { name: "tl-valid", line: valid, marks: valid, glyph: DIAMOND },
      ],
      said: state.now[now],
      words: `${state.now[now] || "no values yet"}. The table below has the numbers.`,
    });
  };
  return { el: plot.el, update };
}

function createLegend() {
  const samples = [sampleLine("tl-smooth", "training, smoothed"), sampleLine("tl-raw", "each step"), sampleLine("tl-valid", "validation", DIAMOND)];
  return h("div", { class: "tl-legend tl-quiet" }, samples);
}

/** The same numbers as a table, one row an epoch. */
function createTable() {
  const head = ["Epoch", "Training loss", "Training accuracy", "Validation loss", "Validation accuracy"];
  const body = h("tbody");
  const scroll = h(
    "div",
    { class: "tl-scroll", tabindex: "0", role: "region", "aria-label": "Numbers of each epoch" },
    h("table", {}, h("caption", { class: "tl-quiet" }, "Means over each epoch"), h("thead", {}, h("tr", {}, head.map((title) => h("th", { scope: "col" }, title)))), body),
  );
  const el = h("details", { class: "tl-details" }, h("summary", {}, "The numbers of each epoch"), scroll);
  const update = (state) => {
    const have = body.children.length > state.rows.length ? 0 : body.children.length;
    if (!have) body.replaceChildren();
    body.append(
      ...state.rows.slice(have).map((row) => h("tr", {}, row[6].map((cell) => h("td", {}, cell)))),
    );
  };
  return { el, update };
}

function draw(store) {
  const ask = (type) => () => {
    const wanted = type === "hold" ? (store.state.actions.resume ? "resume" : "pause") : type;
    if (store.state.actions[wanted]) store.request({ type: wanted });
  };
  const start = requestButton("Start", ask("start"), true);
  const hold = requestButton("Pause", ask("hold"));
  const stop = requestButton("Stop", ask("stop"));
  const learns = h("span", { class: "tl-quiet" });
  const device = h("span", { class: "tl-quiet tl-device" });
  const progress = createProgress();
  const result = h("strong", { class: "tl-result" });
  const charts = [createChart("Loss", "loss", lossTick, { raw: 1, smooth: 2, valid: 4 }, null), createChart("Accuracy", "accuracy", shareTick, { raw: 3, smooth: 4, valid: 5 }, 1)];
  const table = createTable();
  const status = createStatus();
  const root = h(
    "section",
    { class: "tl tl-train", "aria-label": store.state.title, "data-lm-suppress-shortcuts": "true" },
    h("div", { class: "tl-head" }, h("h3", { class: "tl-title" }, store.state.title), learns, h("span", { class: "tl-spacer" }), device),
    h("div", { class: "tl-bar" }, start, hold, stop, h("span", { class: "tl-spacer" }), result),
    progress.el,
    h("div", { class: "tl-charts" }, charts.map((chart) => chart.el)),
    createLegend(),
    table.el,
    status.el,
  );

  const paint = () => {
    const state = store.state;
    status.update(store);
    if (store.gone) return;
    attr(root, "data-phase", state.phase);
    const again = ["finished", "stopped", "failed"].includes(state.phase);
    text(start, again ? "Train again" : "Start");
    text(hold, state.actions.resume ? "Resume" : "Pause");
    attr(start, "aria-disabled", !state.actions.start);
    attr(hold, "aria-disabled", !(state.actions.pause || state.actions.resume));
    attr(stop, "aria-disabled", !state.actions.stop);
    text(learns, state.learns);
    text(device, state.device.text);
    progress.update(state);
    text(result, state.result);
    charts.forEach((chart) => chart.update(state));
    table.update(state);
  };
  return { root, stop: paintOnChange(store, paint) };
}

export default panelModule((model) => createStateStore(model, merge), draw);
