// Made by `python -m tests.js.state_types` from the Python records.

import type { Axis, DeviceMemory, Message } from "../base/records";

/**
 * The axes of both charts; they share "step".
 */
export interface TrainAxes {
  step: Axis;
  loss: Axis;
  accuracy: Axis;
}

/**
 * The last values, in words.
 */
export interface TrainNow {
  loss: string;
  accuracy: string;
}

/**
 * What can be asked for now.
 */
export interface TrainActions {
  start: boolean;
  pause: boolean;
  resume: boolean;
  stop: boolean;
}

/**
 * The state of a `TrainPanel`; `CurveBuffer` says what points and rows are.
 */
export interface TrainState {
  schema: number;
  title: string;
  labels: Record<string, string>;
  message: Message;
  closed: boolean;
  view: "train";
  points: [number, number | null, number | null, number | null, number | null][];
  rows: [number, number, number | null, number | null, number | null, number | null, string[]][];
  phase: string;
  status: string;
  step: number;
  steps: number;
  epochs: number;
  axes: TrainAxes;
  share: number;
  progress: string;
  left: string;
  learns: string;
  device: DeviceMemory;
  now: TrainNow;
  result: string;
  actions: TrainActions;
}
