package dev.apus.kernels.scan;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** The definition of {@link GatedScan}. */
public final class ScalarGatedScan implements GatedScan {

  public ScalarGatedScan() {}

  @Override
  public void scan(
      int from,
      int to,
      int tokens,
      float[] a,
      int aAt,
      int aStride,
      float[] x,
      int xAt,
      int xStride,
      MemorySegment state,
      long stateAt) {
    for (int c = from; c < to; c++) {
      float h = state.get(JAVA_FLOAT_UNALIGNED, stateAt + c * 4L);
      for (int t = 0; t < tokens; t++) {
        int at = xAt + t * xStride + c;
        h = Math.fma(a[aAt + t * aStride + c], h, x[at]);
        x[at] = h;
      }
      state.set(JAVA_FLOAT_UNALIGNED, stateAt + c * 4L, h);
    }
  }
}
