package dev.apus.ssm.structured;

import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.conv.LongConvolution;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** S4, S4D and DSS against their convolution kernels. */
class S4Test {

  private static final int WIDTH = 18;
  private static final int TOKENS = 61;

  private static Map<String, Object> with(Object... settings) {
    Map<String, Object> all = new LinkedHashMap<>(Map.of("stateSize", 12));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with(),
        with("discretization", "bilinear", "output", "linear", "biased", false),
        with("discretization", "softmax", "output", "gelu"),
        with("discretization", "softmax", "length", 70, "copies", 1),
        with("spectrum", "lin", "stateSize", 64, "output", "half-glu1"),
        with("spectrum", "inv", "output", "half-glu2"),
        with("spectrum", "legs"),
        with("matrix", "dplr", "copies", 6),
        with("matrix", "dplr", "spectrum", "legs", "stateSize", 64),
        with("matrix", "dplr", "spectrum", "legs", "stateSize", 2));
  }

  /** The convolution with the kernels, and what follows it, in double precision. */
  private static double[][] exact(Map<String, Object> settings, double[][] x) {
    Config c = Config.of("exact", settings);
    var spec = ChannelSystems.Spec.read(c, WIDTH, 1, MixerBench.LIMIT);
    double[][] kernels = Formulas.kernels(spec, WIDTH, x.length);
    double[] d = vector("d", WIDTH, new Typical(0, 1));
    return Formulas.readOut(
        Readout.Way.read(c), c.flag("biased", true), Formulas.convolved(kernels, d, x));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsTheConvolutionWithItsKernels(Map<String, Object> settings) {
    try (var bench = new MixerBench<RecurrentState>(new S4.Type(), settings, WIDTH)) {
      double[][] x = bench.tokens(TOKENS, 5);
      new MixerLaws(new S4.Type(), settings, WIDTH).aSequenceIs(exact(settings, x), x, 5e-5);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    new MixerLaws(new S4.Type(), settings, WIDTH).hold();
  }

  /**
   * The convolution of blocks by their spectra gives what the recurrence gives, past two blocks.
   */
  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theConvolutionalFormIsTheSame(Map<String, Object> all) {
    Map<String, Object> settings = new LinkedHashMap<>(all);
    settings.put("output", "gelu");
    settings.put("biased", false);
    Config c = Config.of("exact", settings);
    var spec = ChannelSystems.Spec.read(c, WIDTH, 1, MixerBench.LIMIT);
    int tokens = 150;
    try (var bench = new MixerBench<RecurrentState>(new S4.Type(), settings, WIDTH)) {
      double[][] x = bench.tokens(tokens, 5);
      float[][] recurrent = bench.run(bench.state(), x, 0);
      double[][] s = transformed(Formulas.kernels(spec, WIDTH, tokens), x);
      double[][] expected = Formulas.readOut(Readout.Way.GELU, false, s);
      for (int t = 0; t < tokens; t++) {
        for (int i = 0; i < WIDTH; i++) {
          assertEquals(expected[t][i], recurrent[t][i], 1e-4, "token " + t);
        }
      }
    }
  }

  private static double[][] transformed(double[][] kernels, double[][] x) {
    LongConvolution convolution = Kernels.chosen().longConvolution();
    float[] taps = new float[x.length * WIDTH];
    float[] rows = new float[x.length * WIDTH];
    float[] skip = new float[WIDTH];
    double[] d = vector("d", WIDTH, new Typical(0, 1));
    for (int c = 0; c < WIDTH; c++) {
      skip[c] = (float) d[c];
      for (int t = 0; t < x.length; t++) {
        taps[t * WIDTH + c] = (float) kernels[c][t];
        rows[t * WIDTH + c] = (float) x[t][c];
      }
    }
    var filter = convolution.filter(WIDTH, x.length, taps, skip);
    int floats = filter.groups() * LongConvolution.GROUP_FLOATS;
    float[][] past = new float[x.length / LongConvolution.BLOCK][floats];
    try (Arena arena = Arena.ofConfined()) {
      convolution.convolve(
          filter,
          0,
          filter.groups(),
          0,
          x.length,
          rows,
          0,
          WIDTH,
          arena.allocate(4L * floats, 64),
          0,
          past,
          0,
          rows,
          0,
          WIDTH,
          new float[2 * LongConvolution.GROUP_FLOATS]);
    }
    double[][] s = new double[x.length][WIDTH];
    for (int i = 0; i < rows.length; i++) {
      s[i / WIDTH][i % WIDTH] = rows[i];
    }
    return s;
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(with("stateSize", 7), "stateSize=7 must be even: states are conjugate pairs"),
        of(with("copies", 4), "copies=4 does not divide 18 systems"),
        of(
            with("matrix", "dplr", "discretization", "zoh"),
            "discretization=\"zoh\" is not supported; supported: bilinear"),
        of(
            with("matrix", "dplr", "spectrum", "lin"),
            "spectrum=\"lin\" is a diagonal; matrix=\"dplr\" needs learned or legs"),
        of(
            with("stateSize", 1 << 28),
            "18 channels of stateSize=268435456 are more than 2^31 − 1 values"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> settings, String message) {
    var e =
        assertThrows(
            ConfigException.class,
            () -> ChannelSystems.Spec.read(Config.of("layer 0 s4", settings), WIDTH, 1, 100));
    assertEquals("layer 0 s4: " + message, e.getMessage());
  }
}
