package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;

import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Panels of {@link WeightFormat#MXFP4}: 32 exponents of a byte, then in each word four columns of a
 * row, and in its upper nibbles the four that are 16 further on.
 */
final class Mxfp4Panels extends QuantPanels {

  private static final VectorSpecies<Byte> B = Lanes.I8;
  private static final VectorSpecies<Byte> BYTES = Lanes.BYTES;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int PARTS = BYTES.length() / I.length();
  private static final int WORDS = 4;
  private static final int WORDS_AT = ROWS;

  private static final int BLOCK_BYTES = 17 * ROWS;

  /** What is added to twice the values, to make them unsigned. */
  private static final int ZERO = 12;

  /** Twice the values of the sixteen codes, above zero, again and again to fill a vector. */
  private static final ByteVector DOUBLED = doubled();

  Mxfp4Panels() {
    super(
        PanelLayout.of(
            WeightFormat.MXFP4, new PanelLayout.Units(0, 1, 1), new PanelLayout.Units(1, 4, WORDS)),
        GROUP,
        false,
        ZERO);
  }

  @Override
  void steps(MemorySegment packed, long panelAt, int from, int width, float[] scratch, int lane) {
    long at = panelAt + layout().blockAt(from);
    int to = STEPS_AT + lane;
    for (int k = 0; k < width; k += GROUP) {
      powers(packed, at, scratch, to);
      at += BLOCK_BYTES;
      to += Tiles.STRIDE;
    }
  }

  /** 2^(e − 128), subnormal for the two smallest; the halves make up for the doubled values. */
  private static void powers(MemorySegment packed, long at, float[] scratch, int to) {
    for (int row = 0; row < ROWS; row += I.length()) {
      int part = row / I.length() % PARTS;
      IntVector e =
          (IntVector)
              ByteVector.fromMemorySegment(
                      BYTES, packed, at + row - part * I.length(), ByteOrder.LITTLE_ENDIAN)
                  .convertShape(ZERO_EXTEND_B2I, I, part);
      IntVector subnormal = e.mul(0x0020_0000).add(0x0020_0000);
      e.sub(1)
          .lanewise(LSHL, 23)
          .blend(subnormal, e.compare(LT, 2))
          .reinterpretAsFloats()
          .intoArray(scratch, to + row);
    }
  }

  @Override
  void words(MemorySegment packed, long panelAt, int from, float[] scratch, int lane) {
    long at = panelAt + layout().blockAt(from) + WORDS_AT;
    for (int i = 0; i < WORDS; i++) {
      for (int row = 0; row < ROWS; row += I.length()) {
        IntVector eight =
            IntVector.fromMemorySegment(
                I, packed, at + 4L * (i * ROWS + row), ByteOrder.LITTLE_ENDIAN);
        ByteVector lower = eight.and(0x0f0f0f0f).reinterpretAsBytes();
        ByteVector upper = eight.lanewise(LSHR, 4).and(0x0f0f0f0f).reinterpretAsBytes();
        int to = QuantPanels.WORDS_AT + i * Tiles.STRIDE + lane + row;
        lower.selectFrom(DOUBLED).reinterpretAsFloats().intoArray(scratch, to);
        upper
            .selectFrom(DOUBLED)
            .reinterpretAsFloats()
            .intoArray(scratch, to + WORDS * Tiles.STRIDE);
      }
    }
  }

  private static ByteVector doubled() {
    byte[] values = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
    byte[] lanes = new byte[B.length()];
    for (int i = 0; i < lanes.length; i++) {
      lanes[i] = (byte) (values[i % values.length] + ZERO);
    }
    return ByteVector.fromArray(B, lanes, 0);
  }
}
