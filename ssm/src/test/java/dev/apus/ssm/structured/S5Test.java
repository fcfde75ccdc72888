package dev.apus.ssm.structured;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.times;
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

/** S5 and linear recurrent units against their recurrence in double precision. */
class S5Test {

  private static final int WIDTH = 11;
  private static final int TOKENS = 61;

  private static Map<String, Object> with(Object... settings) {
    Map<String, Object> all = new LinkedHashMap<>(Map.of("stateSize", 24));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with(),
        with("stateSize", 2, "discretization", "bilinear", "output", "half-glu2"),
        with("spectrum", "legs", "blocks", 3, "stateSize", 48, "output", "half-glu1"),
        with("spectrum", "lin", "stateSize", 140, "biased", false),
        with("discretization", "lru", "stateSize", 34));
  }

  private static double[][] exact(Map<String, Object> settings, double[][] x) {
    Config config = Config.of("exact", settings);
    S5.Spec spec = S5.Spec.read(config);
    int pairs = spec.stateSize() / 2;
    double[][] b = matrix("b", 2 * pairs, WIDTH);
    double[][] c = matrix("c", WIDTH, 2 * pairs);
    double[] d = vector("d", WIDTH, new Typical(0, 1));
    Complex[][] system = discrete(spec, pairs);
    double[] h = new double[2 * pairs];
    double[][] s = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] u = times(b, x[t]);
      for (int i = 0; i < pairs; i++) {
        Complex next =
            system[0][i]
                .times(new Complex(h[i], h[pairs + i]))
                .plus(system[1][i].times(new Complex(u[i], u[pairs + i])));
        h[i] = next.re();
        h[pairs + i] = next.im();
      }
      s[t] = times(c, h);
      for (int i = 0; i < WIDTH; i++) {
        s[t][i] += d[i] * x[t][i];
      }
    }
    return Formulas.readOut(Readout.Way.read(config), config.flag("biased", true), s);
  }

  /** λ̄ and γ. */
  private static Complex[][] discrete(S5.Spec spec, int pairs) {
    Complex[][] system = new Complex[2][pairs];
    if (spec.discretization() == null) {
      double[] decay = vector("decay", pairs, new Typical(-3, 2));
      double[] frequency = vector("frequency", pairs, new Typical(-0.5f, 1.5f));
      double[] gain = vector("gain", pairs, new Typical(-1, 0.5f));
      for (int i = 0; i < pairs; i++) {
        double size = Math.exp(-Math.exp(decay[i]));
        double angle = Math.exp(frequency[i]);
        system[0][i] = new Complex(size * Math.cos(angle), size * Math.sin(angle));
        system[1][i] = new Complex(Math.exp(gain[i]), 0);
      }
      return system;
    }
    double[] step = vector("step", pairs, new Typical(-4.6f, 2.3f));
    for (int i = 0; i < pairs; i++) {
      Complex lambda = lambda(spec, pairs, i);
      double size = Math.exp(step[i]);
      if (spec.discretization() == Discretization.BILINEAR) {
        Complex below = lambda.times(-size / 2).plus(1);
        system[0][i] = lambda.times(size / 2).plus(1).over(below);
        system[1][i] = new Complex(size, 0).over(below);
      } else {
        double power = Math.exp(size * lambda.re());
        double angle = size * lambda.im();
        system[0][i] = new Complex(power * Math.cos(angle), power * Math.sin(angle));
        system[1][i] = system[0][i].plus(-1).over(lambda);
      }
    }
    return system;
  }

  private static Complex lambda(S5.Spec spec, int pairs, int i) {
    return switch (spec.spectrum()) {
      case LEARNED -> {
        double decay = vector("decay", pairs, new Typical(-0.7f, 0.5f))[i];
        yield new Complex(-Math.exp(decay), vector("frequency", pairs, new Typical(30, 30))[i]);
      }
      case LIN -> new Complex(-0.5, Math.PI * i);
      default -> Hippo.legs(spec.stateSize() / spec.blocks()).lambda()[i % (pairs / spec.blocks())];
    };
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsWhatItsFormulaSays(Map<String, Object> settings) {
    try (var bench = new MixerBench<RecurrentState>(new S5.Type(), settings, WIDTH)) {
      double[][] x = bench.tokens(TOKENS, 5);
      new MixerLaws(new S5.Type(), settings, WIDTH).aSequenceIs(exact(settings, x), x, 5e-5);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    new MixerLaws(new S5.Type(), settings, WIDTH).hold();
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(with("stateSize", 5), "stateSize=5 must be even: states are conjugate pairs"),
        of(
            with("spectrum", "legs", "blocks", 5),
            "stateSize=24 is not blocks=5 times an even number"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> settings, String message) {
    var e =
        assertThrows(ConfigException.class, () -> S5.Spec.read(Config.of("layer 0 s5", settings)));
    assertEquals("layer 0 s5: " + message, e.getMessage());
  }
}
