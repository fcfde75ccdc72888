package dev.apus.kernels.block;

import java.lang.foreign.MemorySegment;

/**
 * A codec whose values are whole numbers on a grid for every 16 or 32 of them: {@code value = step
 * · q + low}, but for rounding.
 */
public interface WholeCodec extends BlockCodec {

  /** Values on the same grid. */
  int gridLength();

  /** Whether grids have lows; without, they are zero. */
  boolean hasLows();

  /**
   * Reads one block: its numbers, and a step and a low for every grid.
   *
   * @param lows not written if there are none
   */
  void read(MemorySegment stored, long at, int[] numbers, float[] steps, float[] lows);
}
