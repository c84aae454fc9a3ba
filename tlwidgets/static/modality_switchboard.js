// The switchboard of modalities: a group of radio buttons a modality, a bar a model. All numbers and words are Python's.

const MODE_GLYPHS = { on: "●", off: "○", noise: "≈", shuffled: "⇄", missing: "∅" };

/** One row: the modality, its choices, and what the present choice means. */
function createModality(store, place) {
  const row = () => store.state.modalities[place];
  const first = row();
  const name = uniqueId("modality");
  const group = uniqueId("mode");
  const inputs = new Map();
  const choices = store.state.modes.map((mode) => {
    const input = h("input", {
      type: "radio",
      name: group,
      value: mode.id,
      class: "tl-sr",
      onchange: () => store.request({ type: "mode", modality: first.id, mode: mode.id }),
    });
    inputs.set(mode.id, input);
    return h("label", { class: "tl-mode", title: mode.description }, input, h("span", { class: "tl-mode-glyph", "aria-hidden": "true" }, MODE_GLYPHS[mode.id]), mode.label);
  });
  const means = h("span", { class: "tl-quiet tl-means" });
  const el = h(
    "div",
    { class: "tl-modality" },
    h("div", { class: "tl-modality-name" }, h("strong", { id: name }, first.id), " ", h("span", { class: "tl-quiet" }, first.size)),
    h("div", { class: "tl-modes", role: "radiogroup", "aria-labelledby": name }, choices),
    means,
  );
  const update = () => {
    const now = row();
    inputs.get(now.mode).checked = true;
    attr(el, "data-mode", now.mode);
    text(means, now.mode_text);
  };
  return { el, update };
}

/** A model's accuracy: a bar with its interval, a hollow mark where it is with all on, a dotted line at chance. */
function createResult(store, place) {
  const entry = () => store.state.models[place];
  const first = entry();
  const fill = h("span", { class: "tl-share-fill tl-moves" });
  const whisker = h("span", { class: "tl-result-interval tl-glides" });
  const on = h("span", { class: "tl-result-on" }, s("svg", { width: 14, height: 14, viewBox: "-7 -7 14 14" }, s("path", { d: `M0 0${first.glyph}` })));
  const level = h("span", { class: "tl-share-chance" });
  const bar = h("div", { class: "tl-share", role: "img" }, fill, whisker, level, on);
  const value = h("span", { class: "tl-result-value" });
  const interval = h("span", { class: "tl-quiet" });
  const change = h("div", { class: "tl-quiet tl-result-change" });
  const title = first.name || "Accuracy";
  const el = h("div", { class: `tl-result tl-s${first.slot}` }, h("div", { class: "tl-result-name" }, title), bar, h("div", {}, value, " ", interval), change);
  const update = () => {
    const now = entry();
    const { chance } = store.state;
    fill.style.width = `${100 * now.share}%`;
    whisker.style.left = `${100 * now.low}%`;
    whisker.style.width = `${100 * (now.high - now.low)}%`;
    on.style.left = `${100 * now.on.share}%`;
    level.style.left = `${100 * chance.share}%`;
    attr(bar, "aria-label", `${title}: ${now.text} right, 95 % interval ${now.interval}; all on ${now.on.text}; ${chance.text}`);
    text(value, now.text);
    text(interval, `(${now.interval})`);
    text(change, now.change);
  };
  return { el, update };
}

/** Right answers of each class, and which class is taken for which. */
function createClasses(store) {
  const body = h("div", { class: "tl-classes" });
  const el = h("details", { class: "tl-details" }, h("summary", {}, "Each class"), h("div", { class: "tl-scroll tl-class-scroll", tabindex: "0", role: "region", "aria-label": "Each class" }, body));
  let seen = "";
  const cells = (model) => {
    const most = Math.max(1, ...model.confusion.flat());
    return model.confusion.map((row, right) => h(
      "tr",
      {},
      h("th", { scope: "row" }, model.classes[right].label),
      row.map((count, answer) => {
        const cell = h("td", { class: right === answer ? "tl-confusion tl-confusion--right" : "tl-confusion" }, count.toLocaleString("en"));
        cell.style.setProperty("--tl-share", `${Math.round((55 * count) / most)}%`);
        return cell;
      }),
    ));
  };
  const bars = (model) => h(
    "div",
    { class: "tl-class-bars" },
    model.classes.flatMap((found) => {
      const fill = h("span", { class: "tl-share-fill" });
      fill.style.width = `${100 * found.share}%`;
      return [h("span", {}, found.label), h("span", { class: "tl-share", "aria-hidden": "true" }, fill), h("span", { class: "tl-quiet" }, found.text)];
    }),
  );
  const update = () => {
    const { models } = store.state;
    el.hidden = !models[0].classes.length;
    const now = JSON.stringify(models.map((model) => [model.classes, model.confusion]));
    if (now === seen) return;
    seen = now;
    body.replaceChildren(...models.map((model) => h(
      "div",
      { class: `tl-class-model tl-s${model.slot}` },
      h("div", { class: "tl-result-name" }, model.name || "Right answers"),
      bars(model),
      model.confusion.length
        ? h("table", {}, h("caption", { class: "tl-quiet" }, "A row is what is right, a column what was answered"), h("thead", {}, h("tr", {}, h("td", {}), model.classes.map((found) => h("th", { scope: "col" }, found.label)))), h("tbody", {}, cells(model)))
        : null,
    )));
  };
  return { el, update };
}

function draw(store) {
  const { state } = store;
  const modalities = state.modalities.map((_, place) => createModality(store, place));
  const results = state.models.map((_, place) => createResult(store, place));
  const classes = createClasses(store);
  const tried = createSortedTable("Combinations tried");
  const button = (words, type, allowed, keys) => h("button", { type: "button", class: "tl-button", title: keys ? `${words} (${keys})` : words, onclick: () => allowed(store.state) && store.request({ type }) }, words);
  const undo = button("Undo", "undo", (now) => now.undo, "Ctrl+Z");
  const redo = button("Redo", "redo", (now) => now.redo, "Ctrl+Y");
  const reset = button("All on", "reset", (now) => !now.all_on);
  const chance = h("p", { class: "tl-quiet tl-key" });
  const code = h("pre", { class: "tl-code", tabindex: "0", role: "region", "aria-label": "The same in plain PyTorch" });
  const message = h("div", { class: "tl-message", role: "status", "aria-live": "polite" });
  const status = h("span", { class: "tl-quiet" });
  const root = h(
    "section",
    { class: "tl tl-switchboard", "aria-label": state.title, "data-lm-suppress-shortcuts": "true" },
    h("div", { class: "tl-head" }, h("h3", { class: "tl-title" }, state.title), status, h("span", { class: "tl-spacer" }), undo, redo, reset),
    h("div", { class: "tl-modalities" }, modalities.map((each) => each.el)),
    h("div", { class: "tl-results" }, results.map((each) => each.el)),
    chance,
    classes.el,
    tried.el,
    h("details", { class: "tl-details" }, h("summary", {}, "The same in plain PyTorch"), code),
    message,
  );
  root.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    const type = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : null;
    if (!type) return;
    event.preventDefault();
    event.stopPropagation();
    store.request({ type });
  });

  const paint = () => {
    attr(message, "data-kind", store.gone ? "error" : store.state.message.kind || null);
    text(message, store.gone ? GONE : store.state.message.text);
    if (store.gone) return;
    const now = store.state;
    text(status, `${now.status.split(",")[0]}`);
    modalities.forEach((each) => each.update());
    results.forEach((each) => each.update());
    classes.update();
    tried.update(now.tried);
    attr(undo, "aria-disabled", !now.undo);
    attr(redo, "aria-disabled", !now.redo);
    attr(reset, "aria-disabled", now.all_on);
    text(chance, `Filled: now, with its 95 % interval. Hollow: all on. Dotted: ${now.chance.text}.`);
    text(code, now.code);
  };
  return { root, stop: paintOnChange(store, paint) };
}

export default panelModule((model) => createStateStore(model), draw);
