package dev.apus.kernels.attention;

import java.lang.foreign.MemorySegment;

/** How the neighbours in a column of a panel, {@link SpannedAttention#LANES} of them, are kept. */
interface Columns {

  /** Bytes of a column. */
  int bytes();

  /** Bytes of a value that is kept by itself; 0 if values of a column are kept together. */
  int unit();

  /** Decodes {@code count} neighbouring lanes. */
  void load(MemorySegment memory, long columnAt, int lane, float[] values, int valuesAt, int count);

  /**
   * Encodes neighbouring lanes, whatever those beside them hold.
   *
   * @throws UnsupportedOperationException if values of a column are kept together
   */
  void store(
      float[] values, int valuesAt, MemorySegment memory, long columnAt, int lane, int count);

  /** Encodes the first {@code count} lanes; those behind them then hold anything. */
  void encode(float[] values, int valuesAt, MemorySegment memory, long columnAt, int count);
}
