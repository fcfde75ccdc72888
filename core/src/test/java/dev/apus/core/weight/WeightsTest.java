package dev.apus.core.weight;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.core.weight.WeightSource.Key;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Weights from scopes, random ones, and projections against the sums that they stand for. */
class WeightsTest {

  private final Workers workers = Workers.of(3);
  private final Arena arena = Arena.ofShared();
  private final Pass pass = new Pass(workers, Kernels.chosen());

  @AfterEach
  void close() {
    workers.close();
    arena.close();
  }

  private Weights of(WeightSource source) {
    return new Weights(source, Kernels.chosen(), workers, arena);
  }

  /** A source that notes what it is asked for. */
  private static final class Asked implements WeightSource {

    private final List<Key> keys = new ArrayList<>();
    private final RandomWeights random = new RandomWeights(1, WeightFormat.F32);

    @Override
    public StoredRows find(Key key, int rows, int cols, Typical typical) {
      keys.add(key);
      return random.find(key, rows, cols, typical);
    }

    @Override
    public List<String> unread() {
      return List.of("a", "b", "c", "d", "e");
    }
  }

  @Test
  void scopesMakeTheNames() {
    var source = new Asked();
    Weights weights = of(source);
    weights.root().vector("norm", 3, Typical.NORM);
    weights.layer(4).scope("moe").scope("expert").expert(7).projection("up", 2, 3, true);
    weights.layer(0).lookup("t", 2, 2);
    assertEquals(
        List.of(
            new Key("norm", -1, -1),
            new Key("moe.expert.up", 4, 7),
            new Key("moe.expert.up.bias", 4, 7),
            new Key("t", 0, -1)),
        source.keys);
    assertEquals("norm", source.keys.get(0).toString());
    assertEquals("layer 4 moe.expert.up of expert 7", source.keys.get(1).toString());
    assertEquals("layer 0 t", source.keys.get(3).toString());
  }

  @Test
  void aWeightThatIsUsedTwiceCountsOnce() {
    Weights weights = of(new Asked());
    weights.root().lookup("embedding", 5, 3);
    weights.root().projection("embedding", 5, 3);
    weights.layer(0).table("t", 2, 3, Typical.NORM);
    weights.layer(1).table("t", 2, 3, Typical.NORM);
    assertEquals(15 + 6 + 6, weights.parameters());
    assertTrue(weights.bytes() >= 4 * (15 + 6 + 6));
  }

  @Test
  void whatIsLeftOverIsRefused() {
    var e = assertThrows(WeightException.class, () -> of(new Asked()).expectAllRead());
    assertEquals(
        "the checkpoint holds 5 tensors that no part of the model reads, the first: a, b, c, d",
        e.getMessage());
    of(new RandomWeights(1, WeightFormat.F32)).expectAllRead();
  }

  @Test
  void randomWeightsDoNotDependOnTheOrder() {
    Key a = new Key("a", 0, -1);
    Key b = new Key("b", 0, -1);
    var forward = new RandomWeights(5, WeightFormat.F32);
    float[] first = forward.find(a, 3, 5, null).decode();
    float[] second = forward.find(b, 3, 5, null).decode();
    var backward = new RandomWeights(5, WeightFormat.F32);
    assertArrayEquals(second, backward.find(b, 3, 5, null).decode());
    assertArrayEquals(first, backward.find(a, 3, 5, null).decode());
    assertFalse(Arrays.equals(first, second));
    for (Key other : List.of(new Key("a", 1, -1), new Key("a", -1, -1), new Key("a", 0, 0))) {
      assertFalse(Arrays.equals(first, forward.find(other, 3, 5, null).decode()), other.toString());
    }
    float[] otherSeed = new RandomWeights(6, WeightFormat.F32).find(a, 3, 5, null).decode();
    assertFalse(Arrays.equals(first, otherSeed));
  }

  @Test
  void randomWeightsLieWhereTheyAreTypical() {
    var random = new RandomWeights(5, WeightFormat.F32);
    for (float x : random.find(new Key("v", 0, -1), 1, 999, new Typical(-4, 3)).decode()) {
      assertTrue(x >= -7 && x <= -1, "found " + x);
    }
    float[] matrix = random.find(new Key("m", 0, -1), 99, 101, null).decode();
    double squares = 0;
    for (float x : matrix) {
      squares += (double) x * x;
    }
    assertEquals(1.0 / 101, squares / matrix.length, 0.001, "variance");
  }

  @ParameterizedTest
  @CsvSource({"Q8_0, 64, Q8_0", "Q8_0, 33, F32", "Q4_K, 64, F32", "Q4_K, 256, Q4_K"})
  void whatDoesNotDivideIntoBlocksIsRandomInF32(WeightFormat format, int cols, WeightFormat as) {
    var random = new RandomWeights(5, format);
    Key key = new Key("m", 0, -1);
    assertEquals(as, random.find(key, 2, cols, null).format());
    assertEquals(WeightFormat.F32, random.find(key, 2, cols, Typical.NORM).format());
  }

  @ParameterizedTest
  @EnumSource(WeightFormat.class)
  void aProjectionIsTheSumOfItsProducts(WeightFormat format) {
    int inputs = 512;
    for (int outputs : new int[] {1, 17, 50}) {
      Key key = new Key("w", -1, -1);
      var source = new RandomWeights(outputs, format);
      float[] w = source.find(key, outputs, inputs, null).decode();
      Weights weights = of(source);
      Projection projection = weights.root().projection("w", outputs, inputs, true);
      float[] bias = weights.root().vector("w.bias", outputs, Typical.BIAS);
      assertEquals(format, projection.format());
      for (int rows : new int[] {0, 1, 3, 21}) {
        Matrix x = random(rows, inputs);
        Matrix y = poisoned(rows, outputs);
        projection.apply(pass, x, y);
        for (int row = 0; row < rows; row++) {
          for (int out = 0; out < outputs; out++) {
            double sum = bias[out];
            double size = Math.abs(sum);
            for (int i = 0; i < inputs; i++) {
              double product = (double) w[out * inputs + i] * x.data()[x.at(row) + i];
              sum += product;
              size += Math.abs(product);
            }
            assertEquals(sum, y.data()[y.at(row) + out], size * (inputs + 2) * 0x1p-23);
          }
        }
        assertTrue(Float.isNaN(y.data()[rows * outputs]), "wrote past the last row");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(WeightFormat.class)
  void aRowsBitsDoNotDependOnTheOthersNorOnThreads(WeightFormat format) {
    Projection projection = of(new RandomWeights(9, format)).root().projection("w", 39, 256, true);
    Matrix x = random(23, 256);
    Matrix y = poisoned(23, 39);
    projection.apply(pass, x, y);
    Matrix one = poisoned(1, 39);
    try (Workers alone = Workers.of(1)) {
      for (int row = 0; row < 23; row++) {
        float[] copy = Arrays.copyOfRange(x.data(), x.at(row), x.at(row + 1));
        projection.apply(new Pass(alone, Kernels.scalar()), new Matrix(copy, 1, 256), one);
        assertArrayEquals(
            Arrays.copyOfRange(y.data(), y.at(row), y.at(row + 1)),
            Arrays.copyOf(one.data(), 39),
            "row " + row);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"2, 4, 2, 3", "2, 5, 2, 4", "2, 5, 3, 3"})
  void matricesOfOtherShapesAreRefused(int rows, int inputs, int outRows, int outputs) {
    Projection projection = of(new RandomWeights(9, WeightFormat.F32)).root().projection("w", 3, 5);
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                projection.apply(pass, Matrix.zeros(rows, inputs), Matrix.zeros(outRows, outputs)));
    assertEquals(
        "a projection of 5 to 3 values met %d × %d and %d × %d"
            .formatted(rows, inputs, outRows, outputs),
        e.getMessage());
  }

  /** Rows of normal values; what follows them is not a number. */
  private static Matrix random(int rows, int cols) {
    var random = new SplittableRandom(31L * rows + cols);
    Matrix x = poisoned(rows, cols);
    for (int i = 0; i < rows * cols; i++) {
      x.data()[i] = (float) random.nextGaussian();
    }
    return x;
  }

  private static Matrix poisoned(int rows, int cols) {
    float[] data = new float[rows * cols + 5];
    Arrays.fill(data, Float.NaN);
    return new Matrix(data, rows, cols);
  }
}
