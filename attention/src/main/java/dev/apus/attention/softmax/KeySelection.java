package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention;
import java.util.List;

/**
 * Which of a sequence's keys its queries visit: what is not visited is neither read nor computed.
 *
 * <p>A choice may depend on the query, on what stands in the cache up to its position, and on
 * nothing else: neither on the rows beside it, nor on how a sequence was cut into calls.
 */
interface KeySelection {

  /**
   * The queries of some runs in tiles, each with what its rows visit.
   *
   * @param q the queries of all rows, whose keys are in the caches already
   * @param heads how the columns of {@code q} are divided
   * @return tiles that hold each query head of each row once; those with the most to do first
   */
  List<Tile> tiles(Pass pass, List<Run<KeyValueCache>> runs, Matrix q, Heads heads);

  /**
   * Attends to the rows of which each may visit what the weights of those before it have left.
   *
   * @param o receives what these rows get
   * @return tiles of all other rows
   */
  default List<Tile> attend(
      Pass pass, List<Run<KeyValueCache>> runs, Matrix q, Heads heads, Matrix o) {
    return tiles(pass, runs, q, heads);
  }

  /** What tokens to come may visit, whatever they are. */
  default Reach reach() {
    return Reach.ALL;
  }

  /** Whether rows of runs that look ahead may visit keys of tokens after them. */
  default boolean looksAhead() {
    return false;
  }

  /** Whether rows of runs that look ahead may also see what the first of them does. */
  default boolean seesTogether() {
    return false;
  }

  /** Whether query heads that share a key–value head may be in tiles of their own. */
  default boolean isByHead() {
    return false;
  }

  /**
   * Whether its tiles depend on positions alone, and come run after run, so that they may be made
   * before the keys are there.
   */
  default boolean isByPosition() {
    return false;
  }

  /**
   * A number of tokens at whose multiples a run may be cut with the same bits as in one piece;
   * above 1 for a choice that neighbouring queries make together.
   */
  default int grain() {
    return 1;
  }

  /**
   * The last position that queries are turned to for {@linkplain Tile#far far visits}, wherever
   * they stand; below 0 if there are none.
   */
  default int farPosition() {
    return -1;
  }

  /**
   * What it must know of blocks of keys; null for nothing.
   *
   * @param exact a kernel that rounds nothing
   */
  default BlockSummary summary(Attention exact) {
    return null;
  }

  /**
   * What it remembers of a sequence of {@code limit} tokens beside keys and values; null for
   * nothing.
   */
  default PolicyMemory newMemory(int limit) {
    return null;
  }

  /** The most slots that it lets a cache of a sequence of {@code limit} tokens have. */
  default int capacity(int limit) {
    return limit;
  }

  /** Whether there is a most for sequences of any length. */
  default boolean isBounded() {
    return capacity(Integer.MAX_VALUE) < Integer.MAX_VALUE;
  }

  /** How many tokens may be appended to a cache, and attended to, before {@link #makeRoom}. */
  default int room(KeyValueCache cache) {
    return Integer.MAX_VALUE;
  }

  /** Gives back what tokens to come do not visit. */
  default void makeRoom(Pass pass, KeyValueCache cache) {}

  /**
   * Whether it shows in a cache where those who gave its tokens asked for logits, because it is
   * told so by {@link #rest}.
   */
  default boolean endsShow() {
    return false;
  }

  /** All tokens that were given have been appended and attended to, and logits are wanted. */
  default void rest(Pass pass, KeyValueCache cache) {}

  /**
   * Whether its tiles are single queries, head after head, that have visits in common, which are
   * then the same object; scores must not depend on positions.
   */
  default boolean sharesVisits() {
    return false;
  }

  /**
   * The heads of a layer.
   *
   * @param keyHeads heads of keys and values
   * @param group query heads that share one of them
   */
  record Heads(int keyHeads, int group) {}
}
