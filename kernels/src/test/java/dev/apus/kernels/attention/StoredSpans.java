package dev.apus.kernels.attention;

import static dev.apus.kernels.Guarded.AT;

import dev.apus.kernels.attention.Attention.Levels;
import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.attention.Attention.Stored;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Memory for some spans of one head: each span by itself, the last one first. */
record StoredSpans(Arena arena, Attention attention, int headDim, int valueDim, int spans) {

  /** Makes values such as a BF16 cache can hold. */
  static void round(float[] values) {
    var codec = WeightFormat.BF16.codec();
    MemorySegment stored = MemorySegment.ofArray(new byte[2 * values.length]);
    codec.encode(values, 0, stored, 0, values.length);
    codec.decode(stored, 0, values, 0, values.length);
  }

  /** Memory for slots that have not settled. */
  Stored recent(Levels[] levels) {
    return pieces(attention.recent(), levels);
  }

  private Stored pieces(Attention kernel, Levels[] levels) {
    long keyBytes = 4 + kernel.keyBytes(headDim, Attention.SPAN);
    long valueBytes = 4 + kernel.valueBytes(valueDim, Attention.SPAN);
    MemorySegment keys = arena.allocate(spans * keyBytes).fill((byte) -1);
    MemorySegment values = arena.allocate(spans * valueBytes).fill((byte) -1);
    return span ->
        new Piece(
            keys,
            4 + (spans - 1 - span) * keyBytes - span * (keyBytes - 4),
            values,
            4 + (spans - 1 - span) * valueBytes - span * (valueBytes - 4),
            levels[span]);
  }

  /** Stores a row of these as the key and the value of a slot. */
  void store(Stored recent, int slot, float[] k, float[] v, int row) {
    Piece at = recent.piece(slot / Attention.SPAN);
    Attention kernel = attention.recent();
    kernel.storeKeys(k, AT + row * headDim, headDim, at.keys(), at.keysAt(), slot);
    kernel.storeValues(v, AT + row * valueDim, valueDim, at.values(), at.valuesAt(), slot);
  }

  /** Reads the first slots as a query at a position sees them. */
  void load(Stored stored, int position, int slots, float[] k, float[] v) {
    for (int slot = 0; slot < slots; slot++) {
      attention.loadKeys(stored, position, headDim, slot, k, AT + slot * headDim);
      attention.loadValues(stored, position, valueDim, slot, v, AT + slot * valueDim);
    }
  }

  /** What settles, beside what it is made of. */
  Stored settled(Stored recent, Levels[] levels) {
    Stored settled = pieces(attention, levels);
    for (int span = 0; span < spans; span++) {
      attention.settle(headDim, valueDim, span, recent.piece(span), settled.piece(span));
    }
    return new Stored() {
      @Override
      public Piece piece(int span) {
        return span < spans ? settled.piece(span) : recent.piece(span);
      }

      @Override
      public Piece recent(int span) {
        return recent.piece(span);
      }
    };
  }
}
