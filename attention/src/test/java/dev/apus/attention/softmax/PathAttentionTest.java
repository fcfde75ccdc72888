package dev.apus.attention.softmax;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.MixerState;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** PaTH against its recurrent form: keys that every new token's map turns, in double precision. */
class PathAttentionTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 83;

  static final List<Map<String, Object>> settings =
      List.of(
          Map.of("heads", 2, "headDim", 5),
          Map.of("heads", 6, "kvHeads", 2, "headDim", 7, "latent", 3, "forgets", true),
          Map.of("heads", 3, "kvHeads", 1, "headDim", 1, "taps", 0, "scale", 2));

  private static MixerBench<ConvolvedCache> bench(Map<String, Object> settings) {
    return new MixerBench<>(new PathAttention.Type(), settings, WIDTH);
  }

  @ParameterizedTest
  @FieldSource("settings")
  void isWhatTheFormulaSays(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      double[][] expected = formula(PathSpec.read(Config.of("naive", settings)), x);
      float[][] y = bench.run(bench.state(TOKENS), x, 0);
      for (int i = 0; i < TOKENS; i++) {
        float[] row = y[i];
        double[] found = IntStream.range(0, WIDTH).mapToDouble(c -> row[c]).toArray();
        assertArrayEquals(expected[i], found, 1e-5, "token " + i);
      }
    }
  }

  @ParameterizedTest
  @FieldSource("settings")
  void neitherKernelsNorThreadsNorNeighboursShow(Map<String, Object> settings) {
    new MixerLaws(new PathAttention.Type(), settings, WIDTH)
        .neitherKernelsNorThreadsNorNeighboursShow();
  }

  @ParameterizedTest
  @FieldSource("settings")
  void itMayBeCutAnywhereAndGoBackWithTheSameBits(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      float[][] whole = bench.run(bench.state(), x, 0);
      for (int cut : new int[] {1, 7, 64, TOKENS - 1}) {
        ConvolvedCache state = bench.state();
        bench.run(state, Arrays.copyOf(x, cut), 0);
        MixerState.Mark mark = state.mark(null);
        for (int again = 0; again < 2; again++) {
          float[][] rest = bench.run(state, Arrays.copyOfRange(x, cut, TOKENS), cut);
          for (int i = cut; i < TOKENS; i++) {
            assertArrayEquals(whole[i], rest[i - cut], "token " + i);
          }
          mark.rewind();
        }
      }
    }
  }

  @Test
  void settingsThatCannotRunAreRefused() {
    Map<String, Object> wrong = Map.of("heads", 3, "kvHeads", 2, "headDim", 4);
    var e = assertThrows(ConfigException.class, () -> PathSpec.read(Config.of("layer 0", wrong)));
    assertEquals("layer 0: heads=3 is not divisible by kvHeads=2", e.getMessage());
  }

  /** Every key of a head, as the tokens since have turned it. */
  private static double[][] formula(PathSpec spec, double[][] x) {
    int dim = spec.headDim();
    double[][] w = directions(spec, x);
    double[][] keys = new double[x.length][];
    double[][] values = new double[x.length][];
    double[][] levels = new double[x.length][spec.heads()];
    double[][] y = new double[x.length][];
    for (int i = 0; i < x.length; i++) {
      double[] strength = with("b", spec.kvHeads(), x[i]);
      for (int head = 0; head < spec.kvHeads(); head++) {
        for (int j = 0; j < i; j++) {
          double along = dot(keys[j], w[i], head * dim, head * dim, dim);
          for (int d = head * dim; d < (head + 1) * dim; d++) {
            keys[j][d] -= 2 * sigmoid(strength[head]) * along * w[i][d];
          }
        }
      }
      keys[i] = times(matrix("k", spec.keyCols(), WIDTH), x[i]);
      values[i] = times(matrix("v", spec.keyCols(), WIDTH), x[i]);
      double[] gates = spec.forgets() ? with("f", spec.heads(), x[i]) : null;
      for (int head = 0; gates != null && head < spec.heads(); head++) {
        levels[i][head] = (i == 0 ? 0 : levels[i - 1][head]) + Math.log(sigmoid(gates[head]));
      }
      double[] q = times(matrix("q", spec.queryCols(), WIDTH), x[i]);
      double[] o = new double[spec.queryCols()];
      for (int head = 0; head < spec.heads(); head++) {
        attend(spec, i, head, q, keys, values, levels, o);
      }
      y[i] = times(matrix("o", WIDTH, o.length), o);
    }
    return y;
  }

  private static void attend(
      PathSpec spec,
      int i,
      int head,
      double[] q,
      double[][] keys,
      double[][] values,
      double[][] levels,
      double[] o) {
    int dim = spec.headDim();
    int keyAt = head / spec.group() * dim;
    double[] weights = new double[i + 1];
    double sum = 0;
    for (int j = 0; j <= i; j++) {
      double score = dot(q, keys[j], head * dim, keyAt, dim) + levels[i][head] - levels[j][head];
      weights[j] = Math.exp(spec.scale() * score);
      sum += weights[j];
    }
    for (int j = 0; j <= i; j++) {
      for (int d = 0; d < dim; d++) {
        o[head * dim + d] += weights[j] / sum * values[j][keyAt + d];
      }
    }
  }

  private static double[][] directions(PathSpec spec, double[][] x) {
    int cols = spec.keyCols();
    double[][] w = new double[x.length][];
    for (int i = 0; i < x.length; i++) {
      w[i] =
          spec.latent() == 0
              ? times(matrix("w", cols, WIDTH), x[i])
              : times(
                  matrix("w", cols, spec.latent()),
                  times(matrix("w.latent", spec.latent(), WIDTH), x[i]));
    }
    return Arrays.stream(convolved(spec, w)).map(row -> units(spec, row)).toArray(double[][]::new);
  }

  private static double[][] convolved(PathSpec spec, double[][] w) {
    if (spec.taps() == 0) {
      return w;
    }
    double[][] taps = rows("conv", spec.keyCols(), spec.taps(), new Typical(0, 0.5f));
    double[][] convolved = new double[w.length][spec.keyCols()];
    for (int i = 0; i < w.length; i++) {
      for (int c = 0; c < spec.keyCols(); c++) {
        for (int tap = 0; tap < spec.taps() && tap <= i; tap++) {
          convolved[i][c] += taps[c][spec.taps() - 1 - tap] * w[i - tap][c];
        }
        convolved[i][c] *= sigmoid(convolved[i][c]);
      }
    }
    return convolved;
  }

  private static double[] units(PathSpec spec, double[] row) {
    double[] units = row.clone();
    for (int at = 0; at < row.length; at += spec.headDim()) {
      double length = Math.sqrt(dot(row, row, at, at, spec.headDim()) + 1e-6);
      for (int d = at; d < at + spec.headDim(); d++) {
        units[d] /= length;
      }
    }
    return units;
  }

  private static double[] with(String name, int outputs, double[] x) {
    double[] y = times(matrix(name, outputs, WIDTH), x);
    double[] bias = vector(name + ".bias", outputs, Typical.BIAS);
    Arrays.setAll(y, i -> y[i] + bias[i]);
    return y;
  }

  private static double dot(double[] a, double[] b, int aAt, int bAt, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += a[aAt + i] * b[bAt + i];
    }
    return sum;
  }
}
