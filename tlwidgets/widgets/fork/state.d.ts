// Made by `python -m tests.js.state_types` from the Python records.

import type { Axis, Message, Preset } from "../base/records";

/**
 * The axes of both charts; they share "step".
 */
export interface ForkAxes {
  step: Axis;
  loss: Axis;
  accuracy: Axis;
}

/**
 * One line of both charts. `epochs`: the number of each epoch, and its losses and accuracies in words.
 */
export interface ForkLine {
  slot: number;
  glyph: string;
  dash: string;
  name: string;
  title: string;
  loss: [number, number][];
  accuracy: [number, number][];
  valid_loss: [number, number][];
  valid_accuracy: [number, number][];
  epochs: [number, string, string, string, string][];
}

/**
 * The results of a line, in words.
 */
export interface ForkRow {
  slot: number;
  glyph: string;
  dash: string;
  name: string;
  title: string;
  since: string;
  change: string;
  loss: string;
  accuracy: string;
  valid_loss: string;
  valid_accuracy: string;
  test: string;
  status: string;
}

/**
 * The numbers of each epoch, in words.
 */
export interface ForkTable {
  head: string[];
  rows: string[][];
  caption: string;
}

/**
 * A button for a rate, or for what is forked.
 */
export interface ForkChoice {
  name: string;
  title: string;
  active: boolean;
}

/**
 * What can be asked for now.
 */
export interface ForkActions {
  fork: boolean;
  stop: boolean;
  remove: boolean;
  restore: boolean;
}

/**
 * The state of a `ForkPanel`. The marker stands at `step` of at most `most`; an epoch has `each`
 *     steps.
 */
export interface ForkState {
  schema: number;
  title: string;
  labels: Record<string, string>;
  message: Message;
  closed: boolean;
  view: "fork";
  lines: ForkLine[];
  order: string[];
  step: number;
  most: number;
  steps: number;
  each: number;
  place: string;
  how: string;
  axes: ForkAxes;
  bases: ForkChoice[];
  plans: Preset[];
  rates: ForkChoice[];
  rows: ForkRow[];
  epochs: ForkTable;
  share: number;
  progress: string;
  left: string;
  running: boolean;
  actions: ForkActions;
  code: string;
  status: string;
}
