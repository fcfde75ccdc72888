package dev.apus.kernels.attention;

import static jdk.incubator.vector.VectorOperators.MAX;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.math.VectorMath;
import dev.apus.kernels.matmul.PanelProducts;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops over the scores of one query: {@code count} of them, in strips that begin {@code step}
 * floats apart.
 */
final class SpanWeights {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final int L = F.length();
  private static final int STRIP = PanelProducts.STRIDE;

  /** Partial sums of a denominator. */
  private static final int PARTIALS = 16;

  private static final FloatVector IOTA = FloatVector.zero(F).addIndex(1);

  private SpanWeights() {}

  /** Multiplies the scores by a factor and returns the greatest. */
  static float scale(float factor, float[] scores, int at, int step, int count) {
    FloatVector max = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < count; i += L) {
      int scoreAt = at + i / STRIP * step + i % STRIP;
      FloatVector score = FloatVector.fromArray(F, scores, scoreAt).mul(factor);
      score.intoArray(scores, scoreAt);
      max = max.max(score);
    }
    return max.reduceLanes(MAX);
  }

  /** Caps the scores. */
  static void cap(float softcap, float[] scores, int at, int step, int count) {
    for (int i = 0; i < count; i += STRIP) {
      int stripAt = at + i / STRIP * step;
      VectorMath.tanh(softcap, false, scores, stripAt, scores, stripAt, STRIP);
    }
  }

  /** Adds the slope times the distance, which is {@code distance} for the first score. */
  static void incline(float slope, int distance, float[] scores, int at, int step, int count) {
    for (int i = 0; i < count; i += L) {
      int scoreAt = at + i / STRIP * step + i % STRIP;
      FloatVector score = FloatVector.fromArray(F, scores, scoreAt);
      FloatVector lanes = IOTA.add(i % PARTIALS).add(distance + i / PARTIALS * PARTIALS);
      FloatVector.broadcast(F, slope).fma(lanes, score).intoArray(scores, scoreAt);
    }
  }

  /**
   * Adds what is left of the way from a slot's level, whose sums begin at {@code sumsAt}, to
   * another.
   */
  static void fade(
      float level, MemorySegment sums, long sumsAt, float[] scores, int at, int step, int count) {
    for (int i = 0; i < count; i += L) {
      int scoreAt = at + i / STRIP * step + i % STRIP;
      FloatVector sum =
          FloatVector.fromMemorySegment(
              F, sums, sumsAt + (long) i * Float.BYTES, ByteOrder.nativeOrder());
      FloatVector kept = FloatVector.broadcast(F, level).sub(sum);
      FloatVector.fromArray(F, scores, scoreAt).add(kept).intoArray(scores, scoreAt);
    }
  }

  /** Turns scores into weights relative to {@code max}, and writes their sixteen partial sums. */
  static void weigh(
      float max, float[] scores, int at, int step, int count, float[] sums, int sumsAt) {
    for (int lane = 0; lane < PARTIALS; lane += L) {
      FloatVector sum = FloatVector.zero(F);
      for (int i = lane; i < count; i += PARTIALS) {
        int scoreAt = at + i / STRIP * step + i % STRIP;
        FloatVector weight = VectorMath.exp(FloatVector.fromArray(F, scores, scoreAt).sub(max));
        weight.intoArray(scores, scoreAt);
        sum = sum.add(weight);
      }
      sum.intoArray(sums, sumsAt + lane);
    }
  }
}
