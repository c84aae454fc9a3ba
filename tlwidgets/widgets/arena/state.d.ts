// Made by `python -m tests.js.state_types` from the Python records.

import type { Axis, Message, Series, SortedTable } from "../base/records";

/**
 * A chart (see `plot`), and the table behind it.
 */
export interface ArenaVariant {
  title: string;
  x: Axis;
  y: Axis;
  series: Series[];
  level: number | null;
  words: string;
  table: SortedTable;
}

/**
 * A chart with a variant for each of `choices`, at first `chosen`. `label` says what the choices are.
 */
export interface ArenaChart {
  name: string;
  title: string;
  label: string;
  choices: string[];
  chosen: number;
  variants: ArenaVariant[];
}

/**
 * A contender, and how it is drawn.
 */
export interface ArenaEntry {
  slot: number;
  glyph: string;
  dash: string;
  name: string;
}

/**
 * What can be asked for now.
 */
export interface ArenaActions {
  start: boolean;
  stop: boolean;
}

/**
 * The state of an `ArenaPanel`.
 */
export interface ArenaState {
  schema: number;
  title: string;
  labels: Record<string, string>;
  message: Message;
  closed: boolean;
  view: "arena";
  budget: string;
  legend: ArenaEntry[];
  charts: ArenaChart[];
  phase: string;
  status: string;
  done: number;
  total: number;
  share: number;
  progress: string;
  left: string;
  whose: string;
  actions: ArenaActions;
}
