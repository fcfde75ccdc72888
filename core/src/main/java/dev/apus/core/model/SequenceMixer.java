package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import java.util.Set;

/**
 * A layer's way of moving information along the sequence: attention, a state space, a recurrence.
 *
 * <p>Prefill and decode are one method: a run of many rows is prefill, a run of one row is decode,
 * and any way of cutting a sequence into runs gives the same answer: the same bits, at multiples of
 * the mixer's {@link #grain}. One instance serves every sequence and every thread; what a sequence
 * remembers is in its state.
 */
public interface SequenceMixer<S extends MixerState> {

  /** The grain of a mixer to which it shows where the first run of a sequence ends. */
  int WHOLE = Integer.MAX_VALUE;

  /**
   * The memory of a sequence that has not begun.
   *
   * @param limit the most tokens the sequence will have
   */
  S newState(int limit);

  /** Writes a row of {@code y} for each row of {@code x} and advances the state of every run. */
  void forward(Pass pass, Batch<S> batch, Matrix x, Matrix y);

  /**
   * What the rows of a run may see. Who names {@link Visibility#BIDIRECTIONAL} looks ahead in runs
   * that ask for it; who names it alone needs a sequence as a whole, in one run.
   */
  default Set<Visibility> visibilities() {
    return Set.of(Visibility.CAUSAL);
  }

  /** Whether tokens that a run names as global matter to it. */
  default boolean seesGlobalTokens() {
    return false;
  }

  /**
   * Bytes that one more token adds to a state, however long it is; 0 for a state of constant size,
   * for one that grows ever more slowly, and for one that forgets a token for each new one.
   */
  long bytesPerToken();

  /**
   * Bytes that a state takes at most, between passes, for its last tokens, if it forgets those
   * before or keeps them otherwise; 0 if it does neither.
   */
  default long windowBytes() {
    return 0;
  }

  /**
   * A number of tokens at whose multiples a run may be cut with the same bits as in one piece: 1 if
   * any cut keeps the bits. A parallel form that takes tokens in groups names the group's length; a
   * mixer whose first tokens see what is between them all names {@link #WHOLE}, so that what a
   * sequence begins with is one run.
   */
  default int grain() {
    return 1;
  }

  /**
   * Whether it shows in a state where those who gave the sequence's tokens asked for logits: then
   * what two texts have in common does not leave the same state.
   */
  default boolean endsShow() {
    return false;
  }

  /** All tokens that were given have been taken, and logits are wanted; see {@link #endsShow}. */
  default void rest(Pass pass, S state) {}

  /**
   * What of a sequence's limit shows in its state: states of limits with the same variant have the
   * same bits, others must not be exchanged.
   */
  default int variant(int limit) {
    return 0;
  }
}
