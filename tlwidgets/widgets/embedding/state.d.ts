// Made by `python -m tests.js.state_types` from the Python records.

import type { Message, SortedTable } from "../base/records";

/**
 * A modality, and the path of its marks.
 */
export interface EmbeddingModality {
  name: string;
  glyph: string;
}

/**
 * A group of things, and its colour.
 */
export interface EmbeddingGroup {
  name: string;
  slot: number;
}

/**
 * A thing, and the place of its group.
 */
export interface EmbeddingRow {
  name: string;
  group: number;
}

/**
 * Where a modality's marks are, row by row.
 */
export interface EmbeddingPlaces {
  before: [number, number][];
  after: [number, number][];
}

/**
 * The ends of an axis.
 */
export interface EmbeddingScale {
  low: number;
  high: number;
}

/**
 * Both axes.
 */
export interface EmbeddingAxes {
  x: EmbeddingScale;
  y: EmbeddingScale;
}

/**
 * Two modalities, and how far their marks of the same thing are apart before and after, in words.
 */
export interface EmbeddingPair {
  one: string;
  other: string;
  distances: [string, string][];
}

/**
 * The state of an `EmbeddingMap`; see `embedding_state`.
 */
export interface EmbeddingState {
  schema: number;
  title: string;
  labels: Record<string, string>;
  message: Message;
  closed: boolean;
  view: "embedding";
  status: string;
  modalities: EmbeddingModality[];
  groups: EmbeddingGroup[];
  rows: EmbeddingRow[];
  points: Record<string, EmbeddingPlaces>;
  axis: EmbeddingAxes;
  pairs: EmbeddingPair[];
  basis: string;
  words: string;
  table: SortedTable;
}
