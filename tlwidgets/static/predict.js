// A question that is answered by a person first. What a guess means is for Python to say.

function render({ model, el }) {
  const root = h("section", { class: "tl tl-predict", "aria-label": "Prediction", "data-lm-suppress-shortcuts": "true" });
  const inputId = uniqueId("guess");
  const message = h("div", { class: "tl-message", role: "status", "aria-live": "polite" });
  const body = h("div", { class: "tl-predict-body" });
  const initial = model.get("_state");
  const question = h(initial.kind === "number" ? "label" : "div", { class: "tl-question", id: `${inputId}-q` }, initial.question);
  if (initial.kind === "number") question.setAttribute("for", inputId);
  root.append(question, body, message);
  keepKeys(root); // the notebook would take Enter: the form would not be sent

  const send = (value) => model.send({ type: "guess", value });

  function ask(state) {
    if (state.kind === "choice") {
      const options = state.choices.map((choice) => {
        const input = h("input", { type: "radio", name: inputId, value: choice, onchange: () => send(choice) });
        input.checked = state.guess === choice;
        return h("label", { class: "tl-choice" }, input, choice);
      });
      return h("div", { role: "radiogroup", "aria-labelledby": `${inputId}-q`, class: "tl-choices" }, options);
    }
    const input = h("input", { id: inputId, class: "tl-input", type: "text", inputmode: "decimal", autocomplete: "off", placeholder: "your guess" });
    const form = h("form", { class: "tl-ask" }, input, h("span", { class: "tl-quiet" }, state.unit), h("button", { class: "tl-button tl-button--primary", type: "submit" }, state.guess ? "Change my guess" : "Lock in my guess"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(input.value);
    });
    return h("div", {}, form, state.guess ? h("p", { class: "tl-guess" }, "Your guess: ", h("strong", {}, state.guess)) : null);
  }

  function compare(state) {
    const side = (title, name, empty) => {
      const fill = h("span", { class: `tl-fill tl-moves tl-fill--${name}` });
      fill.style.width = `${100 * state[`${name}_bar`]}%`;
      return h(
        "div",
        { class: "tl-side" },
        h("div", { class: "tl-quiet" }, title),
        h("div", { class: "tl-value" }, state[name] || empty),
        state.kind === "number" ? h("div", { class: "tl-track", "aria-hidden": "true" }, fill) : null,
      );
    };
    return h("div", { class: "tl-sides" }, side("Your guess", "guess", "none made"), side("Measured", "answer", ""));
  }

  const update = () => {
    const state = model.get("_state");
    const typing = body.contains(document.activeElement);
    if (!(typing && state.kind === "choice" && !state.answer)) {
      body.replaceChildren(state.answer ? compare(state) : ask(state));
      if (typing) body.querySelector("input")?.focus();
    }
    attr(message, "data-kind", state.message ? "error" : state.verdict ? "info" : null);
    text(message, state.message || state.verdict);
  };
  model.on("change:_state", update);
  update();
  el.append(root);
  const stepBack = standIn(model, el, root);
  return () => {
    model.off("change:_state", update);
    stepBack();
  };
}

export default { render };
