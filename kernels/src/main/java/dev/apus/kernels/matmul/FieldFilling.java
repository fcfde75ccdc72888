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

    @Override
    void packPart(byte[] quants, int at, byte[] panel, int to) {
      long first = fives((long) LONG.get(quants, at));
      long second = fives((long) LONG.get(quants, at + Long.BYTES));
      long last = second >>> 35;
      putFive(panel, to, 0, first, last);
      putFive(panel, to, 1, first >>> 15, last);
      putFive(panel, to, 2, first >>> 30 | second << 10, last);
      putFive(panel, to, 3, second >>> 5, last);
      putFive(panel, to, 4, second >>> 20, last);
    }

    @Override
    void unpackPart(byte[] panel, int from, byte[] quants, int at) {
      long last = 0;
      for (int half = 0; half < 5; half++) {
        last |= half(panel, from, half) >>> 15 << half;
      }
      long middle = half(panel, from, 2) & FIFTEEN;
      long first = half(panel, from, 0) & FIFTEEN | (half(panel, from, 1) & FIFTEEN) << 15;
      long second = (half(panel, from, 3) & FIFTEEN) << 5 | (half(panel, from, 4) & FIFTEEN) << 20;
      LONG.set(quants, at, bytes(first | (middle & 0x3ff) << 30));
      LONG.set(quants, at + Long.BYTES, bytes(second | middle >>> 10 | last << 35));
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

    @Override
    void packPart(byte[] quants, int at, byte[] panel, int to) {
      long eight = (long) LONG.get(quants, at);
      long pairs = eight & LOWER_SIXES | eight >>> 2 & UPPER_SIXES;
      long last = pairs >>> 48;
      for (int half = 0; half < 3; half++) {
        long bits = pairs >>> 16 * half & 0xfff | (last >>> 4 * half & 0xf) << 12;
        HALF.set(panel, to + half * IntegerLayout.HALF_BYTES, (short) bits);
      }
    }

    @Override
    void unpackPart(byte[] panel, int from, byte[] quants, int at) {
      long pairs = 0;
      for (int half = 0; half < 3; half++) {
        long bits = half(panel, from, half);
        pairs |= (bits & 0xfff) << 16 * half | bits >>> 12 << 48 + 4 * half;
      }
      LONG.set(quants, at, pairs & LOWER_SIXES | (pairs & UPPER_SIXES) << 2);
    }
  };

  private static final VarHandle LONG = Transposition.LONG;
  private static final VarHandle HALF = Transposition.HALF;
  private static final int BLOCK = 256;
  private static final long EACH_BYTE = 0x0101010101010101L;
  private static final int LOWER_BITS = 4;
  private static final long LOWER = 0xf * EACH_BYTE;
  private static final long FIFTEEN = 0x7fff;
  private static final long LOWER_SIXES = 0x003f003f003f003fL;
  private static final long UPPER_SIXES = 0x0fc00fc00fc00fc0L;

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

  /** Fills the halves of a part. */
  abstract void packPart(byte[] quants, int at, byte[] panel, int to);

  abstract void unpackPart(byte[] panel, int from, byte[] quants, int at);

  private static long half(byte[] panel, int at, int half) {
    return Short.toUnsignedLong((short) HALF.get(panel, at + half * IntegerLayout.HALF_BYTES));
  }

  private static void putFive(byte[] panel, int at, int half, long bits, long last) {
    long all = bits & FIFTEEN | (last >>> half & 1) << 15;
    HALF.set(panel, at + half * IntegerLayout.HALF_BYTES, (short) all);
  }

  /** The lower five bits of eight bytes side by side. */
  private static long fives(long bytes) {
    long pairs = bytes & 0x001f001f001f001fL | bytes >>> 3 & 0x03e003e003e003e0L;
    long fours = pairs & 0x000003ff000003ffL | pairs >>> 6 & 0x000ffc00000ffc00L;
    return fours & 0xfffffL | fours >>> 12 & 0xfffff00000L;
  }

  /** Eight times five bits as the lower ones of eight bytes. */
  private static long bytes(long fives) {
    long fours = fives & 0xfffffL | (fives & 0xfffff00000L) << 12;
    long pairs = fours & 0x000003ff000003ffL | (fours & 0x000ffc00000ffc00L) << 6;
    return pairs & 0x001f001f001f001fL | (pairs & 0x03e003e003e003e0L) << 3;
  }

  @Override
  public void pack(byte[] stored, int blockAt, byte[] panel, int to) {
    byte[] quants = new byte[BLOCK];
    for (int col = 0; col < BLOCK; col += Long.BYTES) {
      long lower = (long) LONG.get(stored, blockAt + lowerAt(col)) >>> lowerShift(col) & LOWER;
      long more = (long) LONG.get(stored, blockAt + upperAt(col)) >>> upperShift(col) & upper;
      LONG.set(quants, col, lower | more << LOWER_BITS);
    }
    for (int col = 0; col < BLOCK; col += fields.columns()) {
      packPart(quants, col, panel, to);
      to += fields.halves() * IntegerLayout.HALF_BYTES;
    }
  }

  @Override
  public void unpack(byte[] panel, int from, byte[] stored, int blockAt) {
    byte[] quants = new byte[BLOCK];
    for (int col = 0; col < BLOCK; col += fields.columns()) {
      unpackPart(panel, from, quants, col);
      from += fields.halves() * IntegerLayout.HALF_BYTES;
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
