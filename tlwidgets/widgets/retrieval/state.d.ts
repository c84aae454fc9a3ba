// Made by `python -m tests.js.state_types` from the Python records.

import type { Message, SortedTable } from "../base/records";

/**
 * How many queries have something right among their first k, in numbers and in words.
 */
export interface RetrievalRecall {
  k: number;
  share: number;
  low: number;
  high: number;
  chance: number;
  text: string;
  interval: string;
  chance_text: string;
  count: string;
  label: string;
}

/**
 * The queries that can be picked.
 */
export interface RetrievalQueries {
  indices: number[];
  names: string[];
  ranks: number[];
  table: SortedTable;
}

/**
 * How the queries' pictures stand on their sheet.
 */
export interface RetrievalSheet {
  side: number;
  columns: number;
}

/**
 * What is searched for; `index` is None for words of one's own.
 */
export interface RetrievalPicked {
  index: number | null;
  name: string;
  own: boolean;
  png: string;
  sound: boolean;
}

/**
 * Something found, at its place.
 */
export interface RetrievalHit {
  index: number;
  place: number;
  place_text: string;
  name: string;
  score: string;
  right: boolean;
  png: string;
  sound: boolean;
}

/**
 * The state of a `RetrievalGrid`. `right`: the first right hit, where it is further down than `results`
 *     go.
 */
export interface RetrievalState {
  schema: number;
  title: string;
  labels: Record<string, string>;
  message: Message;
  closed: boolean;
  view: "retrieval";
  status: string;
  queries: RetrievalQueries;
  sheet: RetrievalSheet | null;
  picked: RetrievalPicked;
  results: RetrievalHit[];
  right: RetrievalHit | null;
  words: string;
  recall: RetrievalRecall[];
  encodes: boolean;
}
