package dev.apus.core.model;

/** What the rows of a run see of their sequence. */
public enum Visibility {
  /** Each row sees itself and what came before it. */
  CAUSAL,
  /** Each row sees all rows of its run, those after it too, and everything before the run. */
  BIDIRECTIONAL
}
