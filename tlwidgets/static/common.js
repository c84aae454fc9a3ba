// Shared by the widgets: put before each widget's own module text, so nothing here is exported.

/** Make an element: h("button", {class: "tl-button", onclick: f}, "Text", child). Falsy children are left out. */
function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Set or remove an attribute, touching the document only where it changes. */
function attr(node, key, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(key);
  else if (node.getAttribute(key) !== String(value)) node.setAttribute(key, String(value));
}

/** Set an element's text only where it changes (a live region is announced once, a selection survives). */
function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

let tlCounter = 0;
/** An id that no other element of the page has. */
function uniqueId(stem) {
  tlCounter += 1;
  return `tl-${stem}-${Math.random().toString(36).slice(2, 8)}${tlCounter}`;
}

/**
 * Hide the static receipt beside a live view, and show it again when the view goes or its kernel stops.
 * `receipt` is the receipt's class name. Returns a function that shows the receipt.
 */
function hideReceipt(receipt) {
  if (!receipt) return () => {};
  const name = CSS.escape(receipt);
  const style = h("style", {}, `.${name}, .jp-OutputArea-child:has(> * .${name}) { display: none !important; }`);
  document.head.append(style);
  return () => style.remove();
}

/**
 * Call `stopped` once when the kernel behind `model` stops or restarts, so that a view can say so.
 * Returns a function that stops listening.
 */
function onDisconnect(model, el, stopped) {
  const check = () => {
    // The manager marks the view in the same turn of the event loop, after its listeners have run.
    queueMicrotask(() => {
      if (el.closest(".jupyter-widgets-disconnected, .jp-widgets-disconnected")) stopped();
    });
  };
  model.on("comm_live_update", check);
  return () => model.off("comm_live_update", check);
}
