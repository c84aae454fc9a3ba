// Made by `python -m tests.js.state_types` from the Python records.

import type { Message, SortedTable } from "../base/records";

/**
 * A modality, and how it is set.
 */
export interface SwitchboardModality {
  id: string;
  size: string;
  mode: string;
  mode_text: string;
}

/**
 * A way to set a modality.
 */
export interface SwitchboardMode {
  id: string;
  label: string;
  description: string;
  glyph: string;
}

/**
 * A share of right answers with its interval, and both in words.
 */
export interface SwitchboardAccuracy {
  share: number;
  low: number;
  high: number;
  text: string;
  interval: string;
  count: string;
}

/**
 * Right answers of a class.
 */
export interface SwitchboardClass {
  label: string;
  share: number;
  text: string;
}

/**
 * A model's answers now, and (`on`) with all modalities on.
 */
export interface SwitchboardModel {
  share: number;
  low: number;
  high: number;
  text: string;
  interval: string;
  count: string;
  name: string;
  slot: number;
  glyph: string;
  on: SwitchboardAccuracy;
  label: string;
  change: string;
  classes: SwitchboardClass[];
  confusion: number[][];
  confusion_text: string[][];
}

/**
 * What always naming the most frequent class would get right.
 */
export interface SwitchboardChance {
  share: number;
  text: string;
}

/**
 * The state of a `ModalitySwitchboard`.
 */
export interface SwitchboardState {
  schema: number;
  title: string;
  labels: Record<string, string>;
  message: Message;
  closed: boolean;
  view: "switchboard";
  examples: string;
  status: string;
  modalities: SwitchboardModality[];
  modes: SwitchboardMode[];
  models: SwitchboardModel[];
  chance: SwitchboardChance;
  bar_key: string;
  tried: SortedTable;
  code: string;
  all_on: boolean;
  undo: boolean;
  redo: boolean;
}
