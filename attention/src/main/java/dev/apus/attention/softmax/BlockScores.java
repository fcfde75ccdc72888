package dev.apus.attention.softmax;

import dev.apus.attention.softmax.KeySelection.Heads;
import dev.apus.core.compute.Pass;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Traits;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;

/** Products of the queries of a batch with the {@link BlockSummary} keys of their caches. */
final class BlockScores {

  /** A tile's scores should stay in a cache. */
  private static final int MOST_SCORES = 1 << 18;

  /** What reads the scores of a row, for the query heads that share a key–value head. */
  interface Reader {

    /**
     * @param scores head {@code g} of the group and block {@code b} are at {@code at + g · stride +
     *     b}; may be overwritten
     * @param count blocks that the row is scored against
     */
    void read(
        Run<KeyValueCache> run,
        int row,
        int keyHead,
        float[] scores,
        int at,
        int stride,
        int count);
  }

  private record Part(Run<KeyValueCache> run, int from, int rows, int keyHead) {}

  private final Heads heads;
  private final float scale;
  private final IntUnaryOperator blocks;

  /**
   * @param scale factor on products
   * @param blocks how many blocks, the first of the sequence, a row at a position is scored
   *     against; never falls
   */
  BlockScores(Heads heads, float scale, IntUnaryOperator blocks) {
    this.heads = heads;
    this.scale = scale;
    this.blocks = blocks;
  }

  /** Hands over each row's scores, on several threads. */
  void read(Pass pass, List<Run<KeyValueCache>> runs, Matrix q, Reader reader) {
    List<Part> parts = new ArrayList<>();
    for (Run<KeyValueCache> run : runs) {
      for (int end = run.to(); end > run.from(); ) {
        int most = Math.max(1, blocks(run, end - 1)) * heads.group();
        int rows = Math.clamp(MOST_SCORES / most, 1, Tile.rows(heads.group()));
        int from = Math.max(run.from(), end - rows);
        for (int head = 0; head < heads.keyHeads(); head++) {
          parts.add(new Part(run, from, end - from, head));
        }
        end = from;
      }
    }
    pass.workers()
        .run(parts.size(), (part, worker) -> read(pass, worker, parts.get(part), q, reader));
  }

  private int blocks(Run<KeyValueCache> run, int row) {
    return blocks.applyAsInt(run.position() + row - run.from());
  }

  private void read(Pass pass, int worker, Part part, Matrix q, Reader reader) {
    KeyValueCache summaries = part.run.state().summaries();
    Attention kernel = summaries.layout().kernel();
    int dim = summaries.layout().keyDim();
    int group = heads.group();
    int queries = part.rows * group;
    int stride = blocks(part.run, part.from + part.rows - 1);
    var traits = new Traits(dim, 0, scale, 0);
    int scoresAt = kernel.scratchFloats(traits, queries);
    float[] scratch = pass.scratch(worker, Math.addExact(scoresAt, queries * stride));
    if (stride > 0) {
      int at = q.at(part.from) + part.keyHead * group * dim;
      kernel.score(
          traits,
          new Queries(q.data(), at, q.cols(), part.rows, group, 0),
          0,
          stride,
          summaries.stored(part.keyHead),
          scratch,
          scoresAt,
          stride,
          scratch);
    }
    for (int i = 0; i < part.rows; i++) {
      int row = part.from + i;
      int count = blocks(part.run, row);
      int at = scoresAt + i * group * stride;
      reader.read(part.run, row, part.keyHead, scratch, at, stride, count);
    }
  }
}
