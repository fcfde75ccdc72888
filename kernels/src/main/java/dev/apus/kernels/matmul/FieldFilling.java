package dev.apus.kernels.matmul;

import java.lang.invoke.VarHandle;

/**
 * Halves of words that {@link Fields} fill, of blocks of 256 columns that store the lower four bits
 * of quants and their upper ones apart.
 */
enum FieldFilling implements IntegerLayout.Filling {
  Q5_K(Fields.FIVE) {
    @Override
    int lowerAt(int col) {
      return 48 + col / 64 * 32 + col % 32;
    }

    @Override
    int lowerShift(int col) {
      return col % 64 / 32 * 4;
    }

    @Override
    int upperAt(int col) {
      return 16 + col % 32;
    }

    @Override
    int upperShift(int col) {
      return col / 32;
    }
  },

  Q6_K(Fields.SIX) {
    @Override
    int lowerAt(int col) {
      return col / 128 * 64 + col % 64;
    }

    @Override
    int lowerShift(int col) {
      return col % 128 / 64 * 4;
    }

    @Override
    int upperAt(int col) {
      return 128 + col / 128 * 32 + col % 32;
    }

    @Override
    int upperShift(int col) {
      return col % 128 / 32 * 2;
    }
  };

  private static final VarHandle LONG = Transposition.LONG;
  private static final VarHandle HALF = Transposition.HALF;
  private static final int BLOCK = 256;
  private static final long EACH_BYTE = 0x0101010101010101L;
  private static final int LOWER_BITS = 4;
  private static final long LOWER = 0xf * EACH_BYTE;

  private final Fields fields;
  private final long upper;

  FieldFilling(Fields fields) {
    this.fields = fields;
    this.upper = ((1L << fields.bits() - LOWER_BITS) - 1) * EACH_BYTE;
  }

  /** Where in a stored block the byte with a column's lower bits is. */
  abstract int lowerAt(int col);

  /** How far up in that byte they are. */
  abstract int lowerShift(int col);

  abstract int upperAt(int col);

  abstract int upperShift(int col);

  @Override
  public void pack(byte[] stored, int blockAt, byte[] panel, int to) {
    byte[] quants = new byte[BLOCK];
    for (int col = 0; col < BLOCK; col += Long.BYTES) {
      long lower = (long) LONG.get(stored, blockAt + lowerAt(col)) >>> lowerShift(col) & LOWER;
      long more = (long) LONG.get(stored, blockAt + upperAt(col)) >>> upperShift(col) & upper;
      LONG.set(quants, col, lower | more << LOWER_BITS);
    }
    for (int col = 0; col < BLOCK; col += fields.columns()) {
      for (int half = 0; half < fields.halves(); half++) {
        HALF.set(panel, to, (short) fields.half(quants, col, half));
        to += IntegerLayout.HALF_BYTES;
      }
    }
  }

  @Override
  public void unpack(byte[] panel, int from, byte[] stored, int blockAt) {
    byte[] quants = new byte[BLOCK];
    for (int col = 0; col < BLOCK; col += fields.columns()) {
      for (int half = 0; half < fields.halves(); half++) {
        fields.addTo(quants, col, half, (short) HALF.get(panel, from));
        from += IntegerLayout.HALF_BYTES;
      }
    }
    for (int col = 0; col < BLOCK; col += Long.BYTES) {
      long eight = (long) LONG.get(quants, col);
      add(stored, blockAt + lowerAt(col), (eight & LOWER) << lowerShift(col));
      add(stored, blockAt + upperAt(col), (eight >>> LOWER_BITS & upper) << upperShift(col));
    }
  }

  private static void add(byte[] stored, int at, long bits) {
    LONG.set(stored, at, (long) LONG.get(stored, at) | bits);
  }
}
