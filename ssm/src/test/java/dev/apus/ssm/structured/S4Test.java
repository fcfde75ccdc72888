package dev.apus.ssm.structured;

import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
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
