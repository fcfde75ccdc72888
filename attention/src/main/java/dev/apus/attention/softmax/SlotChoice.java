package dev.apus.attention.softmax;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.IndexQuery;
import dev.apus.kernels.attention.Attention.Stored;
import java.util.List;

/**
 * Chooses for each row the slots that an index scores highest; of equal scores, the lower slots
 * have precedence.
 *
 * @param heads of the index, which share one key of {@code headDim} values a slot
 * @param top how many slots a row chooses
 */
record SlotChoice(Attention kernel, int heads, int headDim, int top) {

  /** Memory that the scores of rows may take which are computed together. */
  private static final int MOST_SCORES = 1 << 22;

  /**
   * A row that sees more slots than it chooses.
   *
   * @param stored the keys of the index
   * @param seen it sees the slots before this
   */
  record Asking(int row, Stored stored, int seen) {}

  /**
   * What rows choose.
   *
   * @param q the queries of all rows, head after head
   * @param weights of the heads
   */
  ChosenSlots choose(Pass pass, List<Asking> asking, Matrix q, Matrix weights) {
    int[][] slots = new int[q.rows()][];
    for (int from = 0, to; from < asking.size(); from = to) {
      long floats = 0;
      for (to = from; to < asking.size(); to++) {
        floats += asking.get(to).seen();
        if (to > from && floats > MOST_SCORES) {
          break;
        }
      }
      choose(pass, asking.subList(from, to), q, weights, slots);
    }
    return new ChosenSlots(top, slots);
  }

  private void choose(Pass pass, List<Asking> asking, Matrix q, Matrix weights, int[][] slots) {
    int[] scoresAt = new int[asking.size() + 1];
    for (int i = 0; i < asking.size(); i++) {
      scoresAt[i + 1] = Math.addExact(scoresAt[i], asking.get(i).seen());
    }
    try (Pass.Frame frame = pass.frame()) {
      float[] scores = frame.floats(scoresAt[asking.size()]);
      Divisible[] works = new Divisible[asking.size()];
      for (int i = 0; i < works.length; i++) {
        Asking row = asking.get(i);
        int wAt = weights.at(row.row());
        var query = new IndexQuery(q.data(), q.at(row.row()), heads, headDim, weights.data(), wAt);
        works[i] = score(pass, row, query, scores, scoresAt[i]);
      }
      pass.run(works);
      pass.workers()
          .run(
              works.length,
              (i, worker) -> {
                Asking row = asking.get(i);
                slots[row.row()] = TopSlots.of(scores, scoresAt[i], row.seen(), top);
              });
    }
  }

  /** Scores the slots that a row sees, span by span. */
  private Divisible score(Pass pass, Asking row, IndexQuery query, float[] scores, int scoresAt) {
    return new Divisible(
        Math.ceilDiv(row.seen(), Attention.SPAN),
        (long) Attention.SPAN * heads * headDim,
        (from, to, worker) -> {
          float[] scratch = pass.scratch(worker, kernel.indexFloats(heads));
          for (int span = from; span < to; span++) {
            int first = span * Attention.SPAN;
            int end = Math.min(row.seen(), first + Attention.SPAN);
            kernel.index(
                query, row.stored().piece(span), first, end, scores, scoresAt + first, scratch);
          }
        });
  }
}
