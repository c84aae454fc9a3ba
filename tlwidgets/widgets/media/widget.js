// The input: files, pasted pictures, a camera, a microphone, a text. Python decides what a file contains.

import { button } from "../base/controls.js";
import { attr, h, text, uniqueId } from "../base/dom.js";
import { paintOnChange } from "../base/store.js";
import { createRoot, GONE, panelModule } from "../base/view.js";
import { createCamera, createMicrophone } from "./capture.js";
import { createMediaStore, kindOf, sendRecording, takeFile } from "./upload.js";
import { createRecent, createValue } from "./value.js";

/** @import { Device } from "./capture.js" */
/** @import { MediaAccepted } from "./state" */
/** @import { MediaStore } from "./upload.js" */

/**
 * The tabs, one for each kind, after WAI-ARIA's pattern: arrows move and choose.
 * @param {MediaAccepted[]} kinds
 * @param {string} label
 * @param {HTMLElement[]} panels
 * @param {(place: number) => void} left called with the place of the tab that was left
 */
function createTabs(kinds, label, panels, left) {
  const ids = kinds.map(({ kind }) => uniqueId(kind));
  const tabs = kinds.map(({ title }, place) => {
    const props = { role: "tab", id: `${ids[place]}-tab`, "aria-controls": ids[place] };
    return h("button", { type: "button", class: "tl-tab", ...props, onclick: () => choose(place) }, title);
  });
  panels.forEach((panel, place) => {
    panel.id = ids[place];
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", `${ids[place]}-tab`);
  });
  const props = { role: "tablist", "aria-label": label, hidden: kinds.length < 2 };
  const el = h("div", { class: "tl-tabs", ...props }, tabs);
  let now = 0;
  /** @param {number} place */
  const choose = (place) => {
    if (place !== now) left(now);
    now = place;
    tabs.forEach((tab, index) => {
      attr(tab, "aria-selected", String(index === now));
      attr(tab, "tabindex", index === now ? "0" : "-1");
      panels[index].hidden = index !== now;
    });
  };
  el.addEventListener("keydown", (event) => {
    /** @type {Record<string, number>} */
    const places = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: tabs.length - 1 };
    if (!(event.key in places)) return;
    event.preventDefault();
    choose((places[event.key] + tabs.length) % tabs.length);
    tabs[now].focus();
  });
  choose(0);
  return { el, choose, kind: () => kinds[now].kind };
}

/**
 * The tab for a file or a device.
 * @param {MediaStore} store
 * @param {MediaAccepted} accepted
 * @param {Device} device
 */
function createFilePanel(store, { kind, files }, device) {
  const { labels } = store.state;
  const hidden = { hidden: true, "aria-hidden": "true", tabindex: "-1" };
  const input = h("input", { type: "file", accept: files, ...hidden });
  const choose = button(labels.choose, () => input.click(), "primary");
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    if (file) takeFile(store, file, kind);
    input.value = ""; // the same file may be chosen again
  });
  const words = kind === "picture" ? labels.drop_picture : labels.drop_sound;
  const size = h("span", { class: "tl-quiet" }, labels.most);
  const row = h("div", { class: "tl-row" }, choose, device.button, size);
  const zone = h("div", { class: "tl-zone" }, h("span", {}, words), row, input, device.note, device.el);
  return { el: h("div", { class: "tl-panel" }, zone), stop: device.stop };
}

/** @param {MediaStore} store */
function createTextPanel(store) {
  const { labels } = store.state;
  const id = uniqueId("text");
  const area = h("textarea", { class: "tl-input tl-area", id, rows: "3", spellcheck: "false" });
  const use = () => {
    store.say("");
    store.request({ type: "text", text: area.value });
  };
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopPropagation();
    use();
  });
  const done = button(labels.use_text, use, "primary");
  done.title = labels.use_text_tip;
  const row = h("div", { class: "tl-row" }, done);
  return {
    el: h("div", { class: "tl-panel" }, h("label", { for: id }, labels.text), area, row),
    stop: () => {},
  };
}

/**
 * Files that are dropped or pasted anywhere on the view.
 * @param {HTMLElement} root
 * @param {MediaStore} store
 * @param {ReturnType<typeof createTabs>} tabs
 */
function takeDrops(root, store, tabs) {
  /** @param {File} file */
  const bring = (file) => {
    const { kinds } = store.state;
    const media = kinds.find(({ kind }) => kind !== "text")?.kind || "text";
    const kind = kindOf(file, tabs.kind() === "text" ? media : tabs.kind());
    const place = kinds.findIndex((accepted) => accepted.kind === kind);
    if (place >= 0) tabs.choose(place);
    takeFile(store, file, kind);
  };
  /**
   * What a drag carries, if it carries files. The notebook is not told, and the browser does not open the
   * file.
   * @param {DragEvent} event
   */
  const carried = (event) => {
    const carries = event.dataTransfer?.types.includes("Files") ? event.dataTransfer : null;
    if (carries) {
      event.preventDefault();
      event.stopPropagation();
    }
    return carries;
  };
  root.addEventListener("dragover", (event) => {
    const carries = carried(event);
    if (!carries) return;
    carries.dropEffect = "copy";
    root.classList.add("tl-over");
  });
  root.addEventListener("dragleave", ({ relatedTarget }) => {
    const inside = relatedTarget instanceof Node && root.contains(relatedTarget);
    if (!inside) root.classList.remove("tl-over");
  });
  root.addEventListener("drop", (event) => {
    root.classList.remove("tl-over");
    const files = carried(event)?.files;
    if (!files) return;
    if (files.length === 1) bring(files[0]);
    else store.say(`One file at a time: ${files.length} were dropped.`);
  });
  root.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files || [])].find(({ type }) => type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    event.stopPropagation();
    bring(file);
  });
}

/**
 * @param {MediaStore} store
 * @param {MediaAccepted} accepted
 */
function createPanel(store, accepted) {
  const { say } = store;
  const { labels } = store.state;
  if (accepted.kind === "text") return createTextPanel(store);
  const device =
    accepted.kind === "picture"
      ? createCamera(say, (file) => takeFile(store, file, "picture"), labels)
      : createMicrophone(
          say,
          (samples, rate) => sendRecording(store, samples, rate),
          store.state.limits.seconds,
          labels,
        );
  return createFilePanel(store, accepted, device);
}

/** @param {MediaStore} store */
function draw(store) {
  const { state } = store;
  const { labels } = state;
  const panels = state.kinds.map((accepted) => createPanel(store, accepted));
  const sheets = panels.map(({ el }) => el);
  const tabs = createTabs(state.kinds, labels.kinds, sheets, (place) => panels[place].stop());
  const value = createValue(store);
  const recent = createRecent(store);
  /** @param {"undo" | "clear"} type */
  const request = (type) => () => {
    store.say("");
    store.request({ type });
  };
  const undo = button(labels.undo, request("undo"));
  const clear = button(labels.clear, request("clear"));
  const message = h("div", { class: "tl-message", role: "status", "aria-live": "polite" });
  const title = h("h3", { class: "tl-title" }, state.title);
  const root = createRoot(
    "media",
    state.title,
    h("div", { class: "tl-head" }, title, h("span", { class: "tl-spacer" }), undo, clear),
    tabs.el,
    sheets,
    value.el,
    recent.el,
    message,
  );
  takeDrops(root, store, tabs);
  const release = () => panels.forEach((panel) => panel.stop());
  const hidden = new MutationObserver(() => root.hidden && release()); // when the kernel is gone
  hidden.observe(root, { attributeFilter: ["hidden"] });

  /** What the last line says: that something is on its way, else what went wrong, else what Python says. */
  const said = () => {
    const { kind, text: words } = store.state.message;
    if (store.gone) return { kind: "error", words: GONE };
    if (store.busy.size) return { kind: "info", words: labels.reading };
    const all = [store.said, words].filter(Boolean).join(" ");
    return { kind: store.said || kind === "error" ? "error" : all && "info", words: all };
  };
  const paint = () => {
    const { kind, words } = said();
    attr(message, "data-kind", kind || null);
    text(message, words);
    if (store.gone) return;
    const { state: now } = store;
    attr(root, "aria-busy", store.busy.size ? "true" : null);
    attr(undo, "aria-disabled", String(!now.undo));
    attr(clear, "aria-disabled", String(!now.value));
    value.update();
    recent.update();
  };
  const stopPainting = paintOnChange(store, paint);
  const stop = () => {
    hidden.disconnect();
    release();
    value.stop();
    stopPainting();
  };
  return { root, stop };
}

export default panelModule(createMediaStore, draw);
