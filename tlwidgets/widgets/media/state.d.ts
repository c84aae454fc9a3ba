// Made by `python -m tests.js.state_types` from the Python records.

import type { Message, SortedTable } from "../base/records";

/**
 * A kind that is taken; `files` is what a file dialog offers.
 */
export interface MediaAccepted {
  kind: "picture" | "sound" | "text";
  title: string;
  files: string;
}

/**
 * How much is taken: bytes of a file, pixels of a side, seconds of a sound.
 */
export interface MediaLimits {
  bytes: number;
  side: number;
  seconds: number;
  megabytes: string;
}

/**
 * A picture; `image` is a data URL of a preview, of `width` by `height`.
 */
export interface MediaPicture {
  kind: "picture";
  name: string;
  notes: string[];
  facts: string;
  alt: string;
  image: string;
  width: number;
  height: number;
}

/**
 * A sound; `path` is its waveform in a `box`.
 */
export interface MediaSound {
  kind: "sound";
  name: string;
  notes: string[];
  facts: string;
  alt: string;
  path: string;
  box: [number, number];
  table: SortedTable;
}

/**
 * A text.
 */
export interface MediaText {
  kind: "text";
  name: string;
  notes: string[];
  facts: string;
  alt: string;
  text: string;
}

/**
 * One of the last few.
 */
export interface MediaRecent {
  kind: "picture" | "sound" | "text";
  words: string;
  image: string;
  chosen: boolean;
}

/**
 * The state of a `MediaInput`.
 */
export interface MediaState {
  schema: number;
  title: string;
  labels: Record<string, string>;
  message: Message;
  closed: boolean;
  view: "media";
  kinds: MediaAccepted[];
  limits: MediaLimits;
  value: MediaPicture | MediaSound | MediaText | null;
  recent: MediaRecent[];
  undo: boolean;
  answer: string;
  code: string;
  status: string;
  invitation: string;
}
