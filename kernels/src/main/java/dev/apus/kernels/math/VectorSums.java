package dev.apus.kernels.math;

import dev.apus.kernels.Lanes;
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

  private VectorSums() {}

  public static float sum(float[] a, int aAt, int count) {
    FloatVector s0 = FloatVector.zero(LANES);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    int i = 0;
    for (; i + PARTIALS <= count; i += PARTIALS) {
      s0 = s0.add(load(a, aAt + i));
      if (TWO) {
        s1 = s1.add(load(a, aAt + i + LENGTH));
      }
      if (FOUR) {
        s2 = s2.add(load(a, aAt + i + 2 * LENGTH));
        s3 = s3.add(load(a, aAt + i + 3 * LENGTH));
      }
    }
    if (i < count) {
      s0 = s0.add(rest(a, aAt, i, count));
      if (TWO) {
        s1 = s1.add(rest(a, aAt, i + LENGTH, count));
      }
      if (FOUR) {
        s2 = s2.add(rest(a, aAt, i + 2 * LENGTH, count));
        s3 = s3.add(rest(a, aAt, i + 3 * LENGTH, count));
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
      s0 = load(a, aAt + i).fma(load(b, bAt + i), s0);
      if (TWO) {
        int j = i + LENGTH;
        s1 = load(a, aAt + j).fma(load(b, bAt + j), s1);
      }
      if (FOUR) {
        int j = i + 2 * LENGTH;
        s2 = load(a, aAt + j).fma(load(b, bAt + j), s2);
        j += LENGTH;
        s3 = load(a, aAt + j).fma(load(b, bAt + j), s3);
      }
    }
    if (i < count) {
      s0 = rest(a, aAt, i, count).fma(rest(b, bAt, i, count), s0);
      if (TWO) {
        int j = i + LENGTH;
        s1 = rest(a, aAt, j, count).fma(rest(b, bAt, j, count), s1);
      }
      if (FOUR) {
        int j = i + 2 * LENGTH;
        s2 = rest(a, aAt, j, count).fma(rest(b, bAt, j, count), s2);
        j += LENGTH;
        s3 = rest(a, aAt, j, count).fma(rest(b, bAt, j, count), s3);
      }
    }
    return tree(s0, s1, s2, s3);
  }

  /** Writes {@code a − centre} to {@code d} and returns the sum of its squares. */
  public static float centre(float centre, float[] a, int aAt, float[] d, int dAt, int count) {
    int i = 0;
    for (; i < LANES.loopBound(count); i += LENGTH) {
      load(a, aAt + i).sub(centre).intoArray(d, dAt + i);
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

  private static FloatVector load(float[] a, int at) {
    return FloatVector.fromArray(LANES, a, at);
  }

  private static FloatVector rest(float[] a, int aAt, int i, int count) {
    VectorMask<Float> mask = LANES.indexInRange(i, count);
    return FloatVector.fromArray(LANES, a, aAt + i, mask);
  }

  private static VectorShuffle<Float> up(int lanes) {
    return VectorShuffle.fromOp(LANES, lane -> (lane + lanes) % LENGTH);
  }
}
