package dev.apus.kernels.rope;

import dev.apus.kernels.math.Lanes;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/** {@link Rotary} by vectors of pairs, or of interleaved halves of pairs. */
public final class VectorRotary implements Rotary {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();

  /** Takes the lower or the upper half of a vector's lanes, each twice. */
  private static final VectorShuffle<Float> LOWER_TWICE =
      VectorShuffle.fromOp(LANES, lane -> lane / 2);

  private static final VectorShuffle<Float> UPPER_TWICE =
      VectorShuffle.fromOp(LANES, lane -> LENGTH / 2 + lane / 2);

  private static final VectorShuffle<Float> SWAP = VectorShuffle.fromOp(LANES, lane -> lane ^ 1);

  private static final VectorMask<Float> EVEN =
      VectorMask.fromLong(LANES, 0x5555_5555_5555_5555L >>> 64 - LENGTH);

  public VectorRotary() {}

  @Override
  public void rotate(
      Layout layout,
      float[] x,
      int xAt,
      int heads,
      int headDim,
      int dims,
      float[] cos,
      float[] sin,
      int tableAt) {
    int pairs = dims / 2;
    for (int at = xAt; at < xAt + heads * headDim; at += headDim) {
      if (layout == Layout.HALVES) {
        rotateHalves(x, at, pairs, cos, sin, tableAt);
      } else {
        rotateInterleaved(x, at, pairs, cos, sin, tableAt);
      }
      int whole = LANES.loopBound(pairs);
      ScalarRotary.rotatePairs(layout, x, at, whole, pairs, cos, sin, tableAt);
    }
  }

  private static void rotateHalves(
      float[] x, int at, int pairs, float[] cos, float[] sin, int tableAt) {
    for (int i = 0; i < LANES.loopBound(pairs); i += LENGTH) {
      FloatVector c = FloatVector.fromArray(LANES, cos, tableAt + i);
      FloatVector s = FloatVector.fromArray(LANES, sin, tableAt + i);
      FloatVector a = FloatVector.fromArray(LANES, x, at + i);
      FloatVector b = FloatVector.fromArray(LANES, x, at + pairs + i);
      a.mul(c).sub(b.mul(s)).intoArray(x, at + i);
      b.mul(c).add(a.mul(s)).intoArray(x, at + pairs + i);
    }
  }

  private static void rotateInterleaved(
      float[] x, int at, int pairs, float[] cos, float[] sin, int tableAt) {
    for (int i = 0; i < LANES.loopBound(pairs); i += LENGTH) {
      FloatVector c = FloatVector.fromArray(LANES, cos, tableAt + i);
      FloatVector s = FloatVector.fromArray(LANES, sin, tableAt + i);
      FloatVector v = FloatVector.fromArray(LANES, x, at + 2 * i);
      FloatVector turned = v.rearrange(SWAP).mul(s.rearrange(LOWER_TWICE));
      turned = turned.blend(turned.neg(), EVEN);
      v.mul(c.rearrange(LOWER_TWICE)).add(turned).intoArray(x, at + 2 * i);
      v = FloatVector.fromArray(LANES, x, at + 2 * i + LENGTH);
      turned = v.rearrange(SWAP).mul(s.rearrange(UPPER_TWICE));
      turned = turned.blend(turned.neg(), EVEN);
      v.mul(c.rearrange(UPPER_TWICE)).add(turned).intoArray(x, at + 2 * i + LENGTH);
    }
  }
}
