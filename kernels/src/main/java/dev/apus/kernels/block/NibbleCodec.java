package dev.apus.kernels.block;

import java.lang.foreign.MemorySegment;

/**
 * A codec whose values are whole numbers from −8 to 7 on a grid for every {@link #SPAN} of them:
 * {@code value = step · q + low}, but for rounding.
 */
public interface NibbleCodec extends BlockCodec {

  /** Values on the same grid. */
  int SPAN = 32;

  /** What is subtracted from a stored nibble. */
  int ZERO = 8;

  /** Whether grids have lows; without, they are zero. */
  boolean hasLows();

  /**
   * Reads one block: its numbers, and a step and a low for every span.
   *
   * @param lows not written if there are none
   */
  void read(MemorySegment stored, long at, int[] numbers, float[] steps, float[] lows);
}
