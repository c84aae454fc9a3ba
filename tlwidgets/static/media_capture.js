// A still from the camera, a recording from the microphone. What is borrowed is given back at once: no light stays on.

/** Why this page may not use a camera or microphone; empty where it may ask. */
function whyNoDevice(what) {
  if (navigator.mediaDevices?.getUserMedia) return "";
  if (window.isSecureContext) return `This browser offers no ${what} to pages. Choose a file instead.`;
  return `Browsers lend a ${what} only to pages over https or on your own machine (localhost), and this page is neither. Choose a file instead.`;
}

/** What went wrong with a device, and what to do. */
function deviceWords(what, error) {
  if (error.name === "NotAllowedError") return `The browser was not allowed to use the ${what}. Allow it beside the page's address, or choose a file.`;
  if (error.name === "NotFoundError" || error.name === "OverconstrainedError") return `No ${what} was found. Plug one in, or choose a file.`;
  if (error.name === "NotReadableError") return `The ${what} is in use by another program. Close that one, or choose a file.`;
  return `The ${what} can't be used (${error.message || error.name}). Choose a file instead.`;
}

/** A device that is borrowed: `take()` gives a stream, or null where `give()` came before it was there. */
function createLoan(constraints) {
  let stream = null;
  let turn = 0;
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

/** The button that begins, and a sentence where there is no device; what fails is stopped and said. */
function createCapture(what, words, say, begin, stop) {
  const why = whyNoDevice(what);
  const id = uniqueId("why");
  const button = h("button", { type: "button", class: "tl-button", "aria-disabled": why ? "true" : null, "aria-describedby": why ? id : null }, words);
  const note = h("p", { class: "tl-quiet tl-why", id, hidden: !why }, why);
  button.addEventListener("click", async () => {
    if (why) return;
    say("");
    try {
      await begin();
    } catch (error) {
      stop();
      say(deviceWords(what, error));
    }
  });
  return { button, note };
}

/** `take(file)` gets a PNG of what the camera sees. */
function createCamera(say, take) {
  const loan = createLoan({ video: { width: { ideal: 1280 }, height: { ideal: 720 } }, audio: false });
  const video = h("video", { class: "tl-video", muted: true, playsinline: true, "aria-label": "What the camera sees" });
  video.muted = true;
  const snap = h("button", { type: "button", class: "tl-button tl-button--primary" }, "Take the picture");
  const cancel = h("button", { type: "button", class: "tl-button" }, "Cancel");
  const el = h("div", { class: "tl-capture", hidden: true }, video, h("div", { class: "tl-row" }, snap, cancel));
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
  const { button, note } = createCapture("camera", "Camera", say, begin, stop);
  const close = () => {
    stop();
    button.focus();
  };
  snap.addEventListener("click", () => {
    const canvas = h("canvas", { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    close();
    canvas.toBlob((blob) => take(new File([blob], "camera.png", { type: "image/png" })), "image/png");
  });
  cancel.addEventListener("click", close);
  return { el, button, note, stop };
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

/** `take(samples, rate)` gets what was recorded, at most `seconds`. */
function createMicrophone(say, take, seconds) {
  // Untouched: a browser's own filters take a tone for noise.
  const loan = createLoan({ audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false }, video: false });
  const fill = h("span", { class: "tl-level-fill" });
  const meter = h("div", { class: "tl-level", role: "meter", "aria-label": "Level", "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": "0" }, fill);
  const time = h("span", { class: "tl-quiet tl-time" });
  const done = h("button", { type: "button", class: "tl-button tl-button--primary" }, "Stop and use it");
  const cancel = h("button", { type: "button", class: "tl-button" }, "Cancel");
  const el = h("div", { class: "tl-capture", hidden: true }, h("div", { class: "tl-row" }, h("span", { class: "tl-recording" }, "Recording"), meter, time), h("div", { class: "tl-row" }, done, cancel));
  let context = null;
  let pieces = [];
  let length = 0;
  const stop = () => {
    loan.give();
    context?.close();
    context = null;
    el.hidden = true;
  };
  const begin = async () => {
    const stream = await loan.take();
    if (!stream) return;
    const own = new AudioContext();
    context = own;
    pieces = [];
    length = 0;
    const most = Math.round(seconds * own.sampleRate);
    const url = URL.createObjectURL(new Blob([TAP], { type: "text/javascript" }));
    await own.audioWorklet.addModule(url).catch((error) => {
      if (context === own) throw error;
    });
    URL.revokeObjectURL(url);
    if (context !== own) return; // given up meanwhile
    const tap = new AudioWorkletNode(own, "tl-tap", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    tap.port.onmessage = ({ data }) => {
      if (context !== own) return;
      pieces.push(data.subarray(0, most - length));
      length = Math.min(most, length + data.length);
      const peak = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const level = Math.round(100 * Math.max(0, 1 + Math.log10(Math.max(peak, 1e-6)) / 3)); // of 60 decibels
      fill.style.width = `${level}%`;
      attr(meter, "aria-valuenow", level);
      text(time, `${(length / own.sampleRate).toFixed(1)} of ${seconds} s`);
      if (length >= most) finish();
    };
    own.createMediaStreamSource(stream).connect(tap);
    stream.getAudioTracks()[0].addEventListener("ended", finish);
    text(time, `0.0 of ${seconds} s`);
    el.hidden = false;
    done.focus();
  };
  const { button, note } = createCapture("microphone", "Record", say, begin, stop);
  const close = () => {
    const inside = el.contains(document.activeElement);
    stop();
    if (inside) button.focus();
  };
  const finish = () => {
    if (!context) return;
    const rate = context.sampleRate;
    close();
    const samples = new Float32Array(length);
    let at = 0;
    for (const piece of pieces) {
      samples.set(piece, at);
      at += piece.length;
    }
    pieces = [];
    take(samples, rate);
  };
  done.addEventListener("click", finish);
  cancel.addEventListener("click", close);
  return { el, button, note, stop };
}
