package dev.apus.core.generate;

import java.util.function.BooleanSupplier;

/**
 * A sequence of tokens that a model can continue: what a generation needs of a session.
 *
 * <p>Appending is cheap and computes nothing; {@link #logits} computes whatever has been appended
 * since the last time. So the sequence always holds every token that was chosen, although the last
 * one need not have been computed, and the next prompt is computed together with it.
 *
 * <p>A method that throws leaves the sequence as it was.
 */
public interface TokenSource {

  /** How many ids may be chosen: 0 to this, exclusive. Logits beyond it are ignored. */
  int vocabulary();

  /** How many tokens the sequence holds. */
  int length();

  /** How many tokens the sequence can hold. */
  int limit();

  /**
   * Adds tokens to the end of the sequence. The array belongs to the caller and may change later.
   *
   * @throws IllegalArgumentException if an id is unknown or the tokens do not fit
   */
  void append(int... tokens);

  /**
   * The logits after the last token, at least {@link #vocabulary()} of them; valid until the next
   * call of any method, and not to be changed.
   *
   * @param cancelled asked now and then, at least once a layer; may be asked on any thread
   * @throws java.util.concurrent.CancellationException soon after {@code cancelled} has become true
   * @throws IllegalStateException if the sequence is empty
   */
  float[] logits(BooleanSupplier cancelled);

  /** How many tokens at the beginning were not computed, because others had computed them. */
  default int reusedTokens() {
    return 0;
  }

  /** Called when a generation has ended, other than by a failure; the source may rest. */
  default void settle() {}

  /** Remembers this place in the sequence. */
  Mark mark();

  /** A place in the sequence that one can go back to. */
  interface Mark extends AutoCloseable {

    /** Takes the sequence back to this place, as often as wanted. */
    void rewind();

    /** Lets go of what the mark keeps; closing it again does nothing. */
    @Override
    void close();
  }
}
