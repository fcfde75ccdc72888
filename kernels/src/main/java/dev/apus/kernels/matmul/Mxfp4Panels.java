package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int WORDS = 4;
  private static final int WORDS_AT = ROWS;

  /** Twice the values of the sixteen codes, again and again to fill a vector. */
  private static final ByteVector DOUBLED = doubled();

  Mxfp4Panels() {
    super(
        PanelLayout.of(
            WeightFormat.MXFP4, new PanelLayout.Units(0, 1, 1), new PanelLayout.Units(1, 4, WORDS)),
        GROUP,
        false);
  }

  /** 2^(e − 128), subnormal for the two smallest; the halves make up for the doubled values. */
  @Override
  void steps(MemorySegment packed, long panelAt, int from, float[] scratch, int lane) {
    long at = panelAt + layout().blockAt(from);
    for (int i = 0; i < ROWS; i++) {
      int e = Byte.toUnsignedInt(packed.get(ValueLayout.JAVA_BYTE, at + i));
      scratch[STEPS_AT + lane + i] = Float.intBitsToFloat(e < 2 ? 0x0020_0000 << e : e - 1 << 23);
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
      lanes[i] = values[i % values.length];
    }
    return ByteVector.fromArray(B, lanes, 0);
  }
}
