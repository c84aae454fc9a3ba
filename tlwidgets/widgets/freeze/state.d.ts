// Made by `python -m tests.js.state_types` from the Python records.

import type { DeviceMemory, Message, Preset } from "../base/records";

/**
 * One row of the tree, a group of the model.
 */
export interface FreezeRow {
  id: string;
  label: string;
  type: string;
  kind: string;
  state: "frozen" | "trained" | "partial" | "fixed";
  state_text: string;
  spoken: string;
  tip: string;
  aside: string;
  numel: number;
  count: string;
  learns: string;
  bar: number;
  fixed: string;
  note: string;
  expandable: boolean;
  children: FreezeRow[];
}

/**
 * One part of a figure's bar.
 */
export interface FreezeFill {
  name: string;
  share: number;
}

/**
 * What a part of the memory is needed for.
 */
export interface FreezeMemory {
  name: string;
  share: number;
  title: string;
  text: string;
}

/**
 * A number with a bar; `tip` is shown when the pointer rests on it.
 */
export interface FreezeFigure {
  name: string;
  title: string;
  value: string;
  of: string;
  note: string;
  tip: string;
  parts: FreezeFill[];
}

/**
 * What a plan costs.
 */
export interface FreezeSummary {
  trainable: number;
  total: number;
  trainable_exact: string;
  trainable_percent: string;
  memory: FreezeMemory[];
  memory_bytes: number;
  memory_text: string;
  memory_full_text: string;
  activations_known: boolean;
  backward_percent: string;
  forward_words: string;
  assumptions: string;
  figures: FreezeFigure[];
}

/**
 * The state of a `FreezePanel`; `revision` counts the changes of its plan.
 */
export interface FreezeState {
  schema: number;
  title: string;
  labels: Record<string, string>;
  message: Message;
  closed: boolean;
  view: "freeze";
  rows: FreezeRow[];
  code: string;
  revision: number;
  plan: string;
  presets: Preset[];
  summary: FreezeSummary;
  device: DeviceMemory;
  notes: string[];
  undo: boolean;
  redo: boolean;
  pending: boolean;
}
