// Made by `python -m tests.js.state_types` from the Python records.

import type { Axis, Message } from "../base/records";

/**
 * A run, and how it is drawn.
 */
export interface DriftRun {
  name: string;
  slot: number;
  glyph: string;
}

/**
 * A group of layers.
 */
export interface DriftGroup {
  id: string;
  label: string;
}

/**
 * The axes of both columns, the same for all frames.
 */
export interface DriftAxes {
  gradient: Axis;
  drift: Axis;
}

/**
 * One measured step; see `drift_state`.
 */
export interface DriftFrame {
  step: number;
  at: string;
  of: string;
  caption: string;
  words: string;
  cells: [number | null, string, number | null, string, number][][];
  why: number[];
}

/**
 * The state of a `DriftPanel`.
 */
export interface DriftState {
  schema: number;
  title: string;
  labels: Record<string, string>;
  message: Message;
  closed: boolean;
  view: "drift";
  status: string;
  live: boolean;
  runs: DriftRun[];
  groups: DriftGroup[];
  axes: DriftAxes;
  reasons: string[];
  sentences: string[];
  head: string[];
  frames: DriftFrame[];
}
