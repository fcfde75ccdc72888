package dev.apus.kernels.conv;

import java.lang.foreign.MemorySegment;

/**
 * A causal convolution of each channel with a filter that may be as long as the sequence:
 *
 * <pre>
 *   y[t][c] = skip[c] · x[t][c] + Σ_{s ≤ t} k[s][c] · x[t − s][c]
 * </pre>
 *
 * <p>A sequence is taken in blocks of {@link #BLOCK} tokens, counted from its first. Inputs of the
 * output's own block are added one by one: a chain of fused multiply-adds from {@code skip · x} on,
 * newest input first. All earlier blocks come at once, when the block begins, as the inverse
 * transform of {@code Σ_m X[j − m] · K[m]}, nearest block first, of spectra of {@code 2 · BLOCK}
 * real numbers. So each output is one sum in one order, however the sequence is cut, and later
 * tokens leave no trace in earlier outputs. A token costs about {@code BLOCK / 2 + 4 t / BLOCK + 10
 * log₂ BLOCK} multiply-adds a channel.
 *
 * <p>The transforms are of radix two. What the earlier blocks add is rounded as the largest
 * products in their spectra are, so a small output beside large inputs loses precision.
 */
public interface LongConvolution {

  /** Tokens of a block. */
  int BLOCK = 64;

  /** Channels that lie side by side, whatever the length of a vector. */
  int LANES = 16;

  /** Values of a group of channels in a block: as many as its spectrum has. */
  int GROUP_FLOATS = 2 * BLOCK * LANES;

  /**
   * A filter for each channel.
   *
   * @param near the first block of each group, {@code [group][token][channel]}
   * @param skip {@code [channels]}, filled up to whole groups
   * @param spectra of taps {@code [(m − 1) · BLOCK, (m + 1) · BLOCK)} for m from 1 on, each {@code
   *     [group][number][channel]}: the real bins 0 and BLOCK, then the others as real and imaginary
   */
  record Filter(int channels, float[] near, float[] skip, float[][] spectra) {

    public int groups() {
      return Math.ceilDiv(channels, LANES);
    }
  }

  /**
   * Prepares filters.
   *
   * @param taps {@code [length][channels]}, the one for the newest input first
   */
  Filter filter(int channels, int length, float[] taps, float[] skip);

  /**
   * Convolves groups {@code [from, to)} of a run of tokens.
   *
   * @param position tokens of the sequence before the run
   * @param x {@code channels} values a token
   * @param recent native; for each group the inputs of the block that the run begins in, as {@code
   *     [token][channel]}, and then what the blocks before add to its outputs; zero at first
   * @param past the spectra of all blocks before, {@code [group][number][channel]} from {@code
   *     pastAt}; receives those of the blocks that the run completes
   * @param y receives {@code channels} values a token; may be {@code x} in the same place
   * @param scratch at least {@code 2 · GROUP_FLOATS}, of no other thread
   */
  void convolve(
      Filter filter,
      int from,
      int to,
      int position,
      int tokens,
      float[] x,
      int xAt,
      int xStride,
      MemorySegment recent,
      long recentAt,
      float[][] past,
      int pastAt,
      float[] y,
      int yAt,
      int yStride,
      float[] scratch);
}
