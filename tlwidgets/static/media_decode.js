// What a browser makes of a file before Python reads it: a large picture smaller, a sound samples. A small file may hold
// more than a computer's memory (400 million pixels in 9 MB, ten hours in 8 MB), so how much is in it is asked first.

const MOST_PIXELS = 120_000_000; // of a picture that is made smaller
const AT_FIRST = 1 << 20; // bytes of a sound of unknown length
const AMPLE = 60; // seconds
const LONGEST = 900; // seconds of a sound that can only be decoded whole

/** What `element` tells of a file once `event` came, or null where it can't read it (or doesn't answer). */
async function told(element, event, file, tell) {
  const url = URL.createObjectURL(file);
  const answer = await new Promise((resolve) => {
    element.addEventListener(event, () => resolve(tell(element)));
    element.addEventListener("error", () => resolve(null));
    setTimeout(resolve, 5_000, null);
    element.src = url;
  });
  element.removeAttribute("src");
  URL.revokeObjectURL(url);
  return answer;
}

/** A picture of a large file with no side longer than `side`, or null where the browser can't, may not or need not make one. */
async function shrunk(file, side) {
  const pixels = await told(new Image(), "load", file, (image) => image.naturalWidth * image.naturalHeight); // decodes nothing
  if (pixels === null || pixels > MOST_PIXELS) return null;
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null);
  if (!bitmap) return null;
  const { width, height } = bitmap;
  const share = Math.min(1, side / Math.max(width, height));
  const canvas = h("canvas", { width: Math.max(1, Math.round(width * share)), height: Math.max(1, Math.round(height * share)) });
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const blob = share < 1 && (await new Promise((resolve) => canvas.toBlob(resolve, "image/png")));
  return blob ? { blob, was: [width, height] } : null;
}

async function isWav(file) {
  const head = new TextDecoder("latin1").decode(await file.slice(0, 12).arrayBuffer());
  return /^(RIFF|RIFX|RF64)[^]{4}WAVE$/.test(head);
}

/**
 * The beginning of a sound, at least `seconds` of it where it is so long: an AudioBuffer (null where the browser can't decode
 * it), how many seconds the whole has (null: nobody knows), and whether there is `more`. Of a long one only a part of the file is
 * decoded, twice as much each time that it was too little.
 */
async function decodedStart(file, seconds) {
  const context = new OfflineAudioContext(1, 1, 48_000);
  const duration = await told(new Audio(), "loadedmetadata", file, (audio) => audio.duration);
  const length = Number.isFinite(duration) ? duration : null; // a recording of a browser has none
  let bytes = length ? Math.ceil(file.size * Math.min(1, (2 * seconds + AMPLE) / length)) : AT_FIRST;
  for (; bytes < file.size; bytes *= 2) {
    const sound = await context.decodeAudioData(await file.slice(0, bytes).arrayBuffer()).catch(() => null);
    if (sound && sound.duration >= seconds) return { sound, length, more: true };
  }
  if (length > LONGEST) throw new Error(`it is ${Math.round(length / 60)} minutes long; cut out the part that you want`);
  const sound = await context.decodeAudioData(await file.arrayBuffer()).catch(() => null);
  return { sound, length: sound && sound.duration, more: false };
}
