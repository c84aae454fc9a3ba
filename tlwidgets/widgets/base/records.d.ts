// Made by `python -m tests.js.state_types` from the Python records.

/**
 * What a panel says. `kind`: "error", "info" or nothing.
 */
export interface Message {
  kind: string;
  text: string;
}

/**
 * Where a model is, and how much memory is used there, in bytes.
 */
export interface DeviceMemory {
  name: string;
  text: string;
  used: number | null;
  total: number | null;
}

/**
 * A number that a preset takes.
 */
export interface NumberOption {
  value: number;
  min: number;
  max: number;
  label: string;
}

/**
 * A button for a plan or a schedule; `unavailable` says why it cannot be chosen.
 */
export interface Preset {
  name: string;
  title: string;
  description: string;
  active: boolean;
  unavailable: string;
  options: Record<string, NumberOption>;
}

/**
 * One axis of a chart.
 */
export interface Axis {
  low: number;
  high: number;
  log: boolean;
  ticks: ([number, string] | [number, string, string])[];
  title: string;
}

/**
 * How a series is drawn: its colour, the path of its marks, its dashes.
 */
export interface Sign {
  slot: number;
  glyph: string;
  dash: string;
}

/**
 * One series of a chart. A band has x, low, high; a mark x, y, words, kind, size.
 */
export interface Series {
  slot: number;
  glyph: string;
  dash: string;
  name: string;
  line: [number, number][];
  band: [number, number, number][];
  marks: [number, number, string, "" | "recorded" | "part", number][];
}

/**
 * A table in words; `sort` has a value for each cell, to sort by.
 */
export interface SortedTable {
  head: string[];
  rows: string[][];
  sort: (string | number)[][];
  caption: string;
}

/**
 * What the state of every panel has.
 */
export interface PanelState {
  schema: number;
  title: string;
  labels: Record<string, string>;
  message: Message;
  closed: boolean;
}
