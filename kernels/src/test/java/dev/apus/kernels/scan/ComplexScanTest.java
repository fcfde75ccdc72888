package dev.apus.kernels.scan;

import static dev.apus.kernels.Guarded.AT;
import static dev.apus.kernels.Guarded.assertGuardsHold;
import static dev.apus.kernels.Guarded.assertSameBits;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.kernels.Guarded;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.VectorApi;
import dev.apus.kernels.scan.Systems.Coefficient;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ComplexScanTest {

  private static final int TOKENS = 9;

  static Stream<Problem> problems() {
    List<Problem> problems = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      for (int channels : new int[] {1, 3, 4, 7, 8, 15, 16, 17, 31, 33, 50}) {
        problems.add(new Problem(kind, channels, 5));
      }
      problems.add(new Problem(kind, 17, 1));
      problems.add(new Problem(kind, 17, 8));
    }
    return problems.stream();
  }

  static Stream<Arguments> problemsOfAllSets() {
    return VectorApi.sets()
        .flatMap(
            kernels ->
                Stream.of(Kind.values())
                    .map(kind -> Arguments.of(kernels, new Problem(kind, 37, 6))));
  }

  @ParameterizedTest
  @MethodSource("problems")
  void agreesWithTheDefinition(Problem problem) {
    Kernels vector = VectorApi.kernels();
    for (int tokens : new int[] {1, 2, TOKENS}) {
      Result expected = problem.run(Kernels.scalar(), tokens, tokens);
      Result actual = problem.run(vector, tokens, tokens);
      assertSameBits(expected.y, actual.y, problem.toString());
      assertArrayEquals(expected.state, actual.state, problem + ": the state");
      assertGuardsHold(actual.y);
    }
  }

  @ParameterizedTest
  @MethodSource("problemsOfAllSets")
  void followsTheFormula(Kernels kernels, Problem problem) {
    Result result = problem.run(kernels, TOKENS, TOKENS);
    double[][] exact = problem.exact();
    for (int t = 0; t < TOKENS; t++) {
      for (int c = 0; c < problem.outputs(); c++) {
        assertEquals(exact[t][c], result.y[AT + t * problem.stride() + c], 1e-5, t + ", " + c);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("problemsOfAllSets")
  void aSequenceMayBeCutAnywhere(Kernels kernels, Problem problem) {
    Result whole = problem.run(kernels, TOKENS, TOKENS);
    for (int cut = 1; cut < TOKENS; cut++) {
      Result parts = problem.run(kernels, TOKENS, cut);
      assertSameBits(whole.y, parts.y, "cut at " + cut);
      assertArrayEquals(whole.state, parts.state, "cut at " + cut + ": the state");
    }
  }

  enum Kind {
    BY_ITSELF,
    DIAGONAL,
    COUPLED
  }

  private record Result(float[] y, float[] state) {}

  /** Random systems that forget, with a state that is not zero. */
  private static final class Problem {

    private final Kind kind;
    private final int channels;
    private final int states;
    private final double[][][] coefficients;
    private final float[] skip;
    private final float[] state;
    private final float[] x;

    Problem(Kind kind, int channels, int states) {
      var random = new SplittableRandom(1000L * channels + 10 * states + kind.ordinal());
      this.kind = kind;
      this.channels = channels;
      this.states = kind == Kind.BY_ITSELF ? 1 : states;
      this.coefficients = new double[channels][this.states][2 * Coefficient.values().length];
      for (double[][] channel : coefficients) {
        for (double[] row : channel) {
          double size = random.nextDouble(0.5, 0.99);
          double angle = random.nextDouble(-3, 3);
          row[0] = (float) (size * Math.cos(angle));
          row[1] = (float) (size * Math.sin(angle));
          for (int i = 2; i < row.length; i++) {
            row[i] = (float) random.nextDouble(-1, 1) / (i < 6 ? 1 : this.states);
            row[i] = (float) row[i];
          }
        }
      }
      this.skip = new float[channels];
      for (int c = 0; c < channels; c++) {
        skip[c] = random.nextFloat(-1, 1);
      }
      this.state = new float[Math.ceilDiv(channels, 16) * 32 * this.states];
      for (int i = 0; i < state.length; i++) {
        state[i] = random.nextFloat(-1, 1);
      }
      this.x = Guarded.normal(random, TOKENS * stride());
    }

    int outputs() {
      return kind == Kind.BY_ITSELF ? 2 * channels : channels;
    }

    int stride() {
      return outputs() + 3;
    }

    /** The numbers of one coefficient, real parts first. */
    private float[] row(int at) {
      float[] row = new float[2 * channels];
      for (int c = 0; c < channels; c++) {
        row[c] = (float) coefficients[c][0][at];
        row[channels + c] = (float) coefficients[c][0][at + 1];
      }
      return row;
    }

    private Systems systems(Arena arena) {
      boolean coupled = kind == Kind.COUPLED;
      var systems =
          new Systems(
              channels,
              states,
              coupled,
              arena.allocate(Systems.bytes(channels, states, coupled), 64));
      for (int c = 0; c < channels; c++) {
        for (int n = 0; n < states; n++) {
          double[] row = coefficients[c][n];
          for (Coefficient which : Coefficient.values()) {
            if (coupled || which.ordinal() < 2) {
              int at = 2 * which.ordinal();
              systems.set(c, n, which, row[at], row[at + 1]);
            }
          }
        }
      }
      return systems;
    }

    /** Runs in two calls, each in two ranges, the last first. */
    Result run(Kernels kernels, int tokens, int cut) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment memory = arena.allocate(4L * (state.length + 2));
        memory.fill((byte) -1);
        MemorySegment.copy(state, 0, memory, JAVA_FLOAT, 4, state.length);
        float[] y = kind == Kind.BY_ITSELF ? x.clone() : Guarded.poisoned(TOKENS * stride());
        Systems systems = kind == Kind.BY_ITSELF ? null : systems(arena);
        int half = Math.min(channels, 16);
        for (int[] part : new int[][] {{0, cut}, {cut, tokens}}) {
          for (int[] range : new int[][] {{half, channels}, {0, half}}) {
            int at = AT + part[0] * stride();
            int count = part[1] - part[0];
            var scan = kernels.complexScan();
            if (kind == Kind.BY_ITSELF) {
              scan.recur(
                  row(0), row(2), channels, range[0], range[1], count, y, at, stride(), memory, 4);
            } else {
              scan.respond(
                  systems, skip, range[0], range[1], count, x, at, stride(), memory, 4, y, at,
                  stride());
            }
          }
        }
        return new Result(y, memory.toArray(JAVA_FLOAT));
      }
    }

    double[][] exact() {
      double[][] y = new double[TOKENS][outputs()];
      for (int c = 0; c < channels; c++) {
        double[][] h = new double[states][2];
        for (int n = 0; n < states; n++) {
          int at = kind == Kind.BY_ITSELF ? c : (c / 16 * states + n) * 32 + c % 16;
          h[n][0] = state[at];
          h[n][1] = state[at + (kind == Kind.BY_ITSELF ? channels : 16)];
        }
        for (int t = 0; t < TOKENS; t++) {
          double in = x[AT + t * stride() + c];
          double f = 0;
          for (int n = 0; n < states; n++) {
            double[] k = coefficients[c][n];
            f += k[8] * h[n][0] - k[9] * h[n][1];
          }
          y[t][c] = skip[c] * in;
          for (int n = 0; n < states; n++) {
            double[] k = coefficients[c][n];
            double re = in;
            double im = 0;
            if (kind == Kind.COUPLED) {
              re = k[4] * in + k[6] * f;
              im = k[5] * in + k[7] * f;
            } else if (kind == Kind.BY_ITSELF) {
              double other = x[AT + t * stride() + channels + c];
              re = k[2] * in - k[3] * other;
              im = k[2] * other + k[3] * in;
            }
            double real = k[0] * h[n][0] - k[1] * h[n][1] + re;
            h[n][1] = k[0] * h[n][1] + k[1] * h[n][0] + im;
            h[n][0] = real;
            y[t][c] += k[2] * h[n][0] - k[3] * h[n][1];
          }
          if (kind == Kind.BY_ITSELF) {
            y[t][c] = h[0][0];
            y[t][channels + c] = h[0][1];
          }
        }
      }
      return y;
    }

    @Override
    public String toString() {
      return kind + ", " + channels + " channels of " + states;
    }
  }
}
