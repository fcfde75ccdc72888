package dev.apus.core.weight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.file.StoredTensor;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class QuantizationTest {

  private static final Arena ARENA = Arena.ofAuto();

  private static Quantization to(WeightFormat format) {
    return new Quantization(format, Quantization.ROUTERS);
  }

  private static StoredTensor tensor(String name, float[] values, Long... shape) {
    MemorySegment data = ARENA.allocate(4L * values.length);
    WeightFormat.F32.codec().encode(values, 0, data, 0, values.length);
    return new StoredTensor("model.safetensors", name, "F32", List.of(shape), data);
  }

  private static float[] random(int count) {
    var random = new SplittableRandom(20);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /** Each row is encoded as if it were alone, in a stack of matrices too. */
  @ParameterizedTest
  @EnumSource(
      value = WeightFormat.class,
      names = {"F32"},
      mode = EnumSource.Mode.EXCLUDE)
  void storesEveryRowAsTheFormatDoes(WeightFormat format) {
    int cols = 512;
    float[] values = random(6 * cols);
    StoredTensor stored = to(format).apply(tensor("w", values, 2L, 3L, (long) cols), ARENA);
    assertEquals(format, stored.format());
    assertEquals(List.of(2L, 3L, (long) cols), stored.shape());
    assertEquals("w", stored.name());
    long rowBytes = format.rowBytes(cols);
    for (int row = 0; row < 6; row++) {
      MemorySegment alone = ARENA.allocate(rowBytes);
      float[] copy = Arrays.copyOfRange(values, row * cols, (row + 1) * cols);
      format.codec().encode(copy, 0, alone, 0, cols);
      assertEquals(
          -1, alone.mismatch(stored.data().asSlice(row * rowBytes, rowBytes)), "row " + row);
    }
  }

  @ParameterizedTest(name = "{0} of {1} rows and {2} columns")
  @CsvSource({
    "model.layers.0.mlp.gate.weight, 8, 64",
    "model.layers.0.mlp.shared_expert_gate.weight, 1, 64",
    "model.layers.11.block_sparse_moe.router.layer.weight, 8, 64",
    "model.layers.0.conv1d.weight, 64, 4",
    "model.layers.0.mlp.up_proj.weight, 3, 33"
  })
  void keepsWhatIsSmallOrDoesNotDivide(String name, int rows, int cols) {
    StoredTensor tensor = tensor(name, random(rows * cols), (long) rows, (long) cols);
    assertSame(tensor, to(WeightFormat.Q8_0).apply(tensor, ARENA));
  }

  @Test
  void keepsVectorsAndWhatIsInTheFormat() {
    StoredTensor vector = tensor("norm.weight", random(64), 64L);
    assertSame(vector, to(WeightFormat.Q8_0).apply(vector, ARENA));
    StoredTensor matrix = tensor("w", random(64), 2L, 32L);
    assertSame(matrix, to(WeightFormat.F32).apply(matrix, ARENA));
  }

  @ParameterizedTest
  @CsvSource({"mlp.gate_proj.weight", "delegate.weight", "model.gates.weight"})
  void aNameThatMerelySoundsLikeARouterIsNoRouter(String name) {
    StoredTensor tensor = tensor(name, random(64), 2L, 32L);
    assertEquals("Q8_0", to(WeightFormat.Q8_0).apply(tensor, ARENA).type());
  }

  @Test
  void saysWhichRowHasNoPlaceInTheFormat() {
    float[] values = random(96);
    values[70] = Float.NaN;
    StoredTensor tensor = tensor("w", values, 3L, 32L);
    var e = assertThrows(WeightException.class, () -> to(WeightFormat.Q8_0).apply(tensor, ARENA));
    String where = "model.safetensors: tensor w: row 2 cannot be stored as Q8_0: ";
    assertTrue(e.getMessage().startsWith(where), e.getMessage());
  }
}
