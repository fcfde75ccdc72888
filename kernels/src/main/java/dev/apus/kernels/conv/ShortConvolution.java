package dev.apus.kernels.conv;

import java.lang.foreign.MemorySegment;

/**
 * A causal convolution of each channel with a few taps:
 *
 * <pre>
 *   y[t][c] = bias[c] + Σ_{j &lt; taps} weight[j][c] · x[t − taps + 1 + j][c]
 * </pre>
 *
 * <p>A sum starts at the bias (or 0) and takes one fused multiply-add a tap, oldest input first.
 *
 * <p>The last {@code taps − 1} inputs of a sequence are its state.
 */
public interface ShortConvolution {

  /**
   * Convolves channels {@code [from, to)} of {@code tokens} rows and moves their state forward past
   * them. It touches nothing of the other channels.
   *
   * @param weight {@code [taps][channels]}
   * @param bias {@code [channels]} or null
   * @param state {@code [taps − 1][channels]} floats, oldest first; zero before the first token
   * @param y may be {@code x} with the same offset and stride
   */
  void convolve(
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
      int yStride);
}
