// The training panel: buttons that ask, and curves of the numbers that Python sends.

const SVG = "http://www.w3.org/2000/svg";
const BOX = { width: 400, height: 180, left: 46, right: 8, top: 8, bottom: 22 };

/** An SVG element, as `h` makes HTML ones. */
function s(tag, props = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(props)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** The front end's one copy of the state, shared by all views of a panel. */
function createStore(model) {
  const store = { state: null, listeners: new Set(), gone: false };
  let seq = null;
  const tell = () => store.listeners.forEach((listener) => listener());
  const load = (state) => {
    store.state = state;
    seq = state.seq;
  };
  /** Put what came in place of the end of a list; false where something before it is missing. */
  const splice = (list, part) => {
    if (part.from > list.length) return false;
    list.splice(part.from, list.length, ...part.items);
    return true;
  };
  const receive = (message) => {
    if (message.type === "gone") {
      store.gone = true;
    } else if (message.type === "snapshot") {
      load(message.state);
    } else if (message.type === "delta") {
      if (seq === null || message.seq <= seq) return; // the snapshot had it
      const whole = message.seq === seq + 1 && splice(store.state.points, message.points) && splice(store.state.rows, message.rows);
      if (!whole) {
        store.request({ type: "hello", view: store.view });
        return;
      }
      seq = message.seq;
      Object.assign(store.state, message.frame);
    }
    tell();
  };
  store.view = uniqueId("view");
  store.request = (request) => model.send(request);
  model.on("msg:custom", receive);
  store.close = () => model.off("msg:custom", receive);
  const initial = model.get("_state");
  if (initial && typeof initial === "object") load(initial);
  return store;
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
  const said = h("span", { class: "tl-quiet tl-now" });
  const grid = s("g");
  const paths = {};
  for (const name of ["raw", "smooth", "valid"]) paths[name] = s("path", { class: `tl-curve tl-curve--${name}` });
  const dots = s("path", { class: "tl-dots" });
  const svg = s("svg", { class: "tl-chart", viewBox: `0 0 ${BOX.width} ${BOX.height}`, role: "img" }, grid, ...Object.values(paths), dots);
  const el = h("figure", {}, h("figcaption", {}, h("span", {}, title), said), svg);
  let scale = "";

  const update = (state) => {
    const points = state.points.filter((point) => point[columns.raw] !== null);
    const valid = state.rows.filter((row) => row[columns.valid] !== null);
    el.hidden = !points.length && !valid.length && state.phase !== "ready" && state.step > 0;
    const values = points.flatMap((point) => [point[columns.raw], point[columns.smooth]]).concat(valid.map((row) => row[columns.valid]));
    const low = Math.min(0, ...values);
    const high = ceiling ?? Math.max(...values, low + 1e-9);
    const ticks = values.length || ceiling ? niceTicks(low, high) : niceTicks(0, 1);
    const [bottom, top] = [ticks[0], ticks[ticks.length - 1]];
    const right = Math.max(state.steps, points.length ? points[points.length - 1][0] : 0, 1);
    const x = (step) => BOX.left + ((BOX.width - BOX.left - BOX.right) * step) / right;
    const y = (value) => BOX.top + ((BOX.height - BOX.top - BOX.bottom) * (top - value)) / (top - bottom);
    const line = (items, column, step) => items.map((item, index) => `${index ? "L" : "M"}${x(item[step]).toFixed(1)} ${y(item[column]).toFixed(1)}`).join("");
    paths.raw.setAttribute("d", line(points, columns.raw, 0));
    paths.smooth.setAttribute("d", line(points, columns.smooth, 0));
    paths.valid.setAttribute("d", line(valid, columns.valid, 1));
    dots.setAttribute("d", valid.map((row) => `M${x(row[1]).toFixed(1)} ${(y(row[columns.valid]) - 4).toFixed(1)}l4 4-4 4-4-4z`).join(""));
    const wanted = `${right}|${ticks}`;
    if (wanted !== scale) {
      scale = wanted;
      const lines = ticks.flatMap((tick) => {
        const label = s("text", { x: BOX.left - 5, y: y(tick) + 4, "text-anchor": "end" });
        label.textContent = words(tick);
        return [s("line", { class: "tl-grid", x1: BOX.left, x2: BOX.width - BOX.right, y1: y(tick), y2: y(tick) }), label];
      });
      const end = s("text", { x: BOX.width - BOX.right, y: BOX.height - 5, "text-anchor": "end" });
      end.textContent = state.steps ? `step ${state.steps.toLocaleString("en")}` : "steps";
      const zero = s("text", { x: BOX.left, y: BOX.height - 5 });
      zero.textContent = "0";
      grid.replaceChildren(...lines, zero, end);
    }
    text(said, state.now[now]);
    attr(svg, "aria-label", `${title}: ${said.textContent || "no values yet"}. The table below has the numbers.`);
  };
  return { el, update };
}

function createLegend() {
  const sample = (name, words) => {
    const svg = s("svg", { width: 22, height: 8, viewBox: "0 0 22 8", "aria-hidden": "true" }, s("path", { class: `tl-curve tl-curve--${name}`, d: "M0 4H22" }));
    return h("span", {}, svg, words);
  };
  return h("div", { class: "tl-legend tl-quiet" }, sample("smooth", "training, smoothed"), sample("raw", "each step"), sample("valid", "validation"));
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
  // Unavailable buttons keep the focus: a keyboard user is not thrown back to the page's start.
  const button = (type, words, primary) => h("button", { type: "button", class: primary ? "tl-button tl-button--primary" : "tl-button", onclick: ask(type) }, words);
  const start = button("start", "Start", true);
  const hold = button("hold", "Pause");
  const stop = button("stop", "Stop");
  const learns = h("span", { class: "tl-quiet" });
  const device = h("span", { class: "tl-quiet tl-device" });
  const fill = h("span", { class: "tl-fill tl-moves" });
  const track = h("div", { class: "tl-track", role: "progressbar", "aria-label": "Progress", "aria-valuemin": "0", "aria-valuemax": "100" }, fill);
  const progress = h("span", { class: "tl-quiet tl-steps" });
  const left = h("span", { class: "tl-quiet tl-left" });
  const result = h("strong", { class: "tl-result" });
  const charts = [createChart("Loss", "loss", lossTick, { raw: 1, smooth: 2, valid: 4 }, null), createChart("Accuracy", "accuracy", shareTick, { raw: 3, smooth: 4, valid: 5 }, 1)];
  const table = createTable();
  const status = h("div", { class: "tl-message tl-status", role: "status", "aria-live": "polite" });
  const root = h(
    "section",
    { class: "tl tl-train", "aria-label": store.state.title, "data-lm-suppress-shortcuts": "true" },
    h("div", { class: "tl-head" }, h("h3", { class: "tl-title" }, store.state.title), learns, h("span", { class: "tl-spacer" }), device),
    h("div", { class: "tl-bar" }, start, hold, stop, h("span", { class: "tl-spacer" }), result),
    h("div", { class: "tl-progress" }, track, h("div", { class: "tl-progress-words" }, progress, left)),
    h("div", { class: "tl-charts" }, charts.map((chart) => chart.el)),
    createLegend(),
    table.el,
    status,
  );

  const paint = () => {
    const state = store.state;
    if (store.gone) {
      attr(status, "data-kind", "error");
      text(status, "The panel is no longer in memory. Run its cell again.");
      return;
    }
    attr(root, "data-phase", state.phase);
    const again = ["finished", "stopped", "failed"].includes(state.phase);
    text(start, again ? "Train again" : "Start");
    text(hold, state.actions.resume ? "Resume" : "Pause");
    attr(start, "aria-disabled", !state.actions.start);
    attr(hold, "aria-disabled", !(state.actions.pause || state.actions.resume));
    attr(stop, "aria-disabled", !state.actions.stop);
    text(learns, state.learns);
    text(device, state.device.text);
    fill.style.width = `${100 * state.share}%`;
    attr(track, "aria-valuenow", Math.round(100 * state.share));
    attr(track, "aria-valuetext", [state.progress, state.left].filter(Boolean).join(", "));
    text(progress, state.progress);
    text(left, state.left);
    text(result, state.result);
    charts.forEach((chart) => chart.update(state));
    table.update(state);
    attr(status, "data-kind", state.message.kind || null);
    text(status, [state.status, state.message.text].filter(Boolean).join(" "));
  };
  let due = 0;
  const update = () => {
    // A page in the background draws nothing until it is seen again.
    due = due || requestAnimationFrame(() => {
      due = 0;
      paint();
    });
  };
  store.listeners.add(update);
  paint();
  return {
    root,
    stop: () => {
      cancelAnimationFrame(due);
      store.listeners.delete(update);
    },
  };
}

export default () => {
  let store = null;
  return {
    initialize({ model }) {
      store = createStore(model);
      return () => store.close();
    },
    render({ model, el }) {
      if (!store.state) {
        el.append(h("section", { class: "tl" }, h("div", { class: "tl-message" }, "The panel is no longer in memory. Run its cell again.")));
        return () => {};
      }
      const view = draw(store);
      el.append(view.root);
      const showReceipt = hideReceipt(model.get("_receipt"));
      const id = uniqueId("view");
      store.view = id;
      store.request({ type: "hello", view: id });
      const stopListening = onDisconnect(model, el, () => {
        view.root.hidden = true;
        showReceipt();
      });
      return () => {
        stopListening();
        view.stop();
        showReceipt();
        model.send({ type: "bye", view: id });
      };
    },
  };
};
