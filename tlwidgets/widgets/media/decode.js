// What a browser does to a file before Python reads it: it shrinks a large picture and decodes a sound.
// A small file may hold more than a computer's memory (400 million pixels in 9 MB, ten hours in 8 MB), so how
// much is in it is asked first.

import { h } from "../base/dom.js";

const MOST_PIXELS = 120_000_000; // of a picture that is made smaller
const AT_FIRST = 1 << 20; // bytes of a sound of unknown length
const AMPLE = 60; // seconds
const LONGEST = 900; // seconds of a sound that can only be decoded whole

/**
 * What `element` says about a file once `event` came; null where it cannot read the file, or does not answer.
 * @template {HTMLImageElement | HTMLAudioElement} Reader
 * @param {Reader} element
 * @param {string} event
 * @param {File} file
 * @param {(element: Reader) => number} ask
 * @returns {Promise<number | null>}
 */
async function askAbout(element, event, file, ask) {
  const url = URL.createObjectURL(file);
  /** @type {number | null} */
  const answer = await new Promise((resolve) => {
    element.addEventListener(event, () => resolve(ask(element)));
    element.addEventListener("error", () => resolve(null));
    setTimeout(resolve, 5_000, null);
    element.src = url;
  });
  element.removeAttribute("src");
  URL.revokeObjectURL(url);
  return answer;
}

/**
 * A picture of a large file with no side longer than `side`; null where the browser cannot, may not or need
 * not make one.
 * @param {File} file
 * @param {number} side
 */
export async function shrunk(file, side) {
  // Reading the size decodes nothing.
  const pixels = await askAbout(
    new Image(),
    "load",
    file,
    (image) => image.naturalWidth * image.naturalHeight,
  );
  if (pixels === null || pixels > MOST_PIXELS) return null;
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null);
  if (!bitmap) return null;
  const { width, height } = bitmap;
  const share = Math.min(1, side / Math.max(width, height));
  /** @param {number} length */
  const scaled = (length) => Math.max(1, Math.round(length * share));
  const canvas = h("canvas", { width: scaled(width), height: scaled(height) });
  const pen = canvas.getContext("2d");
  if (pen) {
    pen.imageSmoothingQuality = "high";
    pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  }
  bitmap.close();
  if (!pen || share === 1) return null;
  /** @type {Blob | null} */
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  return blob && { blob, was: [width, height] };
}

/** @param {File} file */
export async function isWav(file) {
  const head = new TextDecoder("latin1").decode(await file.slice(0, 12).arrayBuffer());
  return /^(RIFF|RIFX|RF64)[^]{4}WAVE$/.test(head);
}

/**
 * The beginning of a sound, at least `seconds` of it where it is so long: an AudioBuffer (null where the
 * browser cannot decode it), how many seconds the whole has (null: unknown), and whether there is
 * `more`. Of a long one only a part of the file is decoded, twice as much each time that it was too little.
 * @param {File} file
 * @param {number} seconds
 */
export async function decodedStart(file, seconds) {
  const context = new OfflineAudioContext(1, 1, 48_000);
  const duration = await askAbout(new Audio(), "loadedmetadata", file, (audio) => audio.duration);
  const length = duration !== null && Number.isFinite(duration) ? duration : null; // a recording has none
  let bytes = length ? Math.ceil(file.size * Math.min(1, (2 * seconds + AMPLE) / length)) : AT_FIRST;
  for (; bytes < file.size; bytes *= 2) {
    const start = await file.slice(0, bytes).arrayBuffer();
    const sound = await context.decodeAudioData(start).catch(() => null);
    if (sound && sound.duration >= seconds) return { sound, length, more: true };
  }
  if (length !== null && length > LONGEST) {
    throw new Error(`it is ${Math.round(length / 60)} minutes long; cut out the part that you want`);
  }
  const sound = await context.decodeAudioData(await file.arrayBuffer()).catch(() => null);
  return { sound, length: sound && sound.duration, more: false };
}
