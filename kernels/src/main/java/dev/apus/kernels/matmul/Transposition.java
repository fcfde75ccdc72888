package dev.apus.kernels.matmul;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Transposes a matrix of units of one, two or four bytes.
 *
 * <p>It goes by squares of eight by eight bytes, four by four halves or two by two words: each line
 * of a square is one {@code long}, and halves of longs trade places. Plain arithmetic, because this
 * runs from the first moment on, when vectors are not compiled yet. Public for the packages of this
 * module only.
 *
 * @param unitBytes 1, 2 or 4
 * @param fromStride bytes from a line to the next where it is read; its units are neighbours
 * @param toStride bytes from a line to the next where it is written, of what were columns
 */
public record Transposition(int unitBytes, int fromStride, int toStride) {

  /** Eight bytes of an array. */
  static final VarHandle LONG = view(long[].class);

  /** Four bytes of an array. */
  static final VarHandle WORD = view(int[].class);

  /** Two bytes of an array. */
  static final VarHandle HALF = view(short[].class);

  private static final long BYTES = 0x00ff00ff00ff00ffL;
  private static final long HALVES = 0x0000ffff0000ffffL;
  private static final long WORDS = 0x00000000ffffffffL;

  private static VarHandle view(Class<?> array) {
    return MethodHandles.byteArrayViewVarHandle(array, ByteOrder.LITTLE_ENDIAN);
  }

  /** Transposes {@code lines} lines of {@code units} units. */
  public void apply(byte[] from, int fromAt, int lines, int units, byte[] to, int toAt) {
    int side = Long.BYTES / unitBytes;
    int squareLines = lines - lines % side;
    int squareUnits = units - units % side;
    for (int line = 0; line < squareLines && squareUnits > 0; line += side) {
      int lineAt = fromAt + line * fromStride;
      int columnAt = toAt + line * unitBytes;
      int squares = squareUnits / side;
      switch (unitBytes) {
        case 1 -> bytes(from, lineAt, fromStride, squares, to, columnAt, toStride);
        case 2 -> halves(from, lineAt, fromStride, squares, to, columnAt, toStride);
        default -> words(from, lineAt, fromStride, squares, to, columnAt, toStride);
      }
    }
    for (int line = 0; line < lines; line++) {
      for (int unit = line < squareLines ? squareUnits : 0; unit < units; unit++) {
        int unitAt = fromAt + line * fromStride + unit * unitBytes;
        copy(from, unitAt, to, toAt + unit * toStride + line * unitBytes);
      }
    }
  }

  private void copy(byte[] from, int fromAt, byte[] to, int toAt) {
    switch (unitBytes) {
      case 1 -> to[toAt] = from[fromAt];
      case 2 -> HALF.set(to, toAt, (short) HALF.get(from, fromAt));
      default -> WORD.set(to, toAt, (int) WORD.get(from, fromAt));
    }
  }

  private static void words(
      byte[] from, int fromAt, int fromStride, int squares, byte[] to, int toAt, int toStride) {
    for (int i = 0; i < squares; i++) {
      int at = fromAt + 8 * i;
      long a = (long) LONG.get(from, at);
      long b = (long) LONG.get(from, at + fromStride);
      int column = toAt + 2 * i * toStride;
      LONG.set(to, column, a & WORDS | b << 32);
      LONG.set(to, column + toStride, a >>> 32 | b & ~WORDS);
    }
  }

  private static void halves(
      byte[] from, int fromAt, int fromStride, int squares, byte[] to, int toAt, int toStride) {
    for (int i = 0; i < squares; i++) {
      int at = fromAt + 8 * i;
      long a = (long) LONG.get(from, at);
      long b = (long) LONG.get(from, at + fromStride);
      long c = (long) LONG.get(from, at + 2 * fromStride);
      long d = (long) LONG.get(from, at + 3 * fromStride);
      long ab = a & HALVES | (b & HALVES) << 16;
      long cd = c & HALVES | (d & HALVES) << 16;
      long ba = a >>> 16 & HALVES | b & ~HALVES;
      long dc = c >>> 16 & HALVES | d & ~HALVES;
      int column = toAt + 4 * i * toStride;
      LONG.set(to, column, ab & WORDS | cd << 32);
      LONG.set(to, column + toStride, ba & WORDS | dc << 32);
      LONG.set(to, column + 2 * toStride, ab >>> 32 | cd & ~WORDS);
      LONG.set(to, column + 3 * toStride, ba >>> 32 | dc & ~WORDS);
    }
  }

  private static void bytes(
      byte[] from, int fromAt, int fromStride, int squares, byte[] to, int toAt, int toStride) {
    for (int i = 0; i < squares; i++) {
      int at = fromAt + 8 * i;
      long a = (long) LONG.get(from, at);
      long b = (long) LONG.get(from, at + fromStride);
      long c = (long) LONG.get(from, at + 2 * fromStride);
      long d = (long) LONG.get(from, at + 3 * fromStride);
      long e = (long) LONG.get(from, at + 4 * fromStride);
      long f = (long) LONG.get(from, at + 5 * fromStride);
      long g = (long) LONG.get(from, at + 6 * fromStride);
      long h = (long) LONG.get(from, at + 7 * fromStride);
      // Even and odd bytes of two lines side by side, then of four, then of eight.
      long ab = a & BYTES | (b & BYTES) << 8;
      long ba = a >>> 8 & BYTES | b & ~BYTES;
      long cd = c & BYTES | (d & BYTES) << 8;
      long dc = c >>> 8 & BYTES | d & ~BYTES;
      long ef = e & BYTES | (f & BYTES) << 8;
      long fe = e >>> 8 & BYTES | f & ~BYTES;
      long gh = g & BYTES | (h & BYTES) << 8;
      long hg = g >>> 8 & BYTES | h & ~BYTES;
      long a0 = ab & HALVES | (cd & HALVES) << 16;
      long a2 = ab >>> 16 & HALVES | cd & ~HALVES;
      long a1 = ba & HALVES | (dc & HALVES) << 16;
      long a3 = ba >>> 16 & HALVES | dc & ~HALVES;
      long e0 = ef & HALVES | (gh & HALVES) << 16;
      long e2 = ef >>> 16 & HALVES | gh & ~HALVES;
      long e1 = fe & HALVES | (hg & HALVES) << 16;
      long e3 = fe >>> 16 & HALVES | hg & ~HALVES;
      int column = toAt + 8 * i * toStride;
      LONG.set(to, column, a0 & WORDS | e0 << 32);
      LONG.set(to, column + toStride, a1 & WORDS | e1 << 32);
      LONG.set(to, column + 2 * toStride, a2 & WORDS | e2 << 32);
      LONG.set(to, column + 3 * toStride, a3 & WORDS | e3 << 32);
      LONG.set(to, column + 4 * toStride, a0 >>> 32 | e0 & ~WORDS);
      LONG.set(to, column + 5 * toStride, a1 >>> 32 | e1 & ~WORDS);
      LONG.set(to, column + 6 * toStride, a2 >>> 32 | e2 & ~WORDS);
      LONG.set(to, column + 7 * toStride, a3 >>> 32 | e3 & ~WORDS);
    }
  }
}
