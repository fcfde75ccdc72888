package dev.apus.cli;

/** What becomes of a model's thoughts. */
enum Thinking {
  /** They are printed between two lines that say so. */
  ON,
  /** They are kept, and not printed. */
  HIDDEN,
  /** They are printed like what is said. */
  INLINE,
  /** The template is asked to do without, by {@code enable_thinking=false}. */
  OFF
}
