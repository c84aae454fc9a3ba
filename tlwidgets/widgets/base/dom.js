// Elements of the page.

/**
 * What `h` makes children of; falsy ones are left out.
 * @typedef {Node | string | null | undefined | false} Child
 */

/**
 * Attributes of an element. A function is a listener, its key "on" and the event's name.
 * @typedef {Record<string, string | number | boolean | null | undefined | ((event: any) => unknown)>} Props
 */

/**
 * Make an element: `h("button", { class: "tl-button", onclick: f }, "Text", child)`.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Props} [props]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/**
 * Set or remove an attribute, touching the document only where it changes.
 * @param {Element} node
 * @param {string} key
 * @param {string | number | boolean | null | undefined} value
 */
export function attr(node, key, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(key);
  else if (node.getAttribute(key) !== String(value)) node.setAttribute(key, String(value));
}

/**
 * Set an element's text only where it changes (a live region is announced once, a selection survives).
 * @param {Element} node
 * @param {string} value
 */
export function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

let counter = 0;

/**
 * An id that no other element of the page has.
 * @param {string} stem
 */
export function uniqueId(stem) {
  counter += 1;
  return `tl-${stem}-${Math.random().toString(36).slice(2, 8)}${counter}`;
}
