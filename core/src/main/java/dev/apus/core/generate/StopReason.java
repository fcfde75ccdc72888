package dev.apus.core.generate;

/** Why a generation ended. */
public enum StopReason {
  /** The model chose one of its own tokens that end a text. */
  END_OF_TEXT,
  /** The model chose one of {@link Sampling#stopTokens()}. */
  STOP_TOKEN,
  /** One of {@link Sampling#stopTexts()} was complete. */
  STOP_TEXT,
  /** The text is all that its {@link Sampling#constraint()} lets it be. */
  COMPLETE,
  /**
   * There was no more room, or {@link Sampling#maxTokens()} were chosen, before the text became
   * what its {@link Sampling#constraint()} asks for: what there is of it must not be taken for
   * that.
   */
  INCOMPLETE,
  /** {@link Sampling#maxTokens()} were chosen. */
  MAX_TOKENS,
  /** The source has no room for another token. */
  CONTEXT_FULL,
  /** The generation was cancelled or closed, or its thread interrupted. */
  CANCELLED,
  /**
   * The model, a processor or a callback failed, or something else changed the source; whoever
   * pulled has seen the exception.
   */
  FAILED
}
