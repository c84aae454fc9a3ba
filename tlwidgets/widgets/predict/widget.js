// A question that a person answers before the measurement does. Python reads and judges a guess.

import { h, text, uniqueId } from "../base/dom.js";
import { createStateStore, paintOnChange } from "../base/store.js";
import { createMessage, createRoot, panelModule } from "../base/view.js";

/** @import { Store } from "../base/store.js" */
/** @import { PredictSide, PredictState } from "./state" */

/**
 * The choices, or a field for a number.
 * @param {Store<PredictState>} store
 * @param {string} id
 */
function createQuestion(store, id) {
  /** @param {string} value */
  const guess = (value) => store.request({ type: "guess", value });
  const { kind, choices, unit, labels } = store.state;
  if (kind === "choice") {
    const inputs = choices.map((value) =>
      h("input", { type: "radio", name: id, value, onchange: () => guess(value) }),
    );
    const choiceLabels = inputs.map((input) => h("label", { class: "tl-choice" }, input, input.value));
    const el = h(
      "div",
      { role: "radiogroup", "aria-labelledby": `${id}-q`, class: "tl-choices" },
      choiceLabels,
    );
    /** @param {PredictState} state */
    const update = (state) => {
      for (const input of inputs) input.checked = state.guess === input.value;
    };
    return { el, update };
  }
  const input = h("input", {
    id,
    class: "tl-input",
    type: "text",
    inputmode: "decimal",
    autocomplete: "off",
    placeholder: labels.placeholder,
  });
  const button = h("button", { class: "tl-button tl-button--primary", type: "submit" });
  const form = h("form", { class: "tl-ask" }, input, h("span", { class: "tl-quiet" }, unit), button);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    guess(input.value);
    input.focus();
    input.select(); // where it is refused, it is there to be corrected or typed over
  });
  const value = h("strong");
  const made = h("p", { class: "tl-guess" }, `${labels.guess}: `, value);
  let shown = "";
  /** @param {PredictState} state */
  const update = (state) => {
    text(button, state.guess ? labels.again : labels.first);
    made.hidden = !state.guess;
    text(value, state.guess);
    if (state.guess !== shown) input.value = ""; // accepted: the field is free for another guess
    shown = state.guess;
  };
  return { el: h("div", {}, form, made), update };
}

/**
 * Guess and answer side by side.
 * @param {PredictState} state
 */
function compare(state) {
  /** @param {PredictSide} side */
  const side = ({ name, title, text: value, share }) => {
    const fill = h("span", { class: `tl-fill tl-moves tl-fill--${name}` });
    fill.style.width = `${100 * share}%`;
    return h(
      "div",
      { class: "tl-side" },
      h("div", { class: "tl-quiet" }, title),
      h("div", { class: "tl-value" }, value),
      state.kind === "number" ? h("div", { class: "tl-track", "aria-hidden": "true" }, fill) : null,
    );
  };
  return h("div", { class: "tl-sides" }, state.sides.map(side));
}

/** @param {Store<PredictState>} store */
function draw(store) {
  const id = uniqueId("guess");
  const { kind, title, labels } = store.state;
  const asked = createQuestion(store, id);
  const body = h("div", { class: "tl-predict-body" });
  const message = createMessage();
  const root = createRoot(
    "predict",
    labels.panel,
    kind === "number"
      ? h("label", { class: "tl-question", id: `${id}-q`, for: id }, title)
      : h("div", { class: "tl-question", id: `${id}-q` }, title),
    body,
    message.el,
  );

  const paint = () => {
    const { state } = store;
    message.update(store);
    if (store.gone) return;
    if (state.answer) {
      body.replaceChildren(compare(state));
    } else {
      if (!asked.el.isConnected) body.replaceChildren(asked.el);
      asked.update(state);
    }
  };
  return { root, stop: paintOnChange(store, paint) };
}

export default panelModule((model) => createStateStore(model), draw);
