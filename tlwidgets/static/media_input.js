// The input: files, pasted pictures, a camera, a microphone, a text. What is in a file is for Python to say.

const PIECE = 1 << 20; // bytes that are sent at once
const AS_IT_IS = 4_000_000; // bytes up to which a picture is sent untouched
const OF_A_TEXT = 40_000; // bytes: with so many it is too long, whatever follows

function createStore(model) {
  const store = createStateStore(model);
  store.busy = new Set(); // files that were sent and not answered yet
  store.said = ""; // a sentence of this browser's own
  store.onSound = () => {};
  store.tell = () => store.listeners.forEach((listener) => listener());
  store.say = (words) => {
    store.said = words;
    store.tell();
  };
  store.piece = (message, bytes) => model.send(message, undefined, [bytes]);
  const receive = (message, buffers) => {
    if (message.type === "done" && store.busy.delete(message.id)) store.tell();
    if (message.type === "sound") store.onSound(buffers[0]);
  };
  model.on("msg:custom", receive);
  const close = store.close;
  store.close = () => {
    model.off("msg:custom", receive);
    close();
  };
  return store;
}

/** Send what `blob` holds in pieces. `about` goes first: where Python refuses it, the pieces are let go. */
async function sendPieces(store, about, blob) {
  const id = uniqueId("file");
  store.busy.add(id);
  store.say("");
  store.request({ ...about, type: "begin", id, size: blob.size });
  try {
    for (let at = 0; at < blob.size; at += PIECE) store.piece({ type: "chunk", id, at }, await blob.slice(at, at + PIECE).arrayBuffer());
  } catch (error) {
    store.busy.delete(id);
    throw error;
  }
  store.request({ type: "end", id });
}

/** The samples of a sound that the browser can decode, one channel after the other, no longer than is taken. */
async function sendDecoded(store, file, seconds) {
  const { sound, length, more } = await decodedStart(file, seconds);
  if (!sound) return sendPieces(store, { kind: "sound", name: file.name, form: "undecoded" }, file.slice(0, 512));
  const samples = Math.min(sound.length, Math.ceil(seconds * sound.sampleRate));
  const channels = Array.from({ length: sound.numberOfChannels }, (_, place) => sound.getChannelData(place).subarray(0, samples));
  const about = { kind: "sound", name: file.name, form: "samples", decoded: true, rate: sound.sampleRate, channels: channels.length, seconds: length, more };
  return sendPieces(store, about, new Blob(channels));
}

/** Bring a file. Too large a one is told by its size alone: nothing of it is read. */
async function takeFile(store, file, kind) {
  const { limits } = store.state;
  const about = { kind, name: file.name, form: "file" };
  const known = store.state.kinds.some((accepted) => accepted.kind === kind);
  if (!known || file.size > limits.bytes || file.size === 0) {
    store.say("");
    store.request({ ...about, type: "begin", id: uniqueId("file"), size: file.size });
    return;
  }
  try {
    const smaller = kind === "picture" && file.size > AS_IT_IS && file.type !== "image/gif" ? await shrunk(file, limits.side) : null;
    if (kind === "text") await sendPieces(store, about, file.slice(0, OF_A_TEXT));
    else if (smaller) await sendPieces(store, { ...about, shrunk: smaller.was }, smaller.blob);
    else if (kind === "sound" && !(await isWav(file))) await sendDecoded(store, file, limits.seconds);
    else await sendPieces(store, about, file);
  } catch (error) {
    const folder = error.name === "NotReadableError" || error.name === "NotFoundError" ? " A folder can't be taken; choose the file again." : "";
    store.say(`${file.name} could not be read (${error.message}).${folder}`);
  }
}

/** What a file is by its type or, where the browser knows none, by the place where it was dropped. */
function kindOf(file, place) {
  if (file.type.startsWith("image/")) return "picture";
  if (file.type.startsWith("audio/") || file.type.startsWith("video/")) return "sound";
  if (file.type.startsWith("text/")) return "text";
  return place;
}

/** The tabs, one a kind, after WAI-ARIA's pattern: arrows move and choose. */
function createTabs(kinds, panels, left) {
  const ids = kinds.map(({ kind }) => uniqueId(kind));
  const tabs = kinds.map(({ title }, place) => h("button", { type: "button", class: "tl-tab", role: "tab", id: `${ids[place]}-tab`, "aria-controls": ids[place], onclick: () => choose(place) }, title));
  panels.forEach((panel, place) => {
    panel.id = ids[place];
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", `${ids[place]}-tab`);
  });
  const el = h("div", { class: "tl-tabs", role: "tablist", "aria-label": "What to bring", hidden: kinds.length < 2 }, tabs);
  let now = 0;
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
    const steps = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: tabs.length - 1 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    choose((steps[event.key] + tabs.length) % tabs.length);
    tabs[now].focus();
  });
  choose(0);
  return { el, choose, get kind() { return kinds[now].kind; } };
}

/** What is brought as a file, or by a device. */
function createFilePanel(store, { kind, files }, device) {
  const input = h("input", { type: "file", accept: files, hidden: true, "aria-hidden": "true", tabindex: "-1" });
  const button = h("button", { type: "button", class: "tl-button tl-button--primary", onclick: () => input.click() }, "Choose a file");
  input.addEventListener("change", () => {
    if (input.files[0]) takeFile(store, input.files[0], kind);
    input.value = ""; // the same file may be chosen again
  });
  const words = kind === "picture" ? "Drop a picture here, paste one (Ctrl+V), or:" : "Drop a sound here, or:";
  const size = h("span", { class: "tl-quiet" }, `up to ${store.state.limits.megabytes}`);
  const zone = h("div", { class: "tl-zone" }, h("span", {}, words), h("div", { class: "tl-row" }, button, device.button, size), input, device.note, device.el);
  return { el: h("div", { class: "tl-panel" }, zone), stop: device.stop };
}

function createTextPanel(store) {
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
  const button = h("button", { type: "button", class: "tl-button tl-button--primary", title: "Use this text (Ctrl+Enter)", onclick: use }, "Use this text");
  return { el: h("div", { class: "tl-panel" }, h("label", { for: id }, "Your text"), area, h("div", { class: "tl-row" }, button)), stop: () => {} };
}

function createPlay(store) {
  let audio = null;
  const button = h("button", { type: "button", class: "tl-button tl-play" }, "Play");
  const halt = () => {
    if (!audio) return;
    audio.pause();
    URL.revokeObjectURL(audio.src);
    audio = null;
    text(button, "Play");
  };
  const hear = (buffer) => {
    halt();
    audio = new Audio(URL.createObjectURL(new Blob([buffer], { type: "audio/wav" })));
    audio.addEventListener("ended", halt);
    text(button, "Stop");
    audio.play().catch((error) => {
      halt();
      store.say(`The sound can't be played here (${error.message}).`);
    });
  };
  button.addEventListener("click", () => {
    if (audio) return halt();
    store.onSound = hear; // of several views, the one that asked
    store.request({ type: "listen" });
  });
  return { button, halt };
}

function waveform(value) {
  const [width, height] = value.box;
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const parts = { class: "tl-wave", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": value.alt };
  Object.entries(parts).forEach(([key, setting]) => svg.setAttribute(key, setting));
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", value.path);
  svg.append(path);
  return svg;
}

/** What the model gets. */
function createValue(store) {
  const play = createPlay(store);
  const shown = h("div", { class: "tl-shown" });
  const facts = h("p", { class: "tl-facts" });
  const notes = h("ul", { class: "tl-notes tl-quiet" });
  const answer = h("p", { class: "tl-answer" });
  const table = createSortedTable("The numbers behind the waveform");
  const code = h("pre", { class: "tl-code", tabindex: "0", role: "region", "aria-label": "The same in plain Python" });
  const name = h("strong", { class: "tl-name" });
  const el = h(
    "div",
    { class: "tl-value" },
    h("p", { class: "tl-gets" }, h("span", { class: "tl-quiet" }, "What the model gets: "), name, " ", play.button),
    shown,
    facts,
    notes,
    answer,
    table.el,
    h("details", { class: "tl-details" }, h("summary", {}, "The same in plain Python"), code),
  );
  let seen = "";
  const update = () => {
    const { value } = store.state;
    el.hidden = !value;
    const now = JSON.stringify(value);
    if (now !== seen) {
      seen = now;
      play.halt();
      const of = { picture: () => h("img", { src: value.image, alt: value.alt, width: value.width, height: value.height }), sound: () => waveform(value), text: () => h("blockquote", {}, value.text) };
      shown.replaceChildren(...(value ? [of[value.kind]()] : []));
      notes.replaceChildren(...(value ? value.notes.map((note) => h("li", {}, note)) : []));
      notes.hidden = !value?.notes.length;
    }
    if (!value) return;
    attr(el, "data-kind", value.kind);
    text(name, value.name);
    text(facts, value.facts);
    play.button.hidden = table.el.hidden = value.kind !== "sound";
    if (value.kind === "sound") table.update(value.table);
    text(answer, store.state.answer);
    answer.hidden = !store.state.answer;
    text(code, store.state.code);
  };
  return { el, update, stop: play.halt };
}

/** The last few, to take one again. */
function createRecent(store) {
  const row = h("div", { class: "tl-row" });
  const el = h("div", { class: "tl-recent", role: "group", "aria-label": "Earlier" }, h("span", { class: "tl-quiet" }, "Earlier"), row);
  const glyphs = { picture: "", sound: "♪", text: "¶" };
  let seen = "";
  const update = () => {
    const { recent } = store.state;
    el.hidden = recent.length < 2;
    const now = JSON.stringify(recent);
    if (now === seen) return;
    seen = now;
    const at = [...row.children].indexOf(document.activeElement);
    row.replaceChildren(
      ...recent.map((entry, place) => {
        const picture = entry.image ? h("img", { src: entry.image, alt: "" }) : h("span", { "aria-hidden": "true" }, glyphs[entry.kind]);
        const choose = () => {
          store.say("");
          store.request({ type: "choose", place });
        };
        return h("button", { type: "button", class: "tl-button tl-earlier", "aria-pressed": String(entry.chosen), "aria-label": `${entry.kind}: ${entry.words}`, onclick: choose }, picture, entry.words);
      }),
    );
    row.children[at]?.focus();
  };
  return { el, update };
}

/** Files that are dropped or pasted anywhere on the view. */
function takeDrops(root, store, tabs) {
  const bring = (file) => {
    const { kinds } = store.state;
    const here = tabs.kind !== "text" ? tabs.kind : kinds.find(({ kind }) => kind !== "text")?.kind || "text";
    const kind = kindOf(file, here);
    const place = kinds.findIndex((accepted) => accepted.kind === kind);
    if (place >= 0) tabs.choose(place);
    takeFile(store, file, kind);
  };
  const carries = (event) => event.dataTransfer?.types.includes("Files");
  root.addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault(); // else the browser would open the file in place of the notebook
    event.stopPropagation();
    event.dataTransfer.dropEffect = "copy";
    root.classList.add("tl-over");
  });
  root.addEventListener("dragleave", (event) => root.contains(event.relatedTarget) || root.classList.remove("tl-over"));
  root.addEventListener("drop", (event) => {
    root.classList.remove("tl-over");
    if (!carries(event)) return;
    event.preventDefault();
    event.stopPropagation();
    const { files } = event.dataTransfer;
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

function draw(store) {
  const { state } = store;
  const make = {
    picture: (kind) => createFilePanel(store, kind, createCamera(store.say, (file) => takeFile(store, file, "picture"))),
    sound: (kind) => {
      const take = (samples, rate) => sendPieces(store, { kind: "sound", name: "microphone.wav", form: "samples", rate, channels: 1 }, new Blob([samples]));
      return createFilePanel(store, kind, createMicrophone(store.say, take, state.limits.seconds));
    },
    text: () => createTextPanel(store),
  };
  const panels = state.kinds.map((kind) => make[kind.kind](kind));
  const tabs = createTabs(state.kinds, panels.map(({ el }) => el), (place) => panels[place].stop());
  const value = createValue(store);
  const recent = createRecent(store);
  const request = (type) => () => {
    store.say("");
    store.request({ type });
  };
  const undo = h("button", { type: "button", class: "tl-button", onclick: request("undo") }, "Undo");
  const clear = h("button", { type: "button", class: "tl-button", onclick: request("clear") }, "Clear");
  const message = h("div", { class: "tl-message", role: "status", "aria-live": "polite" });
  const root = h(
    "section",
    { class: "tl tl-media", "aria-label": state.title, "data-lm-suppress-shortcuts": "true" },
    h("div", { class: "tl-head" }, h("h3", { class: "tl-title" }, state.title), h("span", { class: "tl-spacer" }), undo, clear),
    tabs.el,
    panels.map(({ el }) => el),
    value.el,
    recent.el,
    message,
  );
  takeDrops(root, store, tabs);
  const release = () => panels.forEach((panel) => panel.stop());
  const hidden = new MutationObserver(() => root.hidden && release()); // when the kernel is gone
  hidden.observe(root, { attributeFilter: ["hidden"] });

  const paint = () => {
    const { state: now } = store;
    const words = store.gone ? GONE : store.busy.size ? "Reading… (a cell that runs goes first)" : [store.said, now.message.text].filter(Boolean).join(" ");
    const bad = store.gone || (!store.busy.size && (store.said || now.message.kind === "error"));
    attr(message, "data-kind", bad ? "error" : words ? "info" : null);
    text(message, words);
    if (store.gone) return;
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

export default panelModule(createStore, draw);
