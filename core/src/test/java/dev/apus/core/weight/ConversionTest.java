package dev.apus.core.weight;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.weight.Conversion.Origin;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.FieldSource;
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
    var e = assertThrows(WeightException.class, () -> Conversion.PLUS_ONE.apply(List.of(huge)));
    assertEquals(
        "file: tensor w is [32768, 65536], too large to be converted: it must have fewer than"
            + " 2^31 values",
        e.getMessage());
    StoredRows turned = Conversion.TRANSPOSED.apply(List.of(huge));
    assertEquals("[65536, 32768]", turned.shape());
    assertEquals(0, turned.rows().getLast().getAtIndex(ValueLayout.JAVA_FLOAT, 32767));
    assertEquals(1, Conversion.rows(32767, 1).apply(List.of(huge)).rows().size());
  }

  static final List<Conversion> waysBack =
      List.of(
          Conversion.AS_STORED,
          Conversion.rows(3, 4),
          Conversion.gather(10, row -> 9 - row),
          Conversion.ofEachGroup(2, 5, 1, 3),
          Conversion.gather(10, row -> 9 - row).then(Conversion.rows(2, 5)),
          Conversion.joined(4, 6),
          Conversion.joined(4, 6).then(Conversion.rows(3, 3)),
          Conversion.PLUS_ONE,
          Conversion.MINUS_ONE.then(Conversion.rows(1, 8)),
          Conversion.rows(1, 8).then(Conversion.MINUS_EXP));

  /** Every row of the result is, by its origin and the way back of its values, the stored row. */
  @ParameterizedTest
  @FieldSource("waysBack")
  void theWayBackLeadsToWhatIsStored(Conversion conversion) {
    StoredRows all = rows(10, 1);
    boolean two = conversion.toString().contains("Joined");
    StoredRows[] stored =
        two ? new StoredRows[] {part(all, 0, 4), part(all, 4, 10)} : new StoredRows[] {all};
    float[] result = apply(conversion, stored);
    List<IntFunction<Origin>> own = new ArrayList<>();
    for (int i = 0; i < stored.length; i++) {
      int tensor = i;
      own.add(row -> new Origin(tensor, row));
    }
    IntFunction<Origin> origins = conversion.origins(own);
    for (int row = 0; row < result.length; row++) {
      Origin origin = origins.apply(row);
      float expected = stored[origin.tensor()].decode()[origin.row()];
      assertEquals(expected, conversion.stored(result[row]), 1e-5f, conversion + " row " + row);
    }
  }

  private static StoredRows part(StoredRows all, int from, int to) {
    return new StoredRows("part", all.format(), all.cols(), all.rows().subList(from, to));
  }

  @Test
  void groupsOfRowsBecomeColumns() {
    Conversion turned = Conversion.transposed(2, 3);
    float[] all = {0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11};
    assertArrayEquals(all, apply(turned, rows(4, 3)));
    assertArrayEquals(
        rows(4, 3).decode(), apply(turned.then(Conversion.transposed(3, 2)), rows(4, 3)));
    // A head of one value is a column, not a bias.
    assertEquals("[1, 2]", Conversion.transposed(2, 1).apply(List.of(rows(2, 1))).shape());
    for (StoredRows other : List.of(rows(3, 3), rows(4, 2))) {
      var e = assertThrows(WeightException.class, () -> turned.apply(List.of(other)));
      assertEquals("file: tensor w is " + other.shape() + ", not groups of [2, 3]", e.getMessage());
    }
  }

  /** Values of formats that have one in a block are moved, not decoded. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16", "F16", "Q8_0"})
  void turningKeepsSingleValues(WeightFormat format) {
    StoredRows stored =
        new RandomWeights(5, format).find(new WeightSource.Key("w", 0, -1), 64, 32, null);
    StoredRows turned = Conversion.transposed(32, 32).apply(List.of(stored));
    assertEquals(format.blockLength() > 1 ? WeightFormat.F32 : format, turned.format());
    float[] expected = stored.decode();
    float[] found = turned.decode();
    for (int row = 0; row < 64; row++) {
      for (int col = 0; col < 32; col++) {
        int at = (row / 32 * 32 + col) * 32 + row % 32;
        assertEquals(expected[row * 32 + col], found[at]);
      }
    }
  }

  @Test
  void aTurnedRowIsAColumnOfItsGroup() {
    Conversion heads = Conversion.ofEachGroup(2, 5, 2, 3).then(Conversion.transposed(3, 4));
    assertEquals(
        List.of(new Origin(0, 2, 0), new Origin(0, 2, 3), new Origin(0, 7, 1)),
        origins(heads, 0, 3, 5));
    assertEquals(
        List.of(new Origin(0, 0, 6), new Origin(0, 0, 1)),
        origins(Conversion.TRANSPOSED.then(Conversion.gather(2, r -> 6 - 5 * r)), 0, 1));
    assertEquals(
        List.of(new Origin(0, 0), new Origin(0, 9)),
        origins(Conversion.TRANSPOSED.then(Conversion.TRANSPOSED), 0, 9));
  }

  private static List<Origin> origins(Conversion conversion, int... rows) {
    IntFunction<Origin> origins = conversion.origins(List.of(row -> new Origin(0, row)));
    return Arrays.stream(rows).mapToObj(origins).toList();
  }

  @Test
  void someConversionsHaveNoWayBack() {
    for (Conversion conversion : List.of(Conversion.JOINED, Conversion.values(x -> 2 * x))) {
      var e = assertThrows(WeightException.class, () -> conversion.origins(List.of()));
      assertEquals("its conversion has no way back", e.getMessage());
    }
  }
}
