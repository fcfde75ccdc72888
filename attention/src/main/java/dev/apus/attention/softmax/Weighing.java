package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.Arrays;

/** The weights that some queries of one run give to the slots they see. */
final class Weighing {

  private final Selections.Layer layer;

  Weighing(Selections.Layer layer) {
    this.layer = layer;
  }

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

  /**
   * Hands over the weights, span by span in each query.
   *
   * @param head the first query head
   * @param end the slot after the last that is visited
   */
  void read(
      Pass pass,
      int worker,
      KeyValueCache cache,
      Queries q,
      int head,
      Visited visited,
      int end,
      Reader reader) {
    Attention kernel = layer.kernel();
    int spans = Math.ceilDiv(end, Attention.SPAN);
    int partFloats = kernel.partFloats(layer.traits(), q.count());
    int partsAt = kernel.scratchFloats(layer.traits(), q.count());
    int weightsAt = Math.addExact(partsAt, Math.multiplyExact(spans, partFloats));
    int weightFloats = Math.multiplyExact(q.count(), Attention.SPAN);
    int floats = Math.addExact(weightsAt, Math.multiplyExact(spans, weightFloats));
    float[] scratch = pass.scratch(worker, floats);
    int keyHead = head / layer.heads().group();
    var biases = new Biases(layer.biases().slopes(), layer.biases().sinks(), head);
    for (int span = 0; span < spans; span++) {
      kernel.weighSpan(
          layer.traits(),
          q,
          visited,
          span,
          cache.stored(keyHead),
          biases,
          scratch,
          partsAt + span * partFloats,
          scratch,
          weightsAt + span * weightFloats,
          scratch);
    }
    kernel.normalize(layer.traits(), q, biases, scratch, partsAt, spans, scratch, weightsAt);
    for (int query = 0; query < q.count(); query++) {
      for (int span = 0; span < spans; span++) {
        int at = weightsAt + span * weightFloats + query * Attention.SPAN;
        reader.read(query, span * Attention.SPAN, scratch, at);
      }
    }
  }

  /**
   * Adds the weights of all queries up, slot by slot.
   *
   * @param sums of the slots before {@code end}, which are overwritten
   */
  void sum(
      Pass pass,
      int worker,
      KeyValueCache cache,
      Queries q,
      int head,
      Visited visited,
      int end,
      float[] sums,
      int sumsAt) {
    Arrays.fill(sums, sumsAt, sumsAt + end, 0);
    read(
        pass,
        worker,
        cache,
        q,
        head,
        visited,
        end,
        (query, slot, weights, at) -> {
          int count = Math.min(Attention.SPAN, end - slot);
          for (int i = 0; i < count; i++) {
            sums[sumsAt + slot + i] += weights[at + i];
          }
        });
  }
}
