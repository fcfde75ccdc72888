package dev.apus.ssm.hyena;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.MixerState.Mark;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Hyena against sums over all pairs of tokens in double precision, and the laws of its state. */
class HyenaTest {

  private static final int WIDTH = 6;

  /** Past two blocks. */
  private static final int TOKENS = 150;

  private static Map<String, Object> with(Object... settings) {
    Map<String, Object> all = new LinkedHashMap<>(Map.of("filterWidth", 8));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with(),
        with("order", 4, "taps", 4, "features", 5, "filterLayers", 0),
        with("length", 70, "fastDecay", 0.1, "slowDecay", 3, "fadedTo", 0.1, "floor", 0.05),
        with("length", 2));
  }

  private static double[] affine(String name, int outputs, double[] x) {
    double[] y = times(matrix(name, outputs, x.length), x);
    double[] bias = vector(name + ".bias", outputs, Typical.BIAS);
    Arrays.setAll(y, i -> y[i] + bias[i]);
    return y;
  }

  /** The values of all projections, after the short convolution. */
  private static double[][] mixed(HyenaSpec s, double[][] x) {
    int channels = (s.order() + 1) * WIDTH;
    double[][] taps = MixerBench.rows("conv", channels, s.taps(), new Typical(0, 0.5f));
    double[] bias = vector("conv.bias", channels, Typical.BIAS);
    double[][] in = new double[x.length][];
    Arrays.setAll(in, t -> affine("in", channels, x[t]));
    double[][] out = new double[x.length][channels];
    for (int t = 0; t < x.length; t++) {
      for (int c = 0; c < channels; c++) {
        out[t][c] = bias[c];
        for (int j = 0; j < s.taps() && j <= t; j++) {
          out[t][c] += taps[c][s.taps() - 1 - j] * in[t - j][c];
        }
      }
    }
    return out;
  }

  /** The tap of every channel of all filters for one position. */
  private static double[] taps(HyenaSpec s, int i) {
    int sines = (s.features() - 1) / 2;
    double t = i / (s.length() - 1.0);
    double[] h = new double[s.features()];
    h[0] = t;
    for (int j = 0; j < sines; j++) {
      double f = sines == 1 ? 1e-4 : 1e-4 + (sines - 1 - 1e-4) * j / (sines - 1);
      h[1 + j] = Math.cos(2 * Math.PI * f * i / s.length());
      h[1 + sines + j] = -Math.sin(2 * Math.PI * f * i / s.length());
    }
    double[] frequency = network("frequency", 1, s.filterWidth(), new Typical(1, 0.5f))[0];
    for (int layer = 0; layer <= s.filterLayers(); layer++) {
      String name = layer == 0 ? "in" : "layers." + (layer - 1);
      var typical = new Typical(0, (float) Math.sqrt(3.0 / h.length));
      double[] sum = times(network(name, s.filterWidth(), h.length, typical), h);
      double[] bias = network(name + ".bias", 1, s.filterWidth(), Typical.BIAS)[0];
      Arrays.setAll(sum, j -> Math.sin(frequency[j] * (sum[j] + bias[j])));
      h = sum;
    }
    int channels = (s.order() - 1) * WIDTH;
    var typical = new Typical(0, (float) Math.sqrt(3.0 / h.length));
    double[] taps = times(network("out", channels, h.length, typical), h);
    double slow = Math.log(s.fadedTo()) / s.slowDecay();
    double fast = Math.log(s.fadedTo()) / s.fastDecay();
    for (int c = 0; c < channels; c++) {
      double rate = slow + c * (fast - slow) / (channels - 1);
      taps[c] *= Math.exp(-t * Math.abs(rate)) + s.floor();
    }
    return taps;
  }

  private static double[][] network(String name, int rows, int cols, Typical typical) {
    return MixerBench.rows("filter." + name, rows, cols, typical);
  }

  private static double[][] exact(Map<String, Object> settings, double[][] x) {
    HyenaSpec s = HyenaSpec.read(Config.of("exact", settings), WIDTH, MixerBench.LIMIT);
    double[][] mixed = mixed(s, x);
    double[] skip = vector("d", (s.order() - 1) * WIDTH, new Typical(0, 1));
    double[][] taps = new double[Math.min(x.length, s.length())][];
    Arrays.setAll(taps, i -> taps(s, i));
    double[][] v = new double[x.length][WIDTH];
    for (int t = 0; t < x.length; t++) {
      System.arraycopy(mixed[t], s.order() * WIDTH, v[t], 0, WIDTH);
    }
    for (int o = 0; o < s.order() - 1; o++) {
      double[][] next = new double[x.length][WIDTH];
      for (int c = 0; c < WIDTH; c++) {
        int factor = (s.order() - 1 - o) * WIDTH + c;
        for (int t = 0; t < x.length; t++) {
          v[t][c] *= mixed[t][factor];
          next[t][c] = skip[o * WIDTH + c] * v[t][c];
          for (int i = 0; i <= Math.min(t, taps.length - 1); i++) {
            next[t][c] += taps[i][o * WIDTH + c] * v[t - i][c];
          }
        }
      }
      v = next;
    }
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      for (int c = 0; c < WIDTH; c++) {
        v[t][c] *= mixed[t][c];
      }
      y[t] = affine("o", WIDTH, v[t]);
    }
    return y;
  }

  private static MixerLaws laws(Map<String, Object> settings) {
    return new MixerLaws(new Hyena.Type(), settings, WIDTH);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsWhatItsFormulaSays(Map<String, Object> settings) {
    try (var bench = new MixerBench<HyenaState>(new Hyena.Type(), settings, WIDTH)) {
      double[][] x = bench.tokens(TOKENS, 5);
      laws(settings).aSequenceIs(exact(settings, x), x, 1e-4);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    laws(settings).neitherKernelsNorThreadsNorNeighboursShow();
    laws(settings).aStateGoesOnWithTheSameBits();
    laws(settings).aMarkMayTakeTheMemoryOfAnOldOne();
    laws(settings).aShortFileIsRefusedBeforeAnythingChanges();
  }

  /** Marks on both sides of the ends of blocks, and ways that leave each other. */
  @Test
  void aStateGoesBackAcrossBlocks() throws IOException {
    try (var bench = new MixerBench<HyenaState>(new Hyena.Type(), with(), WIDTH);
        HyenaState state = bench.state()) {
      double[][] x = bench.tokens(TOKENS, 5);
      double[][] other = bench.tokens(TOKENS, 6);
      float[][] whole = bench.run(bench.state(), x, 0);
      bench.run(state, Arrays.copyOf(x, 30), 0);
      Mark early = state.mark(null);
      bench.run(state, Arrays.copyOfRange(x, 30, 130), 30);
      Mark late = state.mark(null);
      early.rewind();
      bench.run(state, Arrays.copyOfRange(other, 30, 145), 30);
      late.rewind();
      var bytes = new ByteArrayOutputStream();
      state.write(new DataOutputStream(bytes));
      assertSame(whole, 130, bench.run(state, Arrays.copyOfRange(x, 130, TOKENS), 130));
      early.rewind();
      assertSame(whole, 30, bench.run(state, Arrays.copyOfRange(x, 30, TOKENS), 30));
      HyenaState read = bench.state();
      read.read(new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
      assertSame(whole, 130, bench.run(read, Arrays.copyOfRange(x, 130, TOKENS), 130));
      late.rewind();
      HyenaState copy = state.copy();
      bench.run(state, Arrays.copyOfRange(other, 130, TOKENS), 130);
      assertSame(whole, 130, bench.run(copy, Arrays.copyOfRange(x, 130, TOKENS), 130));
    }
  }

  private static void assertSame(float[][] whole, int from, float[][] part) {
    for (int i = 0; i < part.length; i++) {
      assertArrayEquals(whole[from + i], part[i], "token " + (from + i));
    }
  }

  @Test
  void aStateTakesTheMemoryItSays() {
    try (var bench = new MixerBench<HyenaState>(new Hyena.Type(), with(), WIDTH);
        HyenaState state = bench.state()) {
      long none = state.bytes();
      bench.run(state, bench.tokens(TOKENS, 5), 0);
      assertEquals(none + 128 * bench.bytesPerToken(), state.bytes());
      assertTrue(state.bytes() >= TOKENS * bench.bytesPerToken());
    }
  }

  @Test
  void aLongerSequenceThanTheLimitIsRefused() throws IOException {
    try (var bench = new MixerBench<HyenaState>(new Hyena.Type(), with(), WIDTH);
        HyenaState state = bench.state()) {
      bench.run(state, bench.tokens(TOKENS, 5), 0);
      var bytes = new ByteArrayOutputStream();
      state.write(new DataOutputStream(bytes));
      HyenaState small = bench.state(100);
      var in = new DataInputStream(new ByteArrayInputStream(bytes.toByteArray()));
      var e = assertThrows(IOException.class, () -> small.read(in));
      assertEquals("a layer past 150 tokens does not fit a limit of 100", e.getMessage());
    }
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(with("order", 1), "order=1 must be at least 2"),
        of(with("length", 1), "length=1 must be at least 2"),
        of(with("features", 4), "features=4 must be odd and at least 3"),
        of(with("fadedTo", 1), "fadedTo=1.0 must lie between 0 and 1"),
        of(with("fastDecay", 0), "fastDecay=0.0 must be positive"),
        of(with("length", 1 << 30), "length=1073741824 of 6 channels are more than 2^31 − 1 taps"),
        of(with("order", 1 << 30), "order=1073741824 of 6 channels are too many for one state"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> settings, String message) {
    var e =
        assertThrows(
            ConfigException.class,
            () -> HyenaSpec.read(Config.of("layer 0 hyena", settings), WIDTH, 100));
    assertEquals("layer 0 hyena: " + message, e.getMessage());
  }
}
