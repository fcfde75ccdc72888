package dev.apus.core.weight;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConversionTest {

  private static StoredRows rows(int rows, int cols) {
    float[] values = new float[rows * cols];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    return StoredRows.of("file: tensor w", values, cols);
  }

  private static float[] apply(Conversion conversion, StoredRows... stored) {
    return conversion.apply(List.of(stored)).decode();
  }

  /** The first values of a matrix of ten rows of one value, after a conversion. */
  private static float[] of10(Conversion conversion) {
    return apply(conversion, rows(10, 1));
  }

  @Test
  void rowsArePickedByNumber() {
    assertArrayEquals(new float[] {3, 4}, of10(Conversion.rows(3, 2)));
    assertArrayEquals(new float[] {}, of10(Conversion.rows(10, 0)));
    assertArrayEquals(new float[] {9, 9, 0}, of10(Conversion.gather(3, r -> r == 2 ? 0 : 9)));
    assertArrayEquals(new float[] {1, 2, 6, 7}, of10(Conversion.ofEachGroup(2, 5, 1, 2)));
    assertArrayEquals(
        new float[] {8, 9, 0},
        of10(Conversion.concatenated(Conversion.rows(8, 2), Conversion.rows(0, 1))));
    assertArrayEquals(new float[] {6}, of10(Conversion.rows(5, 4).then(Conversion.rows(1, 1))));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 10, Integer.MAX_VALUE})
  void aRowThatIsNotThereIsRefused(int row) {
    var e = assertThrows(WeightException.class, () -> of10(Conversion.gather(1, r -> row)));
    assertEquals("file: tensor w has 10 rows, row " + row + " is needed", e.getMessage());
  }

  @Test
  void rowsKeepTheirBlocks() {
    var random = new SplittableRandom(4);
    StoredRows stored =
        new RandomWeights(random.nextLong(), WeightFormat.Q4_K)
            .find(new WeightSource.Key("w", 0, -1), 6, 512, null);
    StoredRows picked = Conversion.ofEachGroup(2, 3, 2, 1).apply(List.of(stored));
    assertEquals(WeightFormat.Q4_K, picked.format());
    assertSame(stored.rows().get(2), picked.rows().get(0));
    assertSame(stored.rows().get(5), picked.rows().get(1));
  }

  @Test
  void functionsOfValuesAreThoseOfTheirNames() {
    StoredRows stored = StoredRows.of("w", new float[] {-2, 0, 1.5f, 80}, 2);
    assertArrayEquals(new float[] {-1, 1, 2.5f, 81}, apply(Conversion.PLUS_ONE, stored));
    assertArrayEquals(new float[] {-3, -1, 0.5f, 79}, apply(Conversion.MINUS_ONE, stored));
    float[] minusExp = apply(Conversion.MINUS_EXP, stored);
    double[] exponents = {-2, 0, 1.5, 80};
    for (int i = 0; i < 4; i++) {
      assertEquals((float) -Math.exp(exponents[i]), minusExp[i], Math.ulp(minusExp[i]));
    }
    assertEquals(2, Conversion.PLUS_ONE.apply(List.of(stored)).rows().size());
  }

  @Test
  void rowsBecomeColumns() {
    StoredRows turned = Conversion.TRANSPOSED.apply(List.of(rows(2, 3)));
    assertEquals("[3, 2]", turned.shape());
    assertArrayEquals(new float[] {0, 3, 1, 4, 2, 5}, turned.decode());
    assertArrayEquals(rows(2, 3).decode(), apply(Conversion.TRANSPOSED, turned));
    StoredRows bias = rows(3, 1);
    assertSame(bias, Conversion.TRANSPOSED.apply(List.of(bias)));
  }

  @Test
  void decodingWritesNothingButItsRow() {
    float[] values = {Float.NaN, Float.NaN, Float.NaN, Float.NaN, Float.NaN};
    rows(4, 3).decode(2, values, 1);
    assertArrayEquals(new float[] {Float.NaN, 6, 7, 8, Float.NaN}, values);
    RowTable.of(rows(4, 3)).read(3, values, 2);
    assertArrayEquals(new float[] {Float.NaN, 6, 9, 10, 11}, values);
  }

  @Test
  void moreValuesThanAnArrayHoldsAreRefusedWithTheirShape() {
    var row = Arena.ofAuto().allocate(4L << 16, 4);
    var huge =
        new StoredRows(
            "file: tensor w",
            WeightFormat.F32,
            1 << 16,
            new ArrayList<>(Collections.nCopies(1 << 15, row)));
    assertEquals("[32768, 65536]", huge.shape());
    for (Conversion conversion : List.of(Conversion.PLUS_ONE, Conversion.TRANSPOSED)) {
      var e = assertThrows(WeightException.class, () -> conversion.apply(List.of(huge)));
      assertEquals(
          "file: tensor w is [32768, 65536], too large to be converted: it must have fewer than"
              + " 2^31 values",
          e.getMessage());
    }
    assertEquals(1, Conversion.rows(32767, 1).apply(List.of(huge)).rows().size());
  }
}
