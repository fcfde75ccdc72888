package dev.apus.kernels.attention;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.math.ScalarMath;
import dev.apus.kernels.math.ScalarSums;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * {@link Attention} with keys in lanes for the scores and columns in lanes for the values.
 *
 * <p>Blocks are scored in strips of four, so that the products of few queries still keep the
 * processor busy, and each block is loaded once for all queries of the call; queries are taken four
 * at a time.
 */
public final class VectorAttention extends BlockedAttention {

  private static final int LENGTH = Lanes.F32.length();

  /** Blocks of a strip, and the scores that a query has of one. */
  private static final int STRIP = 4;

  private static final int SCORES = STRIP * SLOTS;

  /** Queries taken at a time. */
  private static final int TILE = 4;

  /** What scratch holds for a query: the scores, the denominators, the maximum, the kept factor. */
  private static final int FLOATS = SCORES + SLOTS + 2;

  public VectorAttention() {}

  @Override
  public int scratchFloats(Traits traits, int rows, int group) {
    return rows * group * FLOATS;
  }

  @Override
  public void attend(
      Traits traits,
      Queries q,
      Visited visited,
      MemorySegment keys,
      long keysAt,
      MemorySegment values,
      long valuesAt,
      float[] slopes,
      float[] sinks,
      int headAt,
      float[] out,
      int outAt,
      int outStride,
      float[] scratch) {
    var call =
        new Call(
            traits, q, visited, keys, keysAt, values, valuesAt, slopes, headAt, out, outAt,
            outStride, scratch);
    call.clear();
    var walk = new VisitedBlocks(visited, q.position(), q.position() + q.rows() - 1);
    int[] blocks = new int[STRIP];
    int[] masks = new int[STRIP];
    int count;
    do {
      count = 0;
      while (count < STRIP && walk.next()) {
        blocks[count] = walk.block();
        masks[count++] = walk.mask();
      }
      if (count > 0) {
        call.takeStrip(blocks, masks, count);
      }
    } while (count == STRIP);
    call.finish(sinks);
  }

  /** The arguments of one call, and where its queries lie in scratch. */
  private record Call(
      Traits traits,
      Queries q,
      Visited visited,
      MemorySegment keys,
      long keysAt,
      MemorySegment values,
      long valuesAt,
      float[] slopes,
      int headAt,
      float[] out,
      int outAt,
      int outStride,
      float[] scratch) {

    int queries() {
      return q.rows() * q.group();
    }

    /** Where query {@code i} of the call begins; queries are numbered row by row. */
    int queryAt(int i) {
      return q.at() + i / q.group() * q.stride() + i % q.group() * traits.headDim();
    }

    int resultAt(int i) {
      return outAt + i / q.group() * outStride + i % q.group() * traits.valueDim();
    }

    int position(int i) {
      return q.position() + i / q.group();
    }

    int denominatorAt(int i) {
      return queries() * SCORES + i * SLOTS;
    }

    int maxAt(int i) {
      return queries() * (SCORES + SLOTS) + i;
    }

    int keptAt(int i) {
      return queries() * (SCORES + SLOTS + 1) + i;
    }

    int seen(int i, int mask, int block) {
      return VisitedBlocks.seen(mask, block, visited, position(i));
    }

    void clear() {
      for (int i = 0; i < queries(); i++) {
        Arrays.fill(out, resultAt(i), resultAt(i) + traits.valueDim(), 0);
        scratch[maxAt(i)] = Float.NEGATIVE_INFINITY;
      }
      Arrays.fill(scratch, denominatorAt(0), denominatorAt(queries()), 0);
    }

    void takeStrip(int[] blocks, int[] masks, int count) {
      // What is scored past the last block is not used; it only has to be there.
      Arrays.fill(blocks, count, STRIP, blocks[count - 1]);
      int i = 0;
      for (; i + TILE <= queries(); i += TILE) {
        if (isSeen(i, i + TILE, blocks, masks, count)) {
          scoreFour(i, blocks, count);
        }
      }
      for (; i < queries(); i++) {
        if (isSeen(i, i + 1, blocks, masks, count)) {
          scoreOne(i, blocks, count);
        }
      }
      for (int b = 0; b < count; b++) {
        for (i = 0; i < queries(); i++) {
          weigh(i, b * SLOTS, blocks[b], seen(i, masks[b], blocks[b]));
        }
        mix(b * SLOTS, blocks[b], masks[b]);
      }
    }

    private boolean isSeen(int from, int to, int[] blocks, int[] masks, int count) {
      for (int b = 0; b < count; b++) {
        for (int i = from; i < to; i++) {
          if (seen(i, masks[b], blocks[b]) != 0) {
            return true;
          }
        }
      }
      return false;
    }

    private void scoreFour(int i, int[] blocks, int count) {
      for (int lane = 0; lane < count * SLOTS; lane += 2 * LENGTH) {
        ScoreTiles.four(
            q.data(),
            queryAt(i),
            queryAt(i + 1),
            queryAt(i + 2),
            queryAt(i + 3),
            traits.headDim(),
            keys,
            keyVectorAt(blocks, lane),
            keyVectorAt(blocks, lane + LENGTH),
            scratch,
            i * SCORES + lane,
            SCORES);
      }
    }

    private void scoreOne(int i, int[] blocks, int count) {
      for (int lane = 0; lane < count * SLOTS; lane += 4 * LENGTH) {
        ScoreTiles.one(
            q.data(),
            queryAt(i),
            traits.headDim(),
            keys,
            keyVectorAt(blocks, lane),
            keyVectorAt(blocks, lane + LENGTH),
            keyVectorAt(blocks, lane + 2 * LENGTH),
            keyVectorAt(blocks, lane + 3 * LENGTH),
            scratch,
            i * SCORES + lane);
      }
    }

    /** Where the vector of keys begins whose first score is number {@code lane} of the strip. */
    private long keyVectorAt(int[] blocks, int lane) {
      return keysAt + blockAt(blocks[lane / SLOTS], traits.headDim()) + lane % SLOTS * 4L;
    }

    /** Turns a query's scores of a block, at {@code lane} of the strip, into weights. */
    private void weigh(int i, int lane, int block, int seen) {
      if (seen == 0) {
        return;
      }
      int at = i * SCORES + lane;
      BlockWeights.scale(traits.scale(), traits.softcap(), scratch, at);
      if (slopes != null) {
        float distance = block * SLOTS - position(i);
        BlockWeights.incline(slopes[headAt + i % q.group()], distance, scratch, at);
      }
      if (seen != VisitedBlocks.ALL) {
        BlockWeights.hide(seen, scratch, at);
      }
      float max = scratch[maxAt(i)];
      float newMax = Math.max(max, BlockWeights.max(scratch, at));
      float kept = max == newMax ? 1 : ScalarMath.exp(max - newMax);
      scratch[maxAt(i)] = newMax;
      scratch[keptAt(i)] = kept;
      if (newMax != Float.NEGATIVE_INFINITY) {
        BlockWeights.weigh(newMax, kept, scratch, at, denominatorAt(i));
      }
    }

    /** Adds a block's weighted values to the results. */
    private void mix(int lane, int block, int mask) {
      int valueDim = traits.valueDim();
      long rowsAt = valuesAt + 4L * block * SLOTS * valueDim;
      int i = 0;
      for (; i + TILE <= queries(); i += TILE) {
        int columns = 0;
        if (allSeen(i, mask, block)) {
          columns = ValueTiles.columnsOfFour(valueDim);
          ValueTiles.four(
              scratch,
              i * SCORES + lane,
              SCORES,
              keptAt(i),
              values,
              rowsAt,
              valueDim,
              out,
              resultAt(i),
              resultAt(i + 1),
              resultAt(i + 2),
              resultAt(i + 3));
        }
        for (int j = i; j < i + TILE; j++) {
          mixOne(j, lane, block, mask, rowsAt, columns);
        }
      }
      for (; i < queries(); i++) {
        mixOne(i, lane, block, mask, rowsAt, 0);
      }
    }

    private boolean allSeen(int from, int mask, int block) {
      for (int i = from; i < from + TILE; i++) {
        if (seen(i, mask, block) != VisitedBlocks.ALL
            || scratch[maxAt(i)] == Float.NEGATIVE_INFINITY) {
          return false;
        }
      }
      return true;
    }

    private void mixOne(int i, int lane, int block, int mask, long rowsAt, int columns) {
      int seen = seen(i, mask, block);
      if (seen != 0
          && columns < traits.valueDim()
          && scratch[maxAt(i)] != Float.NEGATIVE_INFINITY) {
        ValueTiles.one(
            scratch,
            i * SCORES + lane,
            scratch[keptAt(i)],
            seen,
            values,
            rowsAt,
            columns,
            traits.valueDim(),
            out,
            resultAt(i));
      }
    }

    void finish(float[] sinks) {
      for (int i = 0; i < queries(); i++) {
        float max = scratch[maxAt(i)];
        if (max != Float.NEGATIVE_INFINITY) {
          int head = headAt + i % q.group();
          float sum = ScalarSums.tree(scratch, denominatorAt(i));
          float factor = lastFactor(max, sum, sinks, head);
          for (int j = resultAt(i); j < resultAt(i) + traits.valueDim(); j++) {
            out[j] = out[j] * factor;
          }
        }
      }
    }
  }
}
