package dev.apus.kernels.math;

import static jdk.incubator.vector.FloatVector.fromArray;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link ScalarSums} with the sixteen partial sums in one, two or four vectors. Lanes past the end
 * read 0, which leaves a partial sum as it is.
 */
public final class VectorSums {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();
  private static final int PARTIALS = ScalarSums.PARTIALS;

  /** Whether partial sums need a second vector, and a third and a fourth. */
  private static final boolean TWO = LENGTH < PARTIALS;

  private static final boolean FOUR = 2 * LENGTH < PARTIALS;

  private static final VectorShuffle<Float> UP_8 = up(8);
  private static final VectorShuffle<Float> UP_4 = up(4);
  private static final VectorShuffle<Float> UP_2 = up(2);
  private static final VectorShuffle<Float> UP_1 = up(1);

  /** The second half of sixteen lanes. */
  private static final VectorMask<Float> UPPER = LANES.indexInRange(0, PARTIALS / 2).not();

  private VectorSums() {}

  public static float sum(float[] a, int aAt, int count) {
    FloatVector s0 = FloatVector.zero(LANES);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    int i = 0;
    for (; i + PARTIALS <= count; i += PARTIALS) {
      s0 = s0.add(fromArray(LANES, a, aAt + i));
      if (TWO) {
        s1 = s1.add(fromArray(LANES, a, aAt + i + LENGTH));
      }
      if (FOUR) {
        s2 = s2.add(fromArray(LANES, a, aAt + i + 2 * LENGTH));
        s3 = s3.add(fromArray(LANES, a, aAt + i + 3 * LENGTH));
      }
    }
    if (i < count) {
      var m0 = LANES.indexInRange(i, count);
      s0 = s0.add(fromArray(LANES, a, aAt + i, m0));
      if (TWO) {
        var m1 = LANES.indexInRange(i + LENGTH, count);
        s1 = s1.add(fromArray(LANES, a, aAt + i + LENGTH, m1));
      }
      if (FOUR) {
        var m2 = LANES.indexInRange(i + 2 * LENGTH, count);
        s2 = s2.add(fromArray(LANES, a, aAt + i + 2 * LENGTH, m2));
        var m3 = LANES.indexInRange(i + 3 * LENGTH, count);
        s3 = s3.add(fromArray(LANES, a, aAt + i + 3 * LENGTH, m3));
      }
    }
    return tree(s0, s1, s2, s3);
  }

  public static float dot(float[] a, int aAt, float[] b, int bAt, int count) {
    FloatVector s0 = FloatVector.zero(LANES);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    int i = 0;
    for (; i + PARTIALS <= count; i += PARTIALS) {
      s0 = fromArray(LANES, a, aAt + i).fma(fromArray(LANES, b, bAt + i), s0);
      if (TWO) {
        s1 = fromArray(LANES, a, aAt + i + LENGTH).fma(fromArray(LANES, b, bAt + i + LENGTH), s1);
      }
      if (FOUR) {
        s2 =
            fromArray(LANES, a, aAt + i + 2 * LENGTH)
                .fma(fromArray(LANES, b, bAt + i + 2 * LENGTH), s2);
        s3 =
            fromArray(LANES, a, aAt + i + 3 * LENGTH)
                .fma(fromArray(LANES, b, bAt + i + 3 * LENGTH), s3);
      }
    }
    if (i < count) {
      var m0 = LANES.indexInRange(i, count);
      s0 = fromArray(LANES, a, aAt + i, m0).fma(fromArray(LANES, b, bAt + i, m0), s0);
      if (TWO) {
        var m1 = LANES.indexInRange(i + LENGTH, count);
        s1 =
            fromArray(LANES, a, aAt + i + LENGTH, m1)
                .fma(fromArray(LANES, b, bAt + i + LENGTH, m1), s1);
      }
      if (FOUR) {
        var m2 = LANES.indexInRange(i + 2 * LENGTH, count);
        s2 =
            fromArray(LANES, a, aAt + i + 2 * LENGTH, m2)
                .fma(fromArray(LANES, b, bAt + i + 2 * LENGTH, m2), s2);
        var m3 = LANES.indexInRange(i + 3 * LENGTH, count);
        s3 =
            fromArray(LANES, a, aAt + i + 3 * LENGTH, m3)
                .fma(fromArray(LANES, b, bAt + i + 3 * LENGTH, m3), s3);
      }
    }
    return tree(s0, s1, s2, s3);
  }

  /** {@code y[yAt + r] ← a · b[bAt + r · bStride …]} for four rows, each as {@link #dot} has it. */
  public static void dots(
      float[] a, int aAt, float[] b, int bAt, int bStride, int count, float[] y, int yAt) {
    if (TWO || count % LENGTH != 0) {
      for (int r = 0; r < 4; r++) {
        y[yAt + r] = dot(a, aAt, b, bAt + r * bStride, count);
      }
      return;
    }
    FloatVector s0 = FloatVector.zero(LANES);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    for (int i = 0; i < count; i += LENGTH) {
      FloatVector v = fromArray(LANES, a, aAt + i);
      s0 = v.fma(fromArray(LANES, b, bAt + i), s0);
      s1 = v.fma(fromArray(LANES, b, bAt + bStride + i), s1);
      s2 = v.fma(fromArray(LANES, b, bAt + 2 * bStride + i), s2);
      s3 = v.fma(fromArray(LANES, b, bAt + 3 * bStride + i), s3);
    }
    s0 = s0.add(s0.rearrange(UP_8));
    s1 = s1.add(s1.rearrange(UP_8));
    s2 = s2.add(s2.rearrange(UP_8));
    s3 = s3.add(s3.rearrange(UP_8));
    // Each sum is in both halves of its vector; two of them share the rest of the tree.
    s0 = s0.blend(s2, UPPER);
    s1 = s1.blend(s3, UPPER);
    s0 = s0.add(s0.rearrange(UP_4));
    s1 = s1.add(s1.rearrange(UP_4));
    s0 = s0.add(s0.rearrange(UP_2));
    s1 = s1.add(s1.rearrange(UP_2));
    s0 = s0.add(s0.rearrange(UP_1));
    s1 = s1.add(s1.rearrange(UP_1));
    y[yAt] = s0.lane(0);
    y[yAt + 1] = s1.lane(0);
    y[yAt + 2] = s0.lane(PARTIALS / 2);
    y[yAt + 3] = s1.lane(PARTIALS / 2);
  }

  /** Writes {@code a − centre} to {@code d} and returns the sum of its squares. */
  public static float centre(float centre, float[] a, int aAt, float[] d, int dAt, int count) {
    int i = 0;
    for (; i < LANES.loopBound(count); i += LENGTH) {
      fromArray(LANES, a, aAt + i).sub(centre).intoArray(d, dAt + i);
    }
    for (; i < count; i++) {
      d[dAt + i] = a[aAt + i] - centre;
    }
    return dot(d, dAt, d, dAt, count);
  }

  private static float tree(FloatVector s0, FloatVector s1, FloatVector s2, FloatVector s3) {
    FloatVector sum = s0;
    if (FOUR) {
      sum = sum.add(s2).add(s1.add(s3));
    } else if (TWO) {
      sum = sum.add(s1);
    } else {
      sum = sum.add(sum.rearrange(UP_8));
    }
    if (!FOUR) {
      sum = sum.add(sum.rearrange(UP_4));
    }
    sum = sum.add(sum.rearrange(UP_2));
    return sum.add(sum.rearrange(UP_1)).lane(0);
  }

  private static VectorShuffle<Float> up(int lanes) {
    return VectorShuffle.fromOp(LANES, lane -> (lane + lanes) % LENGTH);
  }
}
