package dev.apus.kernels.solve;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.apus.kernels.math.ScalarSums;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** The definition of {@link ConjugateGradients}. */
public final class ScalarConjugateGradients implements ConjugateGradients {

  public ScalarConjugateGradients() {}

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
    float delta = ScalarSums.dot(scratch, 0, scratch, 0, size);
    for (int step = 0; step < steps && delta != 0; step++) {
      for (int j = 0; j < size; j++) {
        float sum = 0;
        for (int i = 0; i < size; i++) {
          float value = h.get(JAVA_FLOAT_UNALIGNED, hAt + 4L * ((long) i * size + j));
          sum = Math.fma(value, scratch[pAt + i], sum);
        }
        scratch[aAt + j] = Math.fma(ridge[ridgeAt + j], scratch[pAt + j], sum);
      }
      float alpha = delta / (ScalarSums.dot(scratch, pAt, scratch, aAt, size) + EPSILON);
      for (int j = 0; j < size; j++) {
        x[xAt + j] = Math.fma(alpha, scratch[pAt + j], x[xAt + j]);
        scratch[j] = Math.fma(-alpha, scratch[aAt + j], scratch[j]);
      }
      float next = ScalarSums.dot(scratch, 0, scratch, 0, size);
      float kept = next / (delta + EPSILON);
      for (int j = 0; j < size; j++) {
        scratch[pAt + j] = Math.fma(kept, scratch[pAt + j], scratch[j]);
      }
      delta = next;
    }
  }
}
