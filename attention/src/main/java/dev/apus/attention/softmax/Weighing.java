package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.Arrays;

/** The weights that some queries of one run give to the slots they see. */
final class Weighing {

  private final Attention kernel;
  private final Traits traits;
  private final Traits withoutValues;
  private final int group;
  private final Biases biases;

  /**
   * @param group query heads that share a key–value head
   * @param biases of all query heads
   */
  Weighing(Attention kernel, Traits traits, int group, Biases biases) {
    this.kernel = kernel;
    this.traits = traits;
    this.withoutValues = new Traits(traits.headDim(), 0, traits.scale(), traits.softcap());
    this.group = group;
    this.biases = biases;
  }

  Weighing(Selections.Layer layer) {
    this(layer.kernel(), layer.traits(), layer.heads().group(), layer.biases());
  }

  /**
   * The queries that some query heads of some rows ask a cache, and what they see.
   *
   * @param head the first query head
   * @param end the slot after the last that is visited
   */
  record Asked(KeyValueCache cache, Queries q, int head, Visited visited, int end) {}

  /** Reads the weights of one query and the slots of one span. */
  @FunctionalInterface
  interface Reader {
    /**
     * @param query row by row, and in these head by head
     * @param slot the first of the span
     * @param weights those of its slots, from {@code at} on
     */
    void read(int query, int slot, float[] weights, int at);
  }

  /** Hands over the weights, span by span in each query, and attends to nothing. */
  void read(Pass pass, int worker, Asked asked, Reader reader) {
    weigh(pass, worker, withoutValues, asked, null, 0, reader);
  }

  /**
   * Attends, and hands over the weights, span by span in each query.
   *
   * @param o receives what the rows get from row {@code row} on, in the columns of their heads
   */
  void attend(Pass pass, int worker, Asked asked, Matrix o, int row, Reader reader) {
    weigh(pass, worker, traits, asked, o, row, reader);
  }

  private void weigh(
      Pass pass, int worker, Traits of, Asked asked, Matrix o, int row, Reader reader) {
    Queries q = asked.q;
    int spans = Math.ceilDiv(asked.end, Attention.SPAN);
    int partFloats = kernel.partFloats(of, q.count());
    int partsAt = kernel.scratchFloats(of, q.count());
    int weightsAt = Math.addExact(partsAt, Math.multiplyExact(spans, partFloats));
    int weightFloats = Math.multiplyExact(q.count(), Attention.SPAN);
    int floats = Math.addExact(weightsAt, Math.multiplyExact(spans, weightFloats));
    float[] scratch = pass.scratch(worker, floats);
    var some = new Biases(biases.slopes(), biases.sinks(), asked.head);
    for (int span = 0; span < spans; span++) {
      kernel.weighSpan(
          of,
          q,
          asked.visited,
          span,
          asked.cache.stored(asked.head / group),
          some,
          scratch,
          partsAt + span * partFloats,
          scratch,
          weightsAt + span * weightFloats,
          scratch);
    }
    kernel.normalize(of, q, some, scratch, partsAt, spans, scratch, weightsAt);
    if (o != null) {
      int at = o.at(row) + asked.head * of.valueDim();
      kernel.merge(of, q, some, scratch, partsAt, spans, o.data(), at, o.cols());
    }
    for (int query = 0; query < q.count(); query++) {
      for (int span = 0; span < spans; span++) {
        int at = weightsAt + span * weightFloats + query * Attention.SPAN;
        reader.read(query, span * Attention.SPAN, scratch, at);
      }
    }
  }

  /**
   * A reader that adds the weights of some queries up, slot by slot.
   *
   * @param queries how many neighbouring queries have one sum
   * @param sums those of the first queries are from {@code sumsAt} on, {@code end} of them; those
   *     of the next follow; all are overwritten
   */
  static Reader sums(Asked asked, int queries, float[] sums, int sumsAt) {
    int end = asked.end;
    Arrays.fill(sums, sumsAt, sumsAt + asked.q.count() / queries * end, 0);
    return (query, slot, weights, at) -> {
      int count = Math.min(Attention.SPAN, end - slot);
      int to = sumsAt + query / queries * end + slot;
      for (int i = 0; i < count; i++) {
        sums[to + i] += weights[at + i];
      }
    };
  }
}
