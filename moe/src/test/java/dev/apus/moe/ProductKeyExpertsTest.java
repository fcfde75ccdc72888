package dev.apus.moe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.ChannelMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.RandomWeights;
import dev.apus.core.weight.WeightSource.Key;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Experts of one neuron against the sum over the best of all of them. */
class ProductKeyExpertsTest {

  private static final int WIDTH = 11;
  private static final int KEYS = 6;
  private static final int EXPERTS = 40;
  private static final int TOP = 9;

  private final Workers workers = Workers.of(2);
  private final Arena arena = Arena.ofShared();
  private final Pass pass = new Pass(workers, Kernels.chosen());
  private final RandomWeights random = new RandomWeights(4, WeightFormat.F32);

  @AfterEach
  void close() {
    workers.close();
    arena.close();
  }

  private ChannelMixer built(Map<String, Object> settings) {
    var weights = new Weights(random, Kernels.chosen(), workers, arena);
    Site site = new Site(WIDTH, 0, 100, Kernels.chosen(), CacheFormat.F32, weights.root());
    return new ProductKeyExperts.Type().build(Config.of("experts", settings), site);
  }

  private float[] weight(String name, int rows) {
    return random.find(new Key(name, -1, -1), rows, WIDTH, null).decode();
  }

  private static double dot(float[] rows, int row, Matrix x, int token) {
    double sum = 0;
    for (int i = 0; i < WIDTH; i++) {
      sum += (double) rows[row * WIDTH + i] * x.data()[x.at(token) + i];
    }
    return sum;
  }

  @Test
  void aTokenIsTheSumOfItsBest() {
    ChannelMixer mixer = built(Map.of("experts", EXPERTS, "top", TOP, "activation", "relu"));
    float[] router = weight("router", 2 * KEYS);
    float[] down = weight("down", EXPERTS);
    float[] up = weight("up", EXPERTS);
    var numbers = new SplittableRandom(7);
    Matrix x = Matrix.zeros(19, WIDTH);
    for (int i = 0; i < 19 * WIDTH; i++) {
      x.data()[i] = (float) numbers.nextGaussian();
    }
    Matrix y = Matrix.zeros(19, WIDTH);
    mixer.forward(pass, x, y);
    for (int token = 0; token < 19; token++) {
      int row = token;
      List<Integer> best =
          IntStream.range(0, KEYS * KEYS)
              .boxed()
              .sorted(Comparator.comparingDouble(e -> -logit(router, e, x, row)))
              .limit(TOP)
              .toList();
      double all = best.stream().mapToDouble(e -> Math.exp(logit(router, e, x, row))).sum();
      double[] expected = new double[WIDTH];
      for (int e : best) {
        double share = Math.exp(logit(router, e, x, row)) / all;
        double given = share * Math.max(0, dot(down, e, x, row));
        for (int i = 0; i < WIDTH; i++) {
          expected[i] += given * up[e * WIDTH + i];
        }
      }
      for (int i = 0; i < WIDTH; i++) {
        assertEquals(expected[i], y.data()[y.at(token) + i], 1e-5);
      }
    }
  }

  private static double logit(float[] router, int expert, Matrix x, int token) {
    return dot(router, expert / KEYS, x, token) + dot(router, KEYS + expert % KEYS, x, token);
  }

  @Test
  void noMoreAreChosenThanHaveKeys() {
    var e = assertThrows(ConfigException.class, () -> built(Map.of("experts", 40, "top", 37)));
    assertEquals("experts: top=37 is more than the 6 × 6 experts that have keys", e.getMessage());
  }
}
