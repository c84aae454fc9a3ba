// A still from the camera, a recording from the microphone. Devices are released at once: no light
// stays on.

import { button } from "../base/controls.js";
import { attr, h, text, uniqueId } from "../base/dom.js";

/**
 * A button that begins, a note where there is no device, what is shown while it runs, and a way to end it.
 * @typedef {{ el: HTMLElement, button: HTMLButtonElement, note: HTMLElement, stop: () => void }} Device
 */

/** @typedef {(words: string) => void} Say */

/**
 * Why this page may not use a camera or microphone; empty where it may ask.
 * @param {string} what
 */
function whyNoDevice(what) {
  if (typeof navigator.mediaDevices?.getUserMedia === "function") return "";
  if (window.isSecureContext) return `This browser offers no ${what} to pages. Choose a file instead.`;
  return (
    `Browsers give pages a ${what} only over https or on your own machine (localhost), and this page is ` +
    "neither. Choose a file instead."
  );
}

/**
 * What went wrong with a device, and what to do.
 * @param {string} what
 * @param {unknown} error
 */
function deviceWords(what, error) {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (name === "NotAllowedError") {
    return `The browser may not use the ${what}. Allow it beside the page's address, or choose a file.`;
  }
  if (name === "NotFoundError" || name === "OverconstrainedError") {
    return `No ${what} was found. Plug one in, or choose a file.`;
  }
  if (name === "NotReadableError") {
    return `The ${what} is in use by another program. Close that one, or choose a file.`;
  }
  return `The ${what} cannot be used (${message || name}). Choose a file instead.`;
}

/**
 * A device that is borrowed: `take()` gives a stream, or null where `give()` came before it was there.
 * @param {MediaStreamConstraints} constraints
 */
function createLoan(constraints) {
  /** @type {MediaStream | null} */
  let stream = null;
  let turn = 0;
  /** @param {MediaStream} tracks */
  const end = (tracks) => tracks.getTracks().forEach((track) => track.stop());
  const give = () => {
    turn += 1;
    if (stream) end(stream);
    stream = null;
  };
  const take = async () => {
    give();
    const mine = turn;
    const lent = await navigator.mediaDevices.getUserMedia(constraints);
    if (mine !== turn) {
      end(lent);
      return null;
    }
    stream = lent;
    return lent;
  };
  return { take, give };
}

/**
 * The button that begins, and a sentence where there is no device; what fails is stopped, and said.
 * @param {string} what
 * @param {string} words
 * @param {Say} say
 * @param {() => Promise<void>} begin
 * @param {() => void} stop
 */
function createCapture(what, words, say, begin, stop) {
  const why = whyNoDevice(what);
  const id = uniqueId("why");
  const start = button(words, async () => {
    if (why) return;
    say("");
    try {
      await begin();
    } catch (error) {
      stop();
      say(deviceWords(what, error));
    }
  });
  attr(start, "aria-disabled", why ? "true" : null);
  attr(start, "aria-describedby", why ? id : null);
  const note = h("p", { class: "tl-quiet tl-why", id, hidden: !why }, why);
  return { button: start, note };
}

/**
 * `take(file)` gets a PNG of what the camera sees.
 * @param {Say} say
 * @param {(file: File) => void} take
 * @param {Record<string, string>} labels
 * @returns {Device}
 */
export function createCamera(say, take, labels) {
  const loan = createLoan({ video: { width: { ideal: 1280 }, height: { ideal: 720 } }, audio: false });
  const muted = { muted: true, playsinline: true };
  const video = h("video", { class: "tl-video", ...muted, "aria-label": labels.video });
  video.muted = true;
  const snap = button(labels.snap, () => takePicture(), "primary");
  const cancel = button(labels.cancel, () => close());
  const el = h(
    "div",
    { class: "tl-capture", hidden: true },
    video,
    h("div", { class: "tl-row" }, snap, cancel),
  );
  const stop = () => {
    loan.give();
    video.srcObject = null;
    el.hidden = true;
  };
  const begin = async () => {
    const stream = await loan.take();
    if (!stream) return;
    stream.getVideoTracks()[0].addEventListener("ended", stop);
    snap.disabled = true;
    el.hidden = false;
    video.srcObject = stream;
    cancel.focus();
    await video.play().catch((error) => {
      if (error.name !== "AbortError") throw error; // which means: given back meanwhile
    });
    snap.disabled = false;
    if (!el.hidden) snap.focus();
  };
  const capture = createCapture("camera", labels.camera, say, begin, stop);
  const close = () => {
    stop();
    capture.button.focus();
  };
  const takePicture = () => {
    const canvas = h("canvas", { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d")?.drawImage(video, 0, 0);
    close();
    canvas.toBlob((blob) => {
      if (blob) take(new File([blob], "camera.png", { type: "image/png" }));
      else say("The camera's picture could not be kept. Take another one, or choose a file.");
    }, "image/png");
  };
  return { el, ...capture, stop };
}

// Runs beside the page's own script, which may be busy: every tenth of a second it hands over what was heard.
const TAP = `registerProcessor("tl-tap", class extends AudioWorkletProcessor {
  constructor() { super(); this.heard = new Float32Array(Math.round(sampleRate / 10)); this.at = 0; }
  process([[channel]]) {
    for (const value of channel || []) {
      this.heard[this.at++] = value;
      if (this.at === this.heard.length) { this.port.postMessage(this.heard.slice()); this.at = 0; }
    }
    return true;
  }
});`;

/**
 * The samples that a recording has so far, at most `most`.
 * @param {number} most
 */
function createTape(most) {
  /** @type {Float32Array<ArrayBuffer>[]} */
  const pieces = [];
  let length = 0;
  /** @param {Float32Array<ArrayBuffer>} data */
  const add = (data) => {
    pieces.push(data.subarray(0, most - length));
    length = Math.min(most, length + data.length);
    return length;
  };
  const samples = () => {
    const whole = new Float32Array(length);
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  };
  return { add, samples };
}

/**
 * How loud it is, of 60 decibels.
 * @param {string} label
 */
function createMeter(label) {
  const fill = h("span", { class: "tl-level-fill" });
  const bounds = { "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": "0" };
  const el = h("div", { class: "tl-level", role: "meter", "aria-label": label, ...bounds }, fill);
  /** @param {Float32Array} data */
  const update = (data) => {
    const peak = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const level = Math.round(100 * Math.max(0, 1 + Math.log10(Math.max(peak, 1e-6)) / 3));
    fill.style.width = `${level}%`;
    attr(el, "aria-valuenow", level);
  };
  return { el, update };
}

/**
 * `take(samples, rate)` gets what was recorded, at most `seconds`.
 * @param {Say} say
 * @param {(samples: Float32Array<ArrayBuffer>, rate: number) => void} take
 * @param {number} seconds
 * @param {Record<string, string>} labels
 * @returns {Device}
 */
export function createMicrophone(say, take, seconds, labels) {
  // Untouched: a browser's own filters treat a tone as noise.
  const untouched = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const loan = createLoan({ audio: { channelCount: 1, ...untouched }, video: false });
  const meter = createMeter(labels.level);
  const time = h("span", { class: "tl-quiet tl-time" });
  const done = button(labels.finish, () => finish(), "primary");
  const cancel = button(labels.cancel, () => close());
  const recording = h("span", { class: "tl-recording" }, labels.recording);
  const el = h(
    "div",
    { class: "tl-capture", hidden: true },
    h("div", { class: "tl-row" }, recording, meter.el, time),
    h("div", { class: "tl-row" }, done, cancel),
  );
  /** @type {AudioContext | null} */
  let context = null;
  let tape = createTape(0);
  const stop = () => {
    loan.give();
    context?.close();
    context = null;
    el.hidden = true;
  };
  /** @param {AudioContext} own */
  const addTap = async (own) => {
    const url = URL.createObjectURL(new Blob([TAP], { type: "text/javascript" }));
    await own.audioWorklet.addModule(url).catch((error) => {
      if (context === own) throw error;
    });
    URL.revokeObjectURL(url);
  };
  const begin = async () => {
    const stream = await loan.take();
    if (!stream) return;
    const own = new AudioContext();
    const most = Math.round(seconds * own.sampleRate);
    context = own;
    tape = createTape(most);
    await addTap(own);
    if (context !== own) return; // given up meanwhile
    /** @type {AudioWorkletNodeOptions} */
    const options = { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" };
    const tap = new AudioWorkletNode(own, "tl-tap", options);
    tap.port.onmessage = ({ data }) => {
      if (context !== own) return;
      const length = tape.add(data);
      meter.update(data);
      text(time, `${(length / own.sampleRate).toFixed(1)} of ${seconds} s`);
      if (length >= most) finish();
    };
    own.createMediaStreamSource(stream).connect(tap);
    stream.getAudioTracks()[0].addEventListener("ended", finish);
    text(time, `0.0 of ${seconds} s`);
    el.hidden = false;
    done.focus();
  };
  const capture = createCapture("microphone", labels.microphone, say, begin, stop);
  const close = () => {
    const inside = el.contains(document.activeElement);
    stop();
    if (inside) capture.button.focus();
  };
  const finish = () => {
    if (!context) return;
    const rate = context.sampleRate;
    const samples = tape.samples();
    close();
    take(samples, rate);
  };
  return { el, ...capture, stop };
}
