// What panels share that start and stop something: buttons, a bar of progress, a line that is read out.

/** A button for a request. Unavailable ones keep the focus: a keyboard user is not thrown back to the page's start. */
function requestButton(words, ask, primary) {
  return h("button", { type: "button", class: primary ? "tl-button tl-button--primary" : "tl-button", onclick: ask }, words);
}

/** A bar with words below it: `update({share, progress, left})`. */
function createProgress() {
  const fill = h("span", { class: "tl-fill tl-moves" });
  const track = h("div", { class: "tl-track", role: "progressbar", "aria-label": "Progress", "aria-valuemin": "0", "aria-valuemax": "100" }, fill);
  const progress = h("span", { class: "tl-quiet tl-steps" });
  const left = h("span", { class: "tl-quiet tl-left" });
  const el = h("div", { class: "tl-progress" }, track, h("div", { class: "tl-progress-words" }, progress, left));
  const update = (state) => {
    fill.style.width = `${100 * state.share}%`;
    attr(track, "aria-valuenow", Math.round(100 * state.share));
    attr(track, "aria-valuetext", [state.progress, state.left].filter(Boolean).join(", "));
    text(progress, state.progress);
    text(left, state.left);
  };
  return { el, update };
}

/** The panel's last line, read out when it changes. */
function createStatus() {
  const el = h("div", { class: "tl-message tl-status", role: "status", "aria-live": "polite" });
  const update = (store) => {
    const { message, status } = store.state;
    attr(el, "data-kind", store.gone ? "error" : message.kind || null);
    text(el, store.gone ? GONE : [status, message.text].filter(Boolean).join(" "));
  };
  return { el, update };
}
