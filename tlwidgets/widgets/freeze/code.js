// "Show me the code": asked for when it is opened, and again after each change while it is open.

import { codeBox } from "../base/controls.js";
import { attr, h, text } from "../base/dom.js";

/** @import { FreezeStore } from "./store.js" */

/**
 * A button, and the box that it shows and hides.
 * @param {FreezeStore} store
 */
export function createCode(store) {
  const { labels } = store.state;
  const pre = codeBox(labels.code);
  const said = h("span", { class: "tl-quiet", "aria-live": "polite" });
  const copy = h("button", { type: "button", class: "tl-button tl-copy" }, labels.copy);
  const title = h("span", { class: "tl-quiet" }, labels.code_title);
  const bar = h("div", { class: "tl-code-bar" }, title, h("span", { class: "tl-spacer" }), said, copy);
  const el = h("div", { class: "tl-code-box", hidden: true }, bar, pre);
  const button = h(
    "button",
    { type: "button", class: "tl-button", "aria-expanded": "false" },
    labels.show_code,
  );
  /** @type {number | null} */
  let asked = null; // the revision whose code was asked for

  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(pre.textContent ?? "");
      text(said, labels.copied);
    } catch {
      const range = document.createRange(); // without clipboard rights: select it, so that Ctrl+C copies
      range.selectNodeContents(pre);
      getSelection()?.removeAllRanges();
      getSelection()?.addRange(range);
      text(said, labels.selected);
    }
  });

  const update = () => {
    const { code, revision } = store.state;
    if (el.hidden) return;
    if (code && code !== pre.textContent) {
      text(pre, code);
      text(said, "");
    } else if (!code && asked !== revision) {
      asked = revision;
      store.ask({ type: "code" });
    }
  };
  button.addEventListener("click", () => {
    el.hidden = !el.hidden;
    asked = null;
    attr(button, "aria-expanded", el.hidden ? "false" : "true");
    text(button, el.hidden ? labels.show_code : labels.hide_code);
    update();
  });
  return { el, button, update };
}
