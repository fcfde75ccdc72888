package dev.apus.kernels.attention;

import static jdk.incubator.vector.VectorOperators.MAX;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.math.VectorMath;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** The loops over the sixteen scores of one query and one block. */
final class BlockWeights {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();
  private static final int SLOTS = BlockedAttention.SLOTS;

  private static final FloatVector IOTA = FloatVector.zero(LANES).addIndex(1);

  private BlockWeights() {}

  /** Scales and caps the products of a query and the keys. */
  static void scale(float scale, float softcap, float[] scores, int at) {
    for (int i = at; i < at + SLOTS; i += LENGTH) {
      FloatVector.fromArray(LANES, scores, i).mul(scale).intoArray(scores, i);
    }
    if (softcap != 0) {
      VectorMath.tanh(softcap, false, scores, at, scores, at, SLOTS);
    }
  }

  /** Adds the slope times the distance, which is {@code distance} for the first slot. */
  static void incline(float slope, float distance, float[] scores, int at) {
    for (int lane = 0; lane < SLOTS; lane += LENGTH) {
      FloatVector score = FloatVector.fromArray(LANES, scores, at + lane);
      FloatVector lanes = IOTA.add(lane).add(distance);
      FloatVector.broadcast(LANES, slope).fma(lanes, score).intoArray(scores, at + lane);
    }
  }

  /** Makes the scores of the slots that are not in {@code mask} −∞. */
  static void hide(int mask, float[] scores, int at) {
    for (int lane = 0; lane < SLOTS; lane++) {
      if ((mask >> lane & 1) == 0) {
        scores[at + lane] = Float.NEGATIVE_INFINITY;
      }
    }
  }

  static float max(float[] scores, int at) {
    FloatVector max = FloatVector.fromArray(LANES, scores, at);
    for (int lane = LENGTH; lane < SLOTS; lane += LENGTH) {
      max = max.max(FloatVector.fromArray(LANES, scores, at + lane));
    }
    return max.reduceLanes(MAX);
  }

  /** Turns scores into weights relative to {@code max} and adds them to the denominators. */
  static void weigh(float max, float kept, float[] scores, int at, int denominatorAt) {
    for (int lane = 0; lane < SLOTS; lane += LENGTH) {
      FloatVector score = FloatVector.fromArray(LANES, scores, at + lane);
      FloatVector weight = VectorMath.exp(score.sub(max));
      weight.intoArray(scores, at + lane);
      FloatVector sum = FloatVector.fromArray(LANES, scores, denominatorAt + lane);
      sum.fma(FloatVector.broadcast(LANES, kept), weight).intoArray(scores, denominatorAt + lane);
    }
  }
}
