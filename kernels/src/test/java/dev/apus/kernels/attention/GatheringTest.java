package dev.apus.kernels.attention;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.attention.Attention.Stored;
import dev.apus.kernels.attention.Attention.Traits;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Gathered slots hold the bytes that keys and values have which are stored one by one. */
class GatheringTest {

  private static final int SPAN = Attention.SPAN;
  private static final int ROWS = 3 * SPAN;

  @ParameterizedTest
  @CsvSource({
    "1, 1, 0, 1",
    "5, 3, 0, 31",
    "5, 5, 0, 33",
    "32, 31, 0, 64",
    "40, 32, 0, 256",
    "33, 32, 256, 257",
    "97, 66, 512, 700",
    "96, 64, 256, 512",
    "71, 7, 0, 100"
  })
  void theyAreWhatIsStoredOneByOne(int rowDim, int valueDim, int from, int to) {
    for (CacheFormat format : List.of(CacheFormat.F32, CacheFormat.BF16)) {
      Attention attention = Kernels.chosen().attention(format);
      var random = new SplittableRandom(rowDim);
      float[][] rows = new float[ROWS][rowDim];
      int[] slots = new int[2 + to];
      for (int i = 2; i < slots.length; i++) {
        slots[i] = random.nextInt(ROWS);
      }
      try (Arena arena = Arena.ofConfined()) {
        Piece[] pieces = new Piece[ROWS / SPAN];
        for (int span = 0; span < pieces.length; span++) {
          MemorySegment memory = arena.allocate(attention.valueBytes(rowDim, SPAN));
          pieces[span] = new Piece(null, 0, memory, -attention.valueBytes(rowDim, span * SPAN));
        }
        for (int slot = 0; slot < ROWS; slot++) {
          for (int d = 0; d < rowDim; d++) {
            rows[slot][d] = (float) random.nextGaussian();
          }
          Piece piece = pieces[slot / SPAN];
          attention.storeValues(rows[slot], 0, rowDim, piece.values(), piece.valuesAt(), slot);
        }
        Stored stored = span -> pieces[span];
        Piece expected = piece(arena, attention, rowDim, valueDim, from);
        for (int i = from; i < to; i++) {
          float[] row = rows[slots[2 + i]];
          float[] key = new float[rowDim];
          System.arraycopy(row, valueDim, key, 0, rowDim - valueDim);
          System.arraycopy(row, 0, key, rowDim - valueDim, valueDim);
          attention.storeKeys(key, 0, rowDim, expected.keys(), expected.keysAt(), i);
          attention.storeValues(row, 0, valueDim, expected.values(), expected.valuesAt(), i);
        }
        Piece actual = piece(arena, attention, rowDim, valueDim, from);
        attention.gather(new Traits(rowDim, valueDim, 1, 0), stored, slots, 2, from, to, actual);
        String what = format + " ";
        for (int i = from; i < to; i++) {
          for (int d = 0; d < rowDim; d++) {
            assertEquals(
                key(attention, expected, rowDim, i, d),
                key(attention, actual, rowDim, i, d),
                what + i);
          }
          float[] wanted = new float[valueDim];
          float[] found = new float[valueDim];
          attention.loadValues(expected.values(), expected.valuesAt(), valueDim, i, wanted, 0);
          attention.loadValues(actual.values(), actual.valuesAt(), valueDim, i, found, 0);
          for (int d = 0; d < valueDim; d++) {
            assertEquals(wanted[d], found[d], what + i);
          }
        }
      }
    }
  }

  private static Piece piece(Arena arena, Attention attention, int rowDim, int valueDim, int from) {
    MemorySegment keys = arena.allocate(attention.keyBytes(rowDim, SPAN)).fill((byte) -1);
    MemorySegment values = arena.allocate(attention.valueBytes(valueDim, SPAN)).fill((byte) -1);
    return new Piece(
        keys, -attention.keyBytes(rowDim, from), values, -attention.valueBytes(valueDim, from));
  }

  private static float key(Attention attention, Piece piece, int dim, int slot, int d) {
    SpannedAttention layout = (SpannedAttention) attention;
    long at = piece.keysAt() + layout.keyPanelAt(slot, dim) + (long) d * layout.columns.bytes();
    float[] value = new float[1];
    layout.columns.load(piece.keys(), at, slot % SpannedAttention.LANES, value, 0, 1);
    return value[0];
  }
}
