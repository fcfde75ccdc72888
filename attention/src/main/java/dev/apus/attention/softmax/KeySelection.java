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

  /** What tokens to come may visit, whatever they are. */
  default Reach reach() {
    return Reach.ALL;
  }

  /** Whether query heads that share a key–value head may be in tiles of their own. */
  default boolean isByHead() {
    return false;
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
   * Whether its tiles are single queries, head after head, that have keys and visits in common,
   * which are then the same objects; scores must not depend on positions.
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
