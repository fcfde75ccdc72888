package dev.apus.kernels.matmul;

import java.lang.invoke.VarHandle;

/**
 * Halves of words whose four nibbles are neighbouring columns.
 *
 * @param gridBytes of a stored block, in front of its nibbles
 * @param runBytes stored bytes with as many columns in their lower nibbles, and the next as many in
 *     their upper ones
 */
record NibbleFilling(int gridBytes, int blockBytes, int runBytes) implements IntegerLayout.Filling {

  private static final VarHandle WORD = Transposition.WORD;
  private static final VarHandle HALF = Transposition.HALF;

  /** Columns whose nibbles are half a word. */
  static final int UNIT_COLUMNS = 4;

  /** What is subtracted from a nibble. */
  static final int ZERO = 8;

  private static final int UNIT_BYTES = IntegerLayout.HALF_BYTES;

  @Override
  public void pack(byte[] stored, int blockAt, byte[] panel, int to) {
    int upper = runBytes / UNIT_COLUMNS * UNIT_BYTES;
    int end = blockAt + blockBytes;
    for (int run = blockAt + gridBytes; run < end; run += runBytes) {
      for (int i = run; i < run + runBytes; i += UNIT_COLUMNS) {
        int bytes = (int) WORD.get(stored, i);
        HALF.set(panel, to, joined(bytes));
        HALF.set(panel, to + upper, joined(bytes >>> 4));
        to += UNIT_BYTES;
      }
      to += upper;
    }
  }

  @Override
  public void unpack(byte[] panel, int from, byte[] stored, int blockAt) {
    int upper = runBytes / UNIT_COLUMNS * UNIT_BYTES;
    int end = blockAt + blockBytes;
    for (int run = blockAt + gridBytes; run < end; run += runBytes) {
      for (int i = run; i < run + runBytes; i += UNIT_COLUMNS) {
        int low = apart((short) HALF.get(panel, from));
        int high = apart((short) HALF.get(panel, from + upper));
        WORD.set(stored, i, low | high << 4);
        from += UNIT_BYTES;
      }
      from += upper;
    }
  }

  /** The lower nibbles of four bytes side by side. */
  private static short joined(int bytes) {
    int pairs = bytes & 0x0f0f0f0f;
    pairs = (pairs | pairs >>> 4) & 0x00ff00ff;
    return (short) (pairs | pairs >>> 8);
  }

  /** Four nibbles as the lower ones of four bytes. */
  private static int apart(short nibbles) {
    int pairs = nibbles & 0xff | (nibbles & 0xff00) << 8;
    return (pairs | pairs << 4) & 0x0f0f0f0f;
  }
}
