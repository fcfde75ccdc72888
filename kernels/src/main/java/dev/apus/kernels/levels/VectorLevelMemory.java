package dev.apus.kernels.levels;

import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromArray;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.math.VectorSums;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/** {@link LevelMemory} with columns in lanes, and four tokens that read a memory at a time. */
public final class VectorLevelMemory implements LevelMemory {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();
  private static final int BYTES = LANES.vectorByteSize();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  public VectorLevelMemory() {}

  @Override
  public void meet(Shape shape, int tokens, Rows q, Rows k, Rows v, Rows w, Rows o) {
    int valueDim = shape.valueDim();
    for (int t = 0; t < tokens; t++) {
      float near = VectorSums.dot(q.data(), q.start(t), k.data(), k.start(t), shape.keyDim());
      float scale = w.value(t, 0) * near;
      int vAt = v.start(t);
      int oAt = o.start(t);
      int j = 0;
      for (; j < LANES.loopBound(valueDim); j += LENGTH) {
        fromArray(LANES, v.data(), vAt + j).mul(scale).intoArray(o.data(), oAt + j);
      }
      for (; j < valueDim; j++) {
        o.data()[oAt + j] = scale * v.data()[vAt + j];
      }
    }
  }

  @Override
  public void read(Shape shape, int tokens, Rows q, Rows w, MemorySegment s, long at, Rows o) {
    int keyDim = shape.keyDim();
    int valueDim = shape.valueDim();
    long rowBytes = 4L * valueDim;
    int stride = q.stride();
    int t = 0;
    for (; t + 4 <= tokens; t += 4) {
      int j = 0;
      for (; j + 2 * LENGTH <= valueDim; j += 2 * LENGTH) {
        fourTokens(q.data(), q.start(t), stride, keyDim, w, t, s, at + 4L * j, rowBytes, o, j);
      }
      for (int u = t; u < t + 4; u++) {
        columns(j, q.data(), q.start(u), keyDim, w.value(u, 0), s, at, rowBytes, valueDim, o, u);
      }
    }
    for (; t < tokens; t++) {
      columns(0, q.data(), q.start(t), keyDim, w.value(t, 0), s, at, rowBytes, valueDim, o, t);
    }
  }

  /** Two vectors of columns of four tokens. */
  private static void fourTokens(
      float[] q,
      int qAt,
      int stride,
      int keyDim,
      Rows w,
      int t,
      MemorySegment s,
      long at,
      long rowBytes,
      Rows o,
      int j) {
    FloatVector a0 = FloatVector.zero(LANES);
    FloatVector a1 = a0;
    FloatVector b0 = a0;
    FloatVector b1 = a0;
    FloatVector c0 = a0;
    FloatVector c1 = a0;
    FloatVector d0 = a0;
    FloatVector d1 = a0;
    for (int i = qAt; i < qAt + keyDim; i++, at += rowBytes) {
      FloatVector s0 = fromMemorySegment(LANES, s, at, ORDER);
      FloatVector s1 = fromMemorySegment(LANES, s, at + BYTES, ORDER);
      FloatVector qa = broadcast(LANES, q[i]);
      a0 = s0.fma(qa, a0);
      a1 = s1.fma(qa, a1);
      FloatVector qb = broadcast(LANES, q[i + stride]);
      b0 = s0.fma(qb, b0);
      b1 = s1.fma(qb, b1);
      FloatVector qc = broadcast(LANES, q[i + 2 * stride]);
      c0 = s0.fma(qc, c0);
      c1 = s1.fma(qc, c1);
      FloatVector qd = broadcast(LANES, q[i + 3 * stride]);
      d0 = s0.fma(qd, d0);
      d1 = s1.fma(qd, d1);
    }
    float[] y = o.data();
    int at0 = o.start(t) + j;
    FloatVector weight = broadcast(LANES, w.value(t, 0));
    weight.fma(a0, fromArray(LANES, y, at0)).intoArray(y, at0);
    weight.fma(a1, fromArray(LANES, y, at0 + LENGTH)).intoArray(y, at0 + LENGTH);
    int at1 = o.start(t + 1) + j;
    weight = broadcast(LANES, w.value(t + 1, 0));
    weight.fma(b0, fromArray(LANES, y, at1)).intoArray(y, at1);
    weight.fma(b1, fromArray(LANES, y, at1 + LENGTH)).intoArray(y, at1 + LENGTH);
    int at2 = o.start(t + 2) + j;
    weight = broadcast(LANES, w.value(t + 2, 0));
    weight.fma(c0, fromArray(LANES, y, at2)).intoArray(y, at2);
    weight.fma(c1, fromArray(LANES, y, at2 + LENGTH)).intoArray(y, at2 + LENGTH);
    int at3 = o.start(t + 3) + j;
    weight = broadcast(LANES, w.value(t + 3, 0));
    weight.fma(d0, fromArray(LANES, y, at3)).intoArray(y, at3);
    weight.fma(d1, fromArray(LANES, y, at3 + LENGTH)).intoArray(y, at3 + LENGTH);
  }

  /** The columns of one token from {@code j} on. */
  private static void columns(
      int j,
      float[] q,
      int qAt,
      int keyDim,
      float w,
      MemorySegment s,
      long at,
      long rowBytes,
      int valueDim,
      Rows o,
      int t) {
    int oAt = o.start(t);
    for (; j + 4 * LENGTH <= valueDim; j += 4 * LENGTH) {
      four(q, qAt, keyDim, w, s, at + 4L * j, rowBytes, o.data(), oAt + j);
    }
    for (; j < valueDim; j += LENGTH) {
      var mask = LANES.indexInRange(j, valueDim);
      one(mask, q, qAt, keyDim, w, s, at + 4L * j, rowBytes, o.data(), oAt + j);
    }
  }

  private static void four(
      float[] q,
      int qAt,
      int keyDim,
      float w,
      MemorySegment s,
      long at,
      long rowBytes,
      float[] o,
      int oAt) {
    FloatVector s0 = FloatVector.zero(LANES);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    for (int i = qAt; i < qAt + keyDim; i++, at += rowBytes) {
      FloatVector qi = broadcast(LANES, q[i]);
      s0 = fromMemorySegment(LANES, s, at, ORDER).fma(qi, s0);
      s1 = fromMemorySegment(LANES, s, at + BYTES, ORDER).fma(qi, s1);
      s2 = fromMemorySegment(LANES, s, at + 2 * BYTES, ORDER).fma(qi, s2);
      s3 = fromMemorySegment(LANES, s, at + 3 * BYTES, ORDER).fma(qi, s3);
    }
    FloatVector weight = broadcast(LANES, w);
    weight.fma(s0, fromArray(LANES, o, oAt)).intoArray(o, oAt);
    oAt += LENGTH;
    weight.fma(s1, fromArray(LANES, o, oAt)).intoArray(o, oAt);
    oAt += LENGTH;
    weight.fma(s2, fromArray(LANES, o, oAt)).intoArray(o, oAt);
    oAt += LENGTH;
    weight.fma(s3, fromArray(LANES, o, oAt)).intoArray(o, oAt);
  }

  private static void one(
      VectorMask<Float> mask,
      float[] q,
      int qAt,
      int keyDim,
      float w,
      MemorySegment s,
      long at,
      long rowBytes,
      float[] o,
      int oAt) {
    FloatVector sum = FloatVector.zero(LANES);
    for (int i = qAt; i < qAt + keyDim; i++, at += rowBytes) {
      sum = fromMemorySegment(LANES, s, at, ORDER, mask).fma(broadcast(LANES, q[i]), sum);
    }
    sum.fma(broadcast(LANES, w), fromArray(LANES, o, oAt, mask)).intoArray(o, oAt, mask);
  }

  @Override
  public void write(Shape shape, float[] k, int kAt, float[] v, int vAt, MemorySegment s, long at) {
    int valueDim = shape.valueDim();
    for (int i = 0; i < shape.keyDim(); i++, at += 4L * valueDim) {
      FloatVector key = broadcast(LANES, k[kAt + i]);
      int j = 0;
      for (; j < LANES.loopBound(valueDim); j += LENGTH) {
        fromArray(LANES, v, vAt + j).mul(key).intoMemorySegment(s, at + 4L * j, ORDER);
      }
      if (j < valueDim) {
        var mask = LANES.indexInRange(j, valueDim);
        fromArray(LANES, v, vAt + j, mask).mul(key).intoMemorySegment(s, at + 4L * j, ORDER, mask);
      }
    }
  }

  @Override
  public void merge(Shape shape, float c, MemorySegment r, long rAt, MemorySegment s, long at) {
    long floats = shape.floats();
    FloatVector factor = broadcast(LANES, c);
    long i = 0;
    for (; i + LENGTH <= floats; i += LENGTH) {
      factor
          .fma(
              fromMemorySegment(LANES, r, rAt + 4 * i, ORDER),
              fromMemorySegment(LANES, s, at + 4 * i, ORDER))
          .intoMemorySegment(s, at + 4 * i, ORDER);
    }
    ScalarLevelMemory.merge(floats - i, c, r, rAt + 4 * i, s, at + 4 * i);
  }
}
