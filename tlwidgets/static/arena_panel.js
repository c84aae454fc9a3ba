// The arena panel: buttons that ask, and charts that Python has put into numbers and words.

const ARENA_BOX = { width: 400, height: 232, left: 46, right: 12, top: 10, bottom: 36 };

/** One chart of several variants (for so many examples, against this contender), and the table behind it. */
function createArenaChart(name) {
  const plot = createPlot("", ARENA_BOX);
  const table = createSortedTable("The numbers");
  const id = uniqueId("choice");
  const select = h("select", { class: "tl-input tl-choose", id });
  const label = h("label", { class: "tl-quiet", for: id });
  const choice = h("span", { class: "tl-choice-of" }, label, select);
  plot.caption.append(choice);
  const el = h("div", { class: "tl-arena-chart", "data-chart": name }, plot.el, table.el);
  let chart = null;
  let chosen = null; // what a person chose; before that, what Python proposes

  const paint = () => {
    const place = chart.choices.includes(chosen) ? chart.choices.indexOf(chosen) : chart.chosen;
    if (chart.label) select.value = chart.choices[place];
    const variant = chart.variants[place];
    const series = variant.series.map((each) => ({ ...each, name: `tl-s${each.slot}` }));
    plot.update({ ...variant, series, words: `${variant.words} The table below has the numbers.` });
    table.update(variant.table);
  };
  select.addEventListener("change", () => {
    chosen = select.value;
    paint();
  });
  const update = (now) => {
    chart = now;
    plot.rename(chart.title);
    choice.hidden = !chart.label || chart.choices.length < 2;
    text(label, chart.label);
    const have = [...select.options].map((option) => option.value).join("|");
    if (have !== chart.choices.join("|")) select.replaceChildren(...chart.choices.map((words) => h("option", { value: words }, words)));
    paint();
  };
  return { el, update };
}

function draw(store) {
  const ask = (type) => () => store.state.actions[type] && store.request({ type });
  const start = requestButton("Start", ask("start"), true);
  const stop = requestButton("Stop", ask("stop"));
  const budget = h("span", { class: "tl-quiet" });
  const progress = createProgress();
  const legend = h("div", { class: "tl-legend" });
  const whose = h("p", { class: "tl-quiet tl-whose" });
  const place = h("div", { class: "tl-charts" });
  const status = createStatus();
  const charts = new Map();
  const root = h(
    "section",
    { class: "tl tl-arena", "aria-label": `Arena: ${store.state.title}`, "data-lm-suppress-shortcuts": "true" },
    h("div", { class: "tl-head" }, h("h3", { class: "tl-title" }, store.state.title), budget),
    h("div", { class: "tl-bar" }, start, stop),
    progress.el,
    legend,
    whose,
    place,
    status.el,
  );
  let drawn = null;

  const paint = () => {
    const state = store.state;
    status.update(store);
    if (store.gone) return;
    attr(root, "data-phase", state.phase);
    text(budget, state.budget);
    text(start, ["stopped", "failed"].includes(state.phase) ? "Go on" : "Start");
    attr(start, "aria-disabled", !state.actions.start);
    attr(stop, "aria-disabled", !state.actions.stop);
    progress.update(state);
    text(whose, state.whose);
    whose.hidden = !state.whose;
    if (drawn === state.charts) return; // only how far it is has changed
    drawn = state.charts;
    legend.replaceChildren(...state.legend.map((entry) => sampleLine(`tl-s${entry.slot}`, entry.name, entry.glyph, entry.dash)));
    for (const chart of state.charts) {
      if (!charts.has(chart.name)) charts.set(chart.name, createArenaChart(chart.name));
      charts.get(chart.name).update(chart);
    }
    const order = state.charts.map((chart) => charts.get(chart.name).el);
    if (order.some((el, index) => place.children[index] !== el)) place.replaceChildren(...order);
    legend.hidden = place.hidden = !order.length;
    if (!order.length) place.replaceChildren();
  };
  return { root, stop: paintOnChange(store, paint) };
}

function merge(state, message) {
  Object.assign(state, message.frame);
  return true;
}

export default panelModule((model) => createStateStore(model, merge), draw);
