package dev.apus.kernels.attention;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops that add a block's weighted values to the outputs: {@code out ← out · kept + Σ weight ·
 * value}, lowest slot first.
 */
final class ValueTiles {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();
  private static final int BYTES = LANES.vectorByteSize();
  private static final int SLOTS = BlockedAttention.SLOTS;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private ValueTiles() {}

  /** Columns that {@link #four} takes: those in whole pairs of vectors. */
  static int columnsOfFour(int valueDim) {
    return valueDim - valueDim % (2 * LENGTH);
  }

  /**
   * Four queries that see the whole block.
   *
   * @param at where the weights of the first query begin, those of the others {@code stride} apart
   * @param keptAt where the four factors of the outputs lie
   * @param o0 where the outputs of the first query begin
   */
  static void four(
      float[] weights,
      int at,
      int stride,
      int keptAt,
      MemorySegment values,
      long rowsAt,
      int valueDim,
      float[] out,
      int o0,
      int o1,
      int o2,
      int o3) {
    long rowBytes = valueDim * 4L;
    int columns = columnsOfFour(valueDim);
    for (int j = 0; j < columns; j += 2 * LENGTH) {
      int k = j + LENGTH;
      float kept = weights[keptAt];
      FloatVector a0 = FloatVector.fromArray(LANES, out, o0 + j).mul(kept);
      FloatVector b0 = FloatVector.fromArray(LANES, out, o0 + k).mul(kept);
      kept = weights[keptAt + 1];
      FloatVector a1 = FloatVector.fromArray(LANES, out, o1 + j).mul(kept);
      FloatVector b1 = FloatVector.fromArray(LANES, out, o1 + k).mul(kept);
      kept = weights[keptAt + 2];
      FloatVector a2 = FloatVector.fromArray(LANES, out, o2 + j).mul(kept);
      FloatVector b2 = FloatVector.fromArray(LANES, out, o2 + k).mul(kept);
      kept = weights[keptAt + 3];
      FloatVector a3 = FloatVector.fromArray(LANES, out, o3 + j).mul(kept);
      FloatVector b3 = FloatVector.fromArray(LANES, out, o3 + k).mul(kept);
      long valueAt = rowsAt + j * 4L;
      for (int w = at; w < at + SLOTS; w++, valueAt += rowBytes) {
        FloatVector a = FloatVector.fromMemorySegment(LANES, values, valueAt, ORDER);
        FloatVector b = FloatVector.fromMemorySegment(LANES, values, valueAt + BYTES, ORDER);
        FloatVector x = FloatVector.broadcast(LANES, weights[w]);
        a0 = a.fma(x, a0);
        b0 = b.fma(x, b0);
        x = FloatVector.broadcast(LANES, weights[w + stride]);
        a1 = a.fma(x, a1);
        b1 = b.fma(x, b1);
        x = FloatVector.broadcast(LANES, weights[w + 2 * stride]);
        a2 = a.fma(x, a2);
        b2 = b.fma(x, b2);
        x = FloatVector.broadcast(LANES, weights[w + 3 * stride]);
        a3 = a.fma(x, a3);
        b3 = b.fma(x, b3);
      }
      a0.intoArray(out, o0 + j);
      b0.intoArray(out, o0 + k);
      a1.intoArray(out, o1 + j);
      b1.intoArray(out, o1 + k);
      a2.intoArray(out, o2 + j);
      b2.intoArray(out, o2 + k);
      a3.intoArray(out, o3 + j);
      b3.intoArray(out, o3 + k);
    }
  }

  /** One query that sees the slots of {@code mask}, columns {@code [from, valueDim)}. */
  static void one(
      float[] weights,
      int at,
      float kept,
      int mask,
      MemorySegment values,
      long rowsAt,
      int from,
      int valueDim,
      float[] out,
      int o) {
    int j = from;
    for (; j + 4 * LENGTH <= valueDim; j += 4 * LENGTH) {
      fourVectors(weights, at, kept, mask, values, rowsAt + j * 4L, valueDim * 4L, out, o + j);
    }
    for (; j < valueDim; j += LENGTH) {
      var columns = LANES.indexInRange(j, valueDim);
      oneVector(
          columns, weights, at, kept, mask, values, rowsAt + j * 4L, valueDim * 4L, out, o + j);
    }
  }

  private static void fourVectors(
      float[] weights,
      int at,
      float kept,
      int mask,
      MemorySegment values,
      long rowsAt,
      long rowBytes,
      float[] out,
      int o) {
    FloatVector a = FloatVector.fromArray(LANES, out, o).mul(kept);
    FloatVector b = FloatVector.fromArray(LANES, out, o + LENGTH).mul(kept);
    FloatVector c = FloatVector.fromArray(LANES, out, o + 2 * LENGTH).mul(kept);
    FloatVector d = FloatVector.fromArray(LANES, out, o + 3 * LENGTH).mul(kept);
    for (int rest = mask; rest != 0; rest &= rest - 1) {
      int slot = Integer.numberOfTrailingZeros(rest);
      long v = rowsAt + slot * rowBytes;
      FloatVector x = FloatVector.broadcast(LANES, weights[at + slot]);
      a = FloatVector.fromMemorySegment(LANES, values, v, ORDER).fma(x, a);
      b = FloatVector.fromMemorySegment(LANES, values, v + BYTES, ORDER).fma(x, b);
      c = FloatVector.fromMemorySegment(LANES, values, v + 2 * BYTES, ORDER).fma(x, c);
      d = FloatVector.fromMemorySegment(LANES, values, v + 3 * BYTES, ORDER).fma(x, d);
    }
    a.intoArray(out, o);
    b.intoArray(out, o + LENGTH);
    c.intoArray(out, o + 2 * LENGTH);
    d.intoArray(out, o + 3 * LENGTH);
  }

  private static void oneVector(
      VectorMask<Float> columns,
      float[] weights,
      int at,
      float kept,
      int mask,
      MemorySegment values,
      long rowsAt,
      long rowBytes,
      float[] out,
      int o) {
    FloatVector a = FloatVector.fromArray(LANES, out, o, columns).mul(kept);
    for (int rest = mask; rest != 0; rest &= rest - 1) {
      int slot = Integer.numberOfTrailingZeros(rest);
      FloatVector v =
          FloatVector.fromMemorySegment(LANES, values, rowsAt + slot * rowBytes, ORDER, columns);
      a = v.fma(FloatVector.broadcast(LANES, weights[at + slot]), a);
    }
    a.intoArray(out, o, columns);
  }
}
