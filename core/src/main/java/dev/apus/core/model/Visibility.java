package dev.apus.core.model;

/** What the rows of a run see of their sequence. */
public enum Visibility {
  /** Each row sees itself and what came before it. */
  CAUSAL,
  /**
   * Each row sees all rows of its run, those after it too, and everything before the run. What is
   * kept of the sequence at its position and after it is not seen.
   */
  BIDIRECTIONAL,
  /**
   * Each row sees all that is kept of its sequence, what stands after it too, and takes the place
   * of what was kept at its position. Several runs of one batch may be of the same sequence, and
   * see each other.
   */
  SURROUNDED,
  /**
   * Each row sees all rows of its run, those after it too, and of what came before the run what the
   * first of them sees: a window ends for all where it ends for the first. What is kept of the
   * sequence at its position and after it is not seen.
   */
  TOGETHER
}
