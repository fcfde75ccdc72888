package dev.apus.kernels.conv;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** The definition of {@link ShortConvolution}. */
public final class ScalarShortConvolution implements ShortConvolution {

  public ScalarShortConvolution() {}

  @Override
  public void convolve(
      float[] weight,
      float[] bias,
      int taps,
      int channels,
      int from,
      int to,
      float[] x,
      int xAt,
      int xStride,
      int tokens,
      MemorySegment state,
      long stateAt,
      float[] y,
      int yAt,
      int yStride) {
    for (int t = 0; t < tokens; t++) {
      for (int c = from; c < to; c++) {
        float sum = bias == null ? 0 : bias[c];
        y[yAt + t * yStride + c] =
            step(sum, weight, taps, channels, c, x[xAt + t * xStride + c], state, stateAt);
      }
    }
  }

  /** Takes one channel past its input {@code x}: moves its state up by one row and returns y. */
  static float step(
      float sum,
      float[] weight,
      int taps,
      int channels,
      int c,
      float x,
      MemorySegment state,
      long stateAt) {
    long rowBytes = channels * 4L;
    long at = stateAt + c * 4L;
    for (int j = 0; j < taps - 1; j++) {
      float past = state.get(JAVA_FLOAT_UNALIGNED, at + j * rowBytes);
      sum = Math.fma(weight[j * channels + c], past, sum);
      if (j > 0) {
        state.set(JAVA_FLOAT_UNALIGNED, at + (j - 1) * rowBytes, past);
      }
    }
    if (taps > 1) {
      state.set(JAVA_FLOAT_UNALIGNED, at + (taps - 2) * rowBytes, x);
    }
    return Math.fma(weight[(taps - 1) * channels + c], x, sum);
  }
}
