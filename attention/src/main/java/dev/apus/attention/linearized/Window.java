package dev.apus.attention.linearized;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Batch;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.attention.Attention.Visited;

/** Attends to the window, and joins what was read of the memory to it. */
final class Window {

  private static final Biases NONE = new Biases(null, null, 0);

  private final Attention kernel;
  private final Traits traits;
  private final LinearizedSpec spec;
  private final SlidingCache cache;
  private final float[] farByNear;

  /**
   * @param mix for each head, the logit of the window's factor; null if the two are not divided
   *     together
   */
  Window(Attention kernel, LinearizedSpec spec, SlidingCache cache, float[] mix) {
    this.kernel = kernel;
    this.traits = new Traits(spec.headDim(), spec.headDim(), spec.scale(), 0);
    this.spec = spec;
    this.cache = cache;
    this.farByNear = mix == null ? null : new float[mix.length];
    for (int head = 0; mix != null && head < mix.length; head++) {
      double near = 1 / (1 + StrictMath.exp(-mix[head]));
      farByNear[head] = (float) ((spec.affine() ? 1 - near : 1) / near);
    }
  }

  /**
   * Appends keys and values and writes what all heads make of them and of the memory.
   *
   * @param far what was read of the memory, with the sum of its weights behind each head's values
   *     where the two are divided together
   */
  void attend(
      Pass pass, Batch<RecurrentState> batch, Matrix q, Matrix k, Matrix v, Matrix far, Matrix o) {
    batch.eachPart(
        pass,
        spec.kvHeads(),
        (run, head, worker) -> {
          RecurrentState state = run.state();
          state.keep(cache.keys(), head);
          state.keep(cache.keys() + 1, head);
          for (int row = run.from(); row < run.to(); row += SlidingCache.MOST) {
            int rows = Math.min(SlidingCache.MOST, run.to() - row);
            int position = run.position() + row - run.from();
            cache.append(state, head, position, k, v, row, rows);
            attend(pass, worker, run, head, row, rows, position, q, far, o);
            cache.drop(state, head, position, rows);
          }
        });
  }

  private void attend(
      Pass pass,
      int worker,
      Run<RecurrentState> run,
      int head,
      int row,
      int rows,
      int position,
      Matrix q,
      Matrix far,
      Matrix o) {
    int group = spec.group();
    int qAt = q.at(row) + head * group * spec.headDim();
    Queries tile = new Queries(q.data(), qAt, q.cols(), rows, group, position);
    Visited visited = cache.visited(position, rows);
    Piece piece = cache.piece(run.state(), head, position);
    int count = rows * group;
    int partFloats = kernel.partFloats(traits, count);
    int partsAt = kernel.scratchFloats(traits, count);
    int firstSpan = visited.ranges()[0] / Attention.SPAN;
    int spans = (visited.ranges()[1] - 1) / Attention.SPAN - firstSpan + 1;
    float[] parts = pass.scratch(worker, partsAt + (spans + 1) * partFloats);
    for (int i = 0; i < spans; i++) {
      int at = partsAt + i * partFloats;
      kernel.attendSpan(traits, tile, visited, firstSpan + i, piece, NONE, parts, at, parts);
    }
    if (farByNear != null) {
      addMemory(far, row, head, count, parts, partsAt, spans, partFloats);
    }
    int oAt = o.at(row) + head * group * spec.headDim();
    int all = farByNear == null ? spans : spans + 1;
    kernel.merge(traits, tile, NONE, parts, partsAt, all, o.data(), oAt, o.cols());
    if (farByNear == null) {
      mix(far, o, row, rows, head);
    }
  }

  /**
   * Adds one more part, which is what was read of the memory: as its greatest score counts that of
   * the window, below which the window's weights are kept.
   */
  private void addMemory(
      Matrix far, int row, int head, int count, float[] parts, int at, int spans, int partFloats) {
    int group = spec.group();
    int dim = spec.headDim();
    int query = dim + 2;
    for (int i = 0; i < count; i++) {
      float most = Float.NEGATIVE_INFINITY;
      for (int span = 0; span < spans; span++) {
        most = Math.max(most, parts[at + span * partFloats + i * query + dim]);
      }
      int queryHead = head * group + i % group;
      float factor = farByNear[queryHead];
      int from = far.at(row + i / group) + queryHead * (dim + 1);
      int to = at + spans * partFloats + i * query;
      for (int j = 0; j < dim; j++) {
        parts[to + j] = factor * far.data()[from + j];
      }
      parts[to + dim] = most;
      parts[to + dim + 1] = factor * far.data()[from + dim];
    }
  }

  private void mix(Matrix far, Matrix o, int row, int rows, int head) {
    int cols = spec.group() * spec.headDim();
    for (int i = row; i < row + rows; i++) {
      int at = o.at(i) + head * cols;
      for (int j = at; j < at + cols; j++) {
        o.data()[j] = spec.share() * o.data()[j] + (1 - spec.share()) * far.data()[j];
      }
    }
  }
}
