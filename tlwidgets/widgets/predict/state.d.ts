// Made by `python -m tests.js.state_types` from the Python records.

import type { Message } from "../base/records";

/**
 * The guess or the answer, beside the other; `share` is the length of its bar.
 */
export interface PredictSide {
  name: string;
  title: string;
  text: string;
  share: number;
}

/**
 * The state of a `Predict`; its title is the question.
 */
export interface PredictState {
  schema: number;
  title: string;
  labels: Record<string, string>;
  message: Message;
  closed: boolean;
  view: "predict";
  unit: string;
  kind: "number" | "choice";
  choices: string[];
  guess: string;
  answer: string;
  sides: PredictSide[];
  verdict: string;
}
