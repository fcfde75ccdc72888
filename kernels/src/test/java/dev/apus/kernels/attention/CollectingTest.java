package dev.apus.kernels.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.attention.Attention.Stored;
import dev.apus.kernels.attention.Attention.Traits;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Collected slots hold what was stored at the slots of the ranges, one behind the other. */
class CollectingTest {

  private static final int SPAN = Attention.SPAN;
  private static final int SLOTS = 4 * SPAN;

  @ParameterizedTest
  @CsvSource({"16, 64, 32", "5, 7, 33", "1, 1, 1", "24, 40, 5", "64, 96, 64", "100, 8, 0"})
  void theyAreWhatWasStored(int page, int headDim, int valueDim) {
    for (CacheFormat format : List.of(CacheFormat.F32, CacheFormat.BF16)) {
      Attention attention = Kernels.chosen().attention(format);
      var random = new SplittableRandom(page);
      int[] pages = IntStream.range(0, SLOTS / page).filter(i -> random.nextInt(5) < 3).toArray();
      int[] ranges = Arrays.stream(pages).flatMap(i -> ends(i, page)).toArray();
      int[] slots = Arrays.stream(pages).flatMap(i -> slots(i, page)).toArray();
      var traits = new Traits(headDim, valueDim, 1, 0);
      try (Arena arena = Arena.ofConfined()) {
        Piece[] pieces = new Piece[SLOTS / SPAN];
        for (int span = 0; span < pieces.length; span++) {
          pieces[span] = piece(arena, attention, traits, span * SPAN);
        }
        Stored stored = span -> pieces[span];
        for (int slot = 0; slot < SLOTS; slot++) {
          float[] row = new float[headDim + valueDim];
          for (int d = 0; d < row.length; d++) {
            row[d] = (float) random.nextGaussian();
          }
          Piece to = pieces[slot / SPAN];
          attention.storeKeys(row, 0, headDim, to.keys(), to.keysAt(), slot);
          attention.storeValues(row, headDim, valueDim, to.values(), to.valuesAt(), slot);
        }
        for (int from = 0; from < slots.length; from += SPAN) {
          int to = Math.min(slots.length, from + SPAN);
          Piece piece = piece(arena, attention, traits, from);
          attention.collect(traits, stored, ranges, from, to, piece);
          for (int i = from; i < to; i++) {
            float[] expected = row(attention, traits, pieces[slots[i] / SPAN], slots[i]);
            assertArrayEquals(expected, row(attention, traits, piece, i), format + " " + i);
          }
        }
      }
    }
  }

  private static IntStream ends(int i, int page) {
    return IntStream.of(i * page, (i + 1) * page);
  }

  private static IntStream slots(int i, int page) {
    return IntStream.range(i * page, (i + 1) * page);
  }

  private static Piece piece(Arena arena, Attention attention, Traits traits, int from) {
    long keyBytes = attention.keyBytes(traits.headDim(), SPAN);
    long valueBytes = attention.valueBytes(traits.valueDim(), SPAN);
    return new Piece(
        arena.allocate(keyBytes).fill((byte) -1),
        -attention.keyBytes(traits.headDim(), from),
        arena.allocate(valueBytes).fill((byte) -1),
        -attention.valueBytes(traits.valueDim(), from));
  }

  private static float[] row(Attention attention, Traits traits, Piece piece, int slot) {
    float[] row = new float[traits.headDim() + traits.valueDim()];
    attention.loadKeys(piece.keys(), piece.keysAt(), traits.headDim(), slot, row, 0);
    attention.loadValues(
        piece.values(), piece.valuesAt(), traits.valueDim(), slot, row, traits.headDim());
    return row;
  }

  @Test
  void whatSettlesHasNoSlotsOfItsOwn() {
    Attention attention = Kernels.chosen().attention(CacheFormat.Q8);
    assertThrows(
        UnsupportedOperationException.class,
        () -> attention.collect(new Traits(8, 8, 1, 0), null, new int[] {0, 1}, 0, 1, null));
  }
}
