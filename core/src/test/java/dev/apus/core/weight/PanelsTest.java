package dev.apus.core.weight;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.WeightSource.Key;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.matmul.Matmul;
import dev.apus.kernels.matmul.Matmuls;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Wherever a matrix lies and whoever computes, the bits are the same. */
class PanelsTest {

  private static final Key KEY = new Key("w", 0, -1);

  /** Panels of several counts, and one that is not full. */
  private static final int OUTPUTS = 5 * Matmul.PANEL_ROWS - 3;

  private final Workers workers = Workers.of(3);
  private final Arena arena = Arena.ofShared();

  @AfterEach
  void close() {
    workers.close();
    arena.close();
  }

  private static int inputs(WeightFormat format) {
    return format.blockLength() == 1 ? 75 : 2 * format.blockLength();
  }

  private static StoredRows stored(WeightFormat format) {
    return new RandomWeights(3, format).find(KEY, OUTPUTS, inputs(format), null);
  }

  private float[] product(Projection projection, int rows) {
    Matrix x = Matrix.zeros(rows, projection.inputs());
    for (int i = 0; i < x.data().length; i++) {
      x.data()[i] = (float) Math.sin(i);
    }
    Matrix y = Matrix.zeros(rows, projection.outputs());
    projection.apply(new Pass(workers, Kernels.chosen()), x, y);
    return y.data();
  }

  private PackedPanels packed(StoredRows stored, Matmul matmul) {
    return PackedPanels.pack(stored, matmul, arena, workers::run, 3, () -> {});
  }

  @ParameterizedTest
  @EnumSource
  void mappedPackedAndEasedComputeTheSameBits(WeightFormat format) {
    StoredRows stored = stored(format);
    Matmul matmul = Kernels.chosen().matmul(format);
    Matmul scalar = Matmuls.scalar(format);
    Ease ease = new Ease(0);
    Panels packed = packed(stored, matmul);
    var mapped = new StoredPanels(matmul, stored);
    Panels eased =
        new EasedPanels(new StoredPanels(scalar, stored), mapped, ease, ease, () -> packed);
    for (int rows : new int[] {1, 2, 7}) {
      float[] expected = product(new Projection(stored, packed(stored, scalar), null), rows);
      assertArrayEquals(expected, product(new Projection(stored, packed, null), rows));
      assertArrayEquals(expected, product(new Projection(stored, mapped, null), rows));
      for (int call = 0; call < 4; call++) {
        assertArrayEquals(expected, product(new Projection(stored, eased, null), rows));
      }
    }
    end(ease);
    float[] expected = product(new Projection(stored, packed, null), 1);
    assertArrayEquals(expected, product(new Projection(stored, eased, null), 1));
  }

  @ParameterizedTest
  @EnumSource
  void rowsReadFromPanelsAreThoseThatWereStored(WeightFormat format) {
    StoredRows stored = stored(format);
    Matmul matmul = Kernels.chosen().matmul(format);
    RowTable expected = RowTable.of(stored);
    for (Panels panels : List.of(packed(stored, matmul), new StoredPanels(matmul, stored))) {
      RowTable table = RowTable.of(new Projection(stored, panels, null));
      assertEquals(OUTPUTS, table.rows());
      for (int row : new int[] {0, 1, 31, 32, 77, OUTPUTS - 1}) {
        float[] values = new float[table.cols() + 1];
        float[] same = new float[table.cols() + 1];
        table.read(row, values, 1);
        expected.read(row, same, 1);
        assertArrayEquals(same, values);
      }
    }
  }

  @Test
  void everyStageOfPackingSaysThatItHasRead() {
    StoredRows stored = new RandomWeights(4, WeightFormat.F32).find(KEY, 3000, 4096, null);
    List<Integer> stages = new ArrayList<>();
    PackedPanels.pack(
        stored,
        Matmuls.scalar(WeightFormat.F32),
        arena,
        workers::run,
        2,
        () -> stages.add(stages.size()));
    assertEquals(3, stages.size(), "47 MB, four slabs of 4 MB at a time");
  }

  @Test
  void theVectorFormTriesForAShareOfTheTimeAndEndsByWinning() {
    Ease ease = new Ease(0);
    assertFalse(ease.isVectorsTurn(), "nothing to compare with");
    ease.scalarTook(1000, 10);
    assertTrue(ease.isVectorsTurn());
    ease.vectorTook(5000, 1);
    assertFalse(ease.isVectorsTurn(), "it took more than its share");
    ease.scalarTook(100_000, 1000);
    assertTrue(ease.isVectorsTurn());
    ease.vectorTook(10, 1);
    ease.vectorTook(10, 1);
    ease.vectorTook(200, 1);
    assertFalse(ease.isOver(), "two wins and a loss");
    end(ease);
  }

  @Test
  void theScalarFormComputesAloneForAWhile() {
    Ease ease = new Ease(1000);
    ease.scalarTook(999, 1);
    assertFalse(ease.isVectorsTurn());
    ease.scalarTook(5, 1);
    assertTrue(ease.isVectorsTurn());
  }

  private static void end(Ease ease) {
    ease.scalarTook(1000, 1);
    for (int i = 0; i < 3; i++) {
      ease.vectorTook(1, 1);
    }
    assertTrue(ease.isOver());
  }
}
