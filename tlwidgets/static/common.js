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
  const check = function () {
    // anywidget calls this as a method of the view (0.11) or not; else the manager marks the view in the same turn of the
    // event loop, after its listeners have run.
    const cut = this?.model?.comm_live === false;
    queueMicrotask(() => {
      if (cut || el.closest(".jupyter-widgets-disconnected, .jp-widgets-disconnected")) stopped();
    });
  };
  model.on("comm_live_update", check);
  return () => model.off("comm_live_update", check);
}

const GONE = "The panel is no longer in memory. Run its cell again.";

/** Let a live view stand in for its receipt until it goes or its kernel stops. Returns a function that ends it. */
function standIn(model, el, root) {
  const showReceipt = hideReceipt(model.get("_receipt"));
  const stopListening = onDisconnect(model, el, () => {
    root.hidden = true;
    showReceipt();
  });
  return () => {
    stopListening();
    showReceipt();
  };
}

/** Keep arrows and letters from the notebook, which would take them for its own shortcuts and move the focus away. */
function keepKeys(root) {
  root.addEventListener("keydown", (event) => {
    const theirs = event.ctrlKey || event.metaKey || event.altKey || event.key === "Escape" || (event.shiftKey && event.key === "Enter");
    if (!theirs) event.stopPropagation();
  });
}

/**
 * The module of a panel (`PanelWidget` in Python). `createStore(model)` makes the front end's one copy of the state:
 * `.state`, `.request(message)`, `.listeners`, `.close()`; `draw(store)` makes a view: `.root` and `.stop()`.
 */
function panelModule(createStore, draw) {
  return () => {
    let store = null;
    return {
      initialize({ model }) {
        store = createStore(model);
        return () => store.close();
      },
      render({ model, el }) {
        if (!store.state) {
          el.append(h("section", { class: "tl" }, h("div", { class: "tl-message" }, GONE)));
          return () => {};
        }
        const view = draw(store);
        keepKeys(view.root);
        el.append(view.root);
        const stepBack = standIn(model, el, view.root);
        const id = uniqueId("view");
        store.view = id;
        store.request({ type: "hello", view: id });
        return () => {
          view.stop();
          stepBack();
          model.send({ type: "bye", view: id });
        };
      },
    };
  };
}

/**
 * A store whose state Python sends whole (`snapshot`), or, where `merge(state, message)` takes a `delta` in, in parts:
 * `merge` returns false where something before is missing; then a new snapshot is asked for.
 */
function createStateStore(model, merge = () => false) {
  const store = { state: null, listeners: new Set(), gone: false, view: uniqueId("view") };
  let seq = null;
  const load = (state) => {
    store.state = state;
    seq = state.seq;
  };
  const receive = (message) => {
    if (message.type === "gone") {
      store.gone = true;
    } else if (message.type === "snapshot") {
      load(message.state);
    } else if (message.type === "delta") {
      if (seq === null || message.seq <= seq) return; // the snapshot had it
      if (message.seq !== seq + 1 || !merge(store.state, message)) {
        store.request({ type: "hello", view: store.view });
        return;
      }
      seq = message.seq;
    }
    store.listeners.forEach((listener) => listener());
  };
  store.request = (request) => model.send(request);
  model.on("msg:custom", receive);
  store.close = () => model.off("msg:custom", receive);
  const initial = model.get("_state");
  if (initial && typeof initial === "object") load(initial);
  return store;
}

/** Call `paint` now and after each change of the store, once a frame; a page in the background draws nothing. Returns its end. */
function paintOnChange(store, paint) {
  let due = 0;
  const update = () => {
    due = due || requestAnimationFrame(() => {
      due = 0;
      paint();
    });
  };
  store.listeners.add(update);
  paint();
  return () => {
    cancelAnimationFrame(due);
    store.listeners.delete(update);
  };
}
