// Buttons of which one is pressed, some with a number beside them.

import { attr, h } from "./dom.js";

/** @import { Preset } from "./records" */

/** @typedef {Pick<Preset, "name" | "title" | "active"> & Partial<Preset>} Choice it has at most one option */

/**
 * A button for each of `items`; `update(items)` shows which is pressed, and makes others where their names
 * have changed.
 * @param {Choice[]} items
 * @param {(name: string, options: Record<string, number>) => void} choose
 */
export function createChoices(items, choose) {
  const el = h("div", { class: "tl-presets" });
  /** @type {Map<string, { button: HTMLButtonElement, key: string, input: HTMLInputElement | null }>} */
  let made = new Map();

  /** @param {Choice} item */
  const make = (item) => {
    const [key, option] = Object.entries(item.options || {})[0] || [""];
    const input = option
      ? h("input", {
          type: "number",
          class: "tl-input tl-number",
          min: option.min,
          max: option.max,
          value: option.value,
          "aria-label": option.label,
        })
      : null;
    const act = () => choose(item.name, input ? { [key]: Number.parseInt(input.value, 10) || 0 } : {});
    const button = h("button", { type: "button", class: "tl-button", onclick: act }, item.title);
    input?.addEventListener("change", act);
    el.append(input ? h("span", { class: "tl-with-number" }, button, input) : button);
    made.set(item.name, { button, key, input });
  };

  /** @param {Choice[]} now */
  const update = (now) => {
    if (now.length !== made.size || now.some((item) => !made.has(item.name))) {
      made = new Map();
      el.replaceChildren();
      now.forEach(make);
    }
    for (const { name, active, unavailable, description, options } of now) {
      const choice = made.get(name);
      if (!choice) continue;
      const { button, key, input } = choice;
      attr(button, "aria-pressed", active ? "true" : "false");
      attr(button, "title", unavailable || description || null);
      button.classList.toggle("tl-unavailable", Boolean(unavailable));
      if (input && options && document.activeElement !== input) input.value = String(options[key].value);
    }
  };
  update(items);
  return { el, update };
}
