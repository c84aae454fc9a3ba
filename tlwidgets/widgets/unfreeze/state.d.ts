// Made by `python -m tests.js.state_types` from the Python records.

import type { Message, Preset } from "../base/records";

/**
 * A part of the model. `start`: the epoch from which on it learns; None for never.
 */
export interface UnfreezeRow {
  id: string;
  label: string;
  type: string;
  count: string;
  start: number | null;
  start_text: string;
  start_short: string;
  note: string;
  fixed: boolean;
}

/**
 * What an epoch costs.
 */
export interface UnfreezeCost {
  epoch: number;
  share: number;
  text: string;
  short: string;
  trainable: number;
  learns: string;
  begins: string;
}

/**
 * The state of a schedule's panel. `current`: the epoch that is being trained; 0 for none.
 */
export interface UnfreezeState {
  schema: number;
  title: string;
  labels: Record<string, string>;
  message: Message;
  closed: boolean;
  view: "unfreeze";
  epochs: number;
  rows: UnfreezeRow[];
  costs: UnfreezeCost[];
  whole: string;
  status: string;
  assumptions: string;
  presets: Preset[];
  code: string;
  undo: boolean;
  redo: boolean;
  current: number;
}
