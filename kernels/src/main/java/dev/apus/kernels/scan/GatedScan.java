package dev.apus.kernels.scan;

import java.lang.foreign.MemorySegment;

/**
 * A recurrence of each channel by itself, with a real factor for each token:
 *
 * <pre>
 *   h[c] ← fma(a[t][c], h[c], x[t][c])      x[t][c] ← h[c]
 * </pre>
 *
 * <p>It is what linear recurrent networks with diagonal memories come to: RG-LRU, HGRN, minimal
 * GRUs, units whose factors are constant.
 *
 * <p>A token's step is the same, bit for bit, whether it is taken alone or among others.
 */
public interface GatedScan {

  /**
   * Takes channels {@code [from, to)} through {@code tokens} rows and leaves their memory after the
   * last. It touches nothing of the other channels.
   *
   * @param a factors of token {@code t} from {@code aAt + t · aStride}; a stride of 0 is one row
   *     for all tokens
   * @param x inputs, over which the outputs are written; other memory than {@code a}
   * @param state a float for each channel, channel 0 at byte {@code stateAt}; zero before the first
   *     token
   */
  void scan(
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
      long stateAt);
}
