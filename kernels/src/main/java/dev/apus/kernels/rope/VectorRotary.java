package dev.apus.kernels.rope;

import static dev.apus.kernels.rope.Sines.*;
import static jdk.incubator.vector.VectorOperators.NE;

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

  private final ScalarRotary scalar = new ScalarRotary();

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

  @Override
  public void turn(
      float step,
      float[] rate,
      int rateAt,
      float[] angle,
      int angleAt,
      int count,
      float[] cos,
      float[] sin,
      int tableAt) {
    int i = 0;
    for (; i < LANES.loopBound(count); i += LENGTH) {
      FloatVector a = FloatVector.fromArray(LANES, rate, rateAt + i);
      a =
          a.fma(
              FloatVector.broadcast(LANES, step), FloatVector.fromArray(LANES, angle, angleAt + i));
      FloatVector n = a.fma(TURNS, ROUNDER).sub(ROUNDER);
      a = n.fma(FloatVector.broadcast(LANES, -TURN), a);
      a = n.fma(FloatVector.broadcast(LANES, -TURN_REST), a);
      a.intoArray(angle, angleAt + i);
      FloatVector shifted = a.fma(QUARTERS, ROUNDER);
      FloatVector m = shifted.sub(ROUNDER);
      FloatVector r = m.fma(FloatVector.broadcast(LANES, -QUARTER), a);
      r = m.fma(FloatVector.broadcast(LANES, -QUARTER_REST), r);
      FloatVector z = r.mul(r);
      FloatVector s = z.fma(SIN_2, SIN_1).fma(z, FloatVector.broadcast(LANES, SIN_0));
      s = r.mul(z).fma(s, r);
      FloatVector c = z.fma(COS_2, COS_1).fma(z, FloatVector.broadcast(LANES, COS_0));
      c = z.mul(z).fma(c, z.fma(-0.5f, 1));
      var quarters = shifted.reinterpretAsInts();
      var odd = quarters.and(1).compare(NE, 0).cast(LANES);
      FloatVector sine = s.blend(c, odd);
      FloatVector cosine = c.blend(s, odd);
      var lower = quarters.and(2).compare(NE, 0).cast(LANES);
      sine.blend(sine.neg(), lower).intoArray(sin, tableAt + i);
      var left = quarters.add(1).and(2).compare(NE, 0).cast(LANES);
      cosine.blend(cosine.neg(), left).intoArray(cos, tableAt + i);
    }
    scalar.turn(step, rate, rateAt + i, angle, angleAt + i, count - i, cos, sin, tableAt + i);
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
