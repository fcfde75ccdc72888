package dev.apus.moe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.ChannelMixer;
import dev.apus.core.model.Site;
import dev.apus.core.routing.Router;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.RandomWeights;
import dev.apus.core.weight.StoredRows;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.core.weight.WeightSource;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A mixture of experts against the sum that it stands for. */
class MixtureOfExpertsTest {

  private static final int WIDTH = 11;
  private static final int EXPERTS = 7;
  private static final int INNER = 5;

  private final Workers workers = Workers.of(2);
  private final Arena arena = Arena.ofShared();
  private final Pass pass = new Pass(workers, Kernels.chosen());
  private final RandomWeights random = new RandomWeights(4, WeightFormat.F32);

  @AfterEach
  void close() {
    workers.close();
    arena.close();
  }

  private static Map<String, Object> with(Object... settings) {
    Map<String, Object> all =
        new LinkedHashMap<>(Map.of("experts", EXPERTS, "top", 3, "inner", INNER));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with(),
        with("top", 1, "normalized", false),
        with("top", EXPERTS, "scale", 2.5),
        with("score", "sigmoid", "activation", "gelu-tanh"),
        with("sharedInner", 9),
        with("sharedInner", 9, "sharedGated", true, "normalized", false),
        with("biased", true, "epsilon", 0.5),
        with("experts", 8, "score", "sigmoid", "biased", true, "groups", 4, "topGroups", 2),
        with("zeroExperts", 3),
        with("zeroExperts", 1, "top", 1, "biased", true, "normalized", false, "sharedInner", 9),
        with("router", Map.of("hidden", 6), "top", 2),
        with("router", Map.of("hidden", 4, "activation", "gelu-tanh", "epsilon", 0.1)),
        with(
            "scoresBiased",
            true,
            "expertsBiased",
            true,
            "limit",
            0.4,
            "shift",
            1,
            "sharedInner",
            9),
        with("gated", false, "activation", "relu-squared"),
        with("gated", false, "activation", "relu-squared", "sharedInner", 9, "sharedGated", true),
        with("latent", 6, "sharedInner", 9, "sharedGated", true),
        with("latent", 40, "gated", false, "activation", "relu-squared", "score", "sigmoid"));
  }

  private ChannelMixer built(Map<String, Object> settings, WeightSource source, Kernels kernels) {
    var weights = new Weights(source, kernels, workers, arena);
    Site site = new Site(WIDTH, 0, 100, kernels, CacheFormat.F32, weights.root());
    return new MixtureOfExperts.Type().build(Config.of("moe", settings), site);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aTokenIsTheSumOfItsExperts(Map<String, Object> settings) {
    ChannelMixer mixture = built(settings, random, Kernels.chosen());
    for (int rows : new int[] {1, 2, 29}) {
      Matrix x = random(rows);
      Matrix y = poisoned(rows);
      mixture.forward(pass, x, y);
      for (int row = 0; row < rows; row++) {
        double[] values = new double[WIDTH];
        int at = x.at(row);
        Arrays.setAll(values, i -> x.data()[at + i]);
        double[] expected = exact(settings, values);
        for (int i = 0; i < WIDTH; i++) {
          assertEquals(expected[i], y.data()[at + i], 1e-5);
        }
      }
      assertTrue(Float.isNaN(y.data()[rows * WIDTH]), "wrote past the last row");
    }
  }

  private double[] exact(Map<String, Object> settings, double[] x) {
    Router router = Router.read(Config.of("moe", settings));
    double[] scores = ExactRouter.scores(router.score(), logits(settings, router.experts(), x));
    var key = new WeightSource.Key("router.correction", -1, -1);
    float[] correction =
        router.biased()
            ? random.find(key, 1, router.experts(), new Typical(0, 0.02f)).decode()
            : null;
    int[] best = ExactRouter.chosen(router, scores, correction);
    double[] weights = ExactRouter.weights(router, scores, best);
    boolean latent = settings.containsKey("latent");
    double[] asked = latent ? times("latent.in", (int) settings.get("latent"), x, -1) : x;
    double[] sum = new double[asked.length];
    for (int i = 0; i < best.length; i++) {
      if (best[i] >= (int) settings.get("experts")) {
        continue;
      }
      double weight = weights[i];
      double[] given = mlp(settings, "expert.", INNER, asked, best[i]);
      Arrays.setAll(sum, j -> sum[j] + weight * given[j]);
    }
    double[] y = latent ? times("latent.out", WIDTH, sum, -1) : sum;
    if (settings.containsKey("sharedInner")) {
      double[] given = mlp(settings, "shared.", (int) settings.get("sharedInner"), x, -1);
      boolean gated = settings.containsKey("sharedGated");
      double weight = gated ? sigmoid(times("shared.gating", 1, x, -1)[0]) : 1;
      Arrays.setAll(y, i -> y[i] + weight * given[i]);
    }
    return y;
  }

  private double[] logits(Map<String, Object> settings, int experts, double[] x) {
    if (!(settings.get("router") instanceof Map<?, ?> network)) {
      double[] logits = times("router", experts, x, -1);
      boolean biased = settings.containsKey("scoresBiased");
      return biased ? plus(logits, "router.bias", Typical.BIAS) : logits;
    }
    int hidden = (int) network.get("hidden");
    double[] state = plus(times("router.state", hidden, x, -1), "router.state.bias", Typical.BIAS);
    double[] norm = vector("router.norm", hidden, Typical.NORM);
    double epsilon = network.containsKey("epsilon") ? (double) network.get("epsilon") : 1e-6;
    double squares = Arrays.stream(state).map(v -> v * v).sum() / hidden + epsilon;
    Arrays.setAll(state, i -> state[i] / Math.sqrt(squares) * norm[i]);
    boolean tanh = network.containsKey("activation");
    double[] inner = state;
    for (String stage : new String[] {"router.first", "router.second"}) {
      double[] given = plus(times(stage, hidden, inner, -1), stage + ".bias", Typical.BIAS);
      inner = Arrays.stream(given).map(v -> tanh ? geluTanh(v) : v * sigmoid(v)).toArray();
    }
    return times("router.out", experts, inner, -1);
  }

  private double[] plus(double[] x, String name, Typical typical) {
    double[] added = vector(name, x.length, typical);
    Arrays.setAll(added, i -> added[i] + x[i]);
    return added;
  }

  private double[] vector(String name, int length, Typical typical) {
    return vector(name, -1, length, typical);
  }

  private double[] vector(String name, int expert, int length, Typical typical) {
    var key = new WeightSource.Key(name, -1, expert);
    float[] values = random.find(key, 1, length, typical).decode();
    return IntStream.range(0, length).mapToDouble(i -> values[i]).toArray();
  }

  private double[] mlp(
      Map<String, Object> settings, String name, int inner, double[] x, int expert) {
    double[] up = linear(settings, name + "up", inner, x, expert);
    double[] both = new double[inner];
    if (Boolean.FALSE.equals(settings.get("gated"))) {
      Arrays.setAll(both, i -> Math.max(up[i], 0) * Math.max(up[i], 0));
    } else {
      double[] gate = linear(settings, name + "gate", inner, x, expert);
      boolean tanh = "gelu-tanh".equals(settings.get("activation"));
      double limit = ((Number) settings.getOrDefault("limit", 1e9)).doubleValue();
      double shift = ((Number) settings.getOrDefault("shift", 0)).doubleValue();
      Arrays.setAll(gate, i -> Math.min(gate[i], limit));
      Arrays.setAll(up, i -> Math.clamp(up[i], -limit, limit) + shift);
      Arrays.setAll(both, i -> up[i] * (tanh ? geluTanh(gate[i]) : gate[i] * sigmoid(gate[i])));
    }
    return linear(settings, name + "down", x.length, both, expert);
  }

  private double[] linear(
      Map<String, Object> settings, String name, int outputs, double[] x, int expert) {
    double[] y = times(name, outputs, x, expert);
    if (settings.containsKey("expertsBiased")) {
      double[] bias = vector(name + ".bias", expert, outputs, Typical.BIAS);
      Arrays.setAll(y, i -> y[i] + bias[i]);
    }
    return y;
  }

  private double[] times(String name, int outputs, double[] x, int expert) {
    var key = new WeightSource.Key(name, -1, expert);
    float[] w = random.find(key, outputs, x.length, null).decode();
    double[] y = new double[outputs];
    for (int i = 0; i < w.length; i++) {
      y[i / x.length] += w[i] * x[i % x.length];
    }
    return y;
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  private static double geluTanh(double x) {
    return x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aTokenAloneIsTheTokenInABatch(Map<String, Object> settings) {
    Matrix x = random(29);
    Matrix y = poisoned(29);
    built(settings, random, Kernels.chosen()).forward(pass, x, y);
    ChannelMixer scalar = built(settings, random, Kernels.scalar());
    try (Workers alone = Workers.of(1)) {
      var other = new Pass(alone, Kernels.scalar());
      for (int row = 0; row < 29; row++) {
        Matrix one = poisoned(1);
        float[] copy = Arrays.copyOfRange(x.data(), x.at(row), x.at(row + 1));
        scalar.forward(other, new Matrix(copy, 1, WIDTH), one);
        assertArrayEquals(
            Arrays.copyOfRange(y.data(), y.at(row), y.at(row + 1)),
            Arrays.copyOf(one.data(), WIDTH),
            "row " + row);
      }
    }
  }

  private MixtureOfExperts carrying(int layer, boolean carried, int hidden) {
    var weights = new Weights(random, Kernels.chosen(), workers, arena);
    Map<String, Object> network = Map.of("hidden", hidden, "carried", carried);
    Site site =
        new Site(WIDTH, layer, 100, Kernels.chosen(), CacheFormat.F32, weights.layer(layer));
    return (MixtureOfExperts)
        new MixtureOfExperts.Type().build(Config.of("moe", with("router", network)), site);
  }

  private float[] given(ChannelMixer mixture, Matrix x) {
    Matrix y = poisoned(x.rows());
    mixture.forward(pass, x, y);
    return Arrays.copyOf(y.data(), x.rows() * WIDTH);
  }

  /** What the router of a layer adds is what the layer before made of the same token. */
  @Test
  void aRouterGoesOnFromTheLayerBefore() {
    ChannelMixer first = carrying(0, false, 6);
    ChannelMixer second = carrying(1, true, 6);
    Matrix x = random(29);
    pass.begin();
    given(first, x);
    float[] together = given(second, random(29));
    pass.begin();
    Matrix other = random(29);
    for (int i = 0; i < 29 * WIDTH; i++) {
      other.data()[i] = -x.data()[i];
    }
    given(first, other);
    assertFalse(Arrays.equals(together, given(second, random(29))), "the state does not matter");
    for (int row = 0; row < 29; row++) {
      pass.begin();
      given(first, row(x, row));
      float[] alone = given(second, row(random(29), row));
      assertArrayEquals(
          Arrays.copyOfRange(together, row * WIDTH, (row + 1) * WIDTH), alone, "row " + row);
    }
  }

  private static Matrix row(Matrix x, int row) {
    return new Matrix(Arrays.copyOfRange(x.data(), x.at(row), x.at(row + 1)), 1, WIDTH);
  }

  @Test
  void aRouterThatHasNothingToGoOnFromIsRefused() {
    ChannelMixer second = carrying(1, true, 6);
    pass.begin();
    var none = assertThrows(IllegalStateException.class, () -> given(second, random(2)));
    assertEquals(
        "the router of layer 1 goes on from a router of 6 values in a layer before, found none; set"
            + " carried=false",
        none.getMessage());
    given(carrying(0, false, 4), random(2));
    var other = assertThrows(IllegalStateException.class, () -> given(second, random(2)));
    assertTrue(other.getMessage().contains("found one of 4"), other.getMessage());
    var e = assertThrows(ConfigException.class, () -> carrying(0, true, 6));
    assertEquals("moe: carried=true needs a layer before, and this is the first", e.getMessage());
  }

  /** Weights whose router prefers every expert to one, whatever the token. */
  private record Shunned(WeightSource source, int expert, float poison) implements WeightSource {

    @Override
    public StoredRows find(Key key, int rows, int cols, Typical typical) {
      float[] values = source.find(key, rows, cols, typical).decode();
      if (key.name().equals("router")) {
        Arrays.fill(values, 0, values.length, 0);
        Arrays.fill(values, expert * cols, (expert + 1) * cols, -50);
      } else if (key.expert() == expert) {
        Arrays.fill(values, poison);
      }
      return StoredRows.of("test", values, cols);
    }

    @Override
    public List<String> unread() {
      return List.of();
    }
  }

  /** What an expert that is never chosen would say, even if it is no number, leaves no trace. */
  @Test
  void anExpertThatIsNeverChosenDoesNotShow() {
    Matrix x = random(29);
    for (int i = 0; i < 29 * WIDTH; i++) {
      x.data()[i] = Math.abs(x.data()[i]) + 0.1f;
    }
    float[][] results = new float[2][];
    for (int i = 0; i < 2; i++) {
      var source = new Shunned(random, 2, i == 0 ? 1 : Float.NaN);
      Matrix y = poisoned(29);
      built(with("top", 4), source, Kernels.chosen()).forward(pass, x, y);
      results[i] = Arrays.copyOf(y.data(), 29 * WIDTH);
    }
    assertArrayEquals(results[0], results[1]);
    for (float value : results[1]) {
      assertTrue(Float.isFinite(value));
    }
  }

  private static Matrix random(int rows) {
    var random = new SplittableRandom(rows);
    Matrix x = poisoned(rows);
    for (int i = 0; i < rows * WIDTH; i++) {
      x.data()[i] = (float) random.nextGaussian();
    }
    return x;
  }

  private static Matrix poisoned(int rows) {
    float[] data = new float[rows * WIDTH + 3];
    Arrays.fill(data, Float.NaN);
    return new Matrix(data, rows, WIDTH);
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        Arguments.of(
            with("sharedGated", true),
            "sharedGated=true needs sharedInner: there is no shared expert to gate"),
        Arguments.of(
            with("sharedInner", 0, "sharedGated", true),
            "sharedGated=true needs sharedInner: there is no shared expert to gate"),
        Arguments.of(
            with("experts", 65_536, "inner", 32_768),
            "experts=65536 of inner=32768 values are more than 2^31 − 1 values"),
        Arguments.of(with("top", EXPERTS + 1), "top=8 is more than experts=7"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> settings, String message) {
    var e = assertThrows(ConfigException.class, () -> built(settings, random, Kernels.chosen()));
    assertEquals("moe: " + message, e.getMessage());
  }
}
