package dev.apus.kernels.solve;

import static jdk.incubator.vector.FloatVector.fromArray;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.math.VectorSums;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/** {@link ConjugateGradients} with columns in lanes. */
public final class VectorConjugateGradients implements ConjugateGradients {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();
  private static final int BYTES = LANES.vectorByteSize();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  public VectorConjugateGradients() {}

  @Override
  public void solve(
      int size,
      int steps,
      MemorySegment h,
      long hAt,
      float[] ridge,
      int ridgeAt,
      float[] b,
      int bAt,
      float[] x,
      int xAt,
      float[] scratch) {
    int pAt = size;
    int aAt = 2 * size;
    Arrays.fill(x, xAt, xAt + size, 0);
    System.arraycopy(b, bAt, scratch, 0, size);
    System.arraycopy(b, bAt, scratch, pAt, size);
    float delta = VectorSums.dot(scratch, 0, scratch, 0, size);
    for (int step = 0; step < steps && delta != 0; step++) {
      multiply(size, h, hAt, ridge, ridgeAt, scratch, pAt, aAt);
      float alpha = delta / (VectorSums.dot(scratch, pAt, scratch, aAt, size) + EPSILON);
      advance(size, alpha, scratch, pAt, aAt, x, xAt);
      float next = VectorSums.dot(scratch, 0, scratch, 0, size);
      turn(size, next / (delta + EPSILON), scratch, pAt);
      delta = next;
    }
  }

  /** {@code a ← H p + λ ⊙ p}. */
  private static void multiply(
      int size,
      MemorySegment h,
      long hAt,
      float[] ridge,
      int ridgeAt,
      float[] v,
      int pAt,
      int aAt) {
    long rowBytes = 4L * size;
    int j = 0;
    for (; j + 4 * LENGTH <= size; j += 4 * LENGTH) {
      four(size, h, hAt + 4L * j, rowBytes, ridge, ridgeAt + j, v, pAt, pAt + j, aAt + j);
    }
    for (; j < size; j += LENGTH) {
      var mask = LANES.indexInRange(j, size);
      one(mask, size, h, hAt + 4L * j, rowBytes, ridge, ridgeAt + j, v, pAt, pAt + j, aAt + j);
    }
  }

  private static void four(
      int size,
      MemorySegment h,
      long at,
      long rowBytes,
      float[] ridge,
      int ridgeAt,
      float[] v,
      int pAt,
      int ownAt,
      int aAt) {
    FloatVector a0 = FloatVector.zero(LANES);
    FloatVector a1 = a0;
    FloatVector a2 = a0;
    FloatVector a3 = a0;
    for (int i = 0; i < size; i++, at += rowBytes) {
      FloatVector p = FloatVector.broadcast(LANES, v[pAt + i]);
      a0 = fromMemorySegment(LANES, h, at, ORDER).fma(p, a0);
      a1 = fromMemorySegment(LANES, h, at + BYTES, ORDER).fma(p, a1);
      a2 = fromMemorySegment(LANES, h, at + 2 * BYTES, ORDER).fma(p, a2);
      a3 = fromMemorySegment(LANES, h, at + 3 * BYTES, ORDER).fma(p, a3);
    }
    fromArray(LANES, ridge, ridgeAt).fma(fromArray(LANES, v, ownAt), a0).intoArray(v, aAt);
    int next = LENGTH;
    fromArray(LANES, ridge, ridgeAt + next)
        .fma(fromArray(LANES, v, ownAt + next), a1)
        .intoArray(v, aAt + next);
    next += LENGTH;
    fromArray(LANES, ridge, ridgeAt + next)
        .fma(fromArray(LANES, v, ownAt + next), a2)
        .intoArray(v, aAt + next);
    next += LENGTH;
    fromArray(LANES, ridge, ridgeAt + next)
        .fma(fromArray(LANES, v, ownAt + next), a3)
        .intoArray(v, aAt + next);
  }

  private static void one(
      VectorMask<Float> mask,
      int size,
      MemorySegment h,
      long at,
      long rowBytes,
      float[] ridge,
      int ridgeAt,
      float[] v,
      int pAt,
      int ownAt,
      int aAt) {
    FloatVector a = FloatVector.zero(LANES);
    for (int i = 0; i < size; i++, at += rowBytes) {
      FloatVector p = FloatVector.broadcast(LANES, v[pAt + i]);
      a = fromMemorySegment(LANES, h, at, ORDER, mask).fma(p, a);
    }
    fromArray(LANES, ridge, ridgeAt, mask)
        .fma(fromArray(LANES, v, ownAt, mask), a)
        .intoArray(v, aAt, mask);
  }

  /** {@code x ← x + α p} and {@code r ← r − α a}. */
  private static void advance(
      int size, float alpha, float[] v, int pAt, int aAt, float[] x, int xAt) {
    FloatVector forward = FloatVector.broadcast(LANES, alpha);
    FloatVector back = FloatVector.broadcast(LANES, -alpha);
    int j = 0;
    for (; j < LANES.loopBound(size); j += LENGTH) {
      forward.fma(fromArray(LANES, v, pAt + j), fromArray(LANES, x, xAt + j)).intoArray(x, xAt + j);
      back.fma(fromArray(LANES, v, aAt + j), fromArray(LANES, v, j)).intoArray(v, j);
    }
    for (; j < size; j++) {
      x[xAt + j] = Math.fma(alpha, v[pAt + j], x[xAt + j]);
      v[j] = Math.fma(-alpha, v[aAt + j], v[j]);
    }
  }

  /** {@code p ← r + kept · p}. */
  private static void turn(int size, float kept, float[] v, int pAt) {
    FloatVector factor = FloatVector.broadcast(LANES, kept);
    int j = 0;
    for (; j < LANES.loopBound(size); j += LENGTH) {
      factor.fma(fromArray(LANES, v, pAt + j), fromArray(LANES, v, j)).intoArray(v, pAt + j);
    }
    for (; j < size; j++) {
      v[pAt + j] = Math.fma(kept, v[pAt + j], v[j]);
    }
  }
}
