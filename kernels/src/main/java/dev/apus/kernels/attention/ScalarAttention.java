package dev.apus.kernels.attention;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.apus.kernels.math.ScalarMath;
import dev.apus.kernels.math.ScalarSums;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** The definition of {@link Attention}: one query after another, one block of keys at a time. */
public final class ScalarAttention extends BlockedAttention {

  /** Scratch: the scores of a block, which become its weights, and the partial denominators. */
  private static final int DENOMINATOR_AT = SLOTS;

  public ScalarAttention() {}

  @Override
  public int scratchFloats(Traits traits, int rows, int group) {
    return 2 * SLOTS;
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
    for (int r = 0; r < q.rows(); r++) {
      for (int g = 0; g < q.group(); g++) {
        int at = outAt + r * outStride + g * traits.valueDim();
        float slope = slopes == null ? 0 : slopes[headAt + g];
        Arrays.fill(out, at, at + traits.valueDim(), 0);
        Arrays.fill(scratch, DENOMINATOR_AT, DENOMINATOR_AT + SLOTS, 0);
        float max = Float.NEGATIVE_INFINITY;
        int position = q.position() + r;
        var blocks = new VisitedBlocks(visited, position, position);
        while (blocks.next()) {
          long blockAt = keysAt + blockAt(blocks.block(), traits.headDim());
          int queryAt = q.at() + r * q.stride() + g * traits.headDim();
          score(traits, q.data(), queryAt, slope, position, blocks, keys, blockAt, scratch);
          long rowsAt = valuesAt + 4L * blocks.block() * SLOTS * traits.valueDim();
          max = take(traits, max, blocks.mask(), values, rowsAt, out, at, scratch);
        }
        if (max != Float.NEGATIVE_INFINITY) {
          float sum = ScalarSums.tree(scratch, DENOMINATOR_AT);
          float factor = lastFactor(max, sum, sinks, headAt + g);
          for (int j = at; j < at + traits.valueDim(); j++) {
            out[j] = out[j] * factor;
          }
        }
      }
    }
  }

  /** Writes the scores of a block; −∞ for a slot that is not seen. */
  private static void score(
      Traits traits,
      float[] q,
      int queryAt,
      float slope,
      int position,
      VisitedBlocks blocks,
      MemorySegment keys,
      long blockAt,
      float[] scores) {
    for (int lane = 0; lane < SLOTS; lane++) {
      scores[lane] = Float.NEGATIVE_INFINITY;
      if ((blocks.mask() >> lane & 1) != 0) {
        float dot = 0;
        for (int d = 0; d < traits.headDim(); d++) {
          long at = blockAt + (d * SLOTS + lane) * 4L;
          dot = Math.fma(keys.get(JAVA_FLOAT_UNALIGNED, at), q[queryAt + d], dot);
        }
        float score = dot * traits.scale();
        if (traits.softcap() != 0) {
          score = traits.softcap() * ScalarMath.tanh(score / traits.softcap());
        }
        float distance = (float) (blocks.block() * SLOTS - position) + (float) lane;
        scores[lane] = Math.fma(slope, distance, score);
      }
    }
  }

  /** Adds the weighted values of a block to {@code out} and returns the new greatest score. */
  private static float take(
      Traits traits,
      float max,
      int mask,
      MemorySegment values,
      long rowsAt,
      float[] out,
      int at,
      float[] scratch) {
    float newMax = max;
    for (int lane = 0; lane < SLOTS; lane++) {
      newMax = Math.max(newMax, scratch[lane]);
    }
    if (newMax == Float.NEGATIVE_INFINITY) {
      return newMax;
    }
    float kept = ScalarMath.exp(max - newMax);
    for (int lane = 0; lane < SLOTS; lane++) {
      scratch[lane] = ScalarMath.exp(scratch[lane] - newMax);
      int sumAt = DENOMINATOR_AT + lane;
      scratch[sumAt] = Math.fma(scratch[sumAt], kept, scratch[lane]);
    }
    for (int j = 0; j < traits.valueDim(); j++) {
      float sum = out[at + j] * kept;
      for (int lane = 0; lane < SLOTS; lane++) {
        if ((mask >> lane & 1) != 0) {
          long valueAt = rowsAt + ((long) lane * traits.valueDim() + j) * 4;
          sum = Math.fma(values.get(JAVA_FLOAT_UNALIGNED, valueAt), scratch[lane], sum);
        }
      }
      out[at + j] = sum;
    }
    return newMax;
  }
}
