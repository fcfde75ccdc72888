package dev.apus.kernels.solve;

import static dev.apus.kernels.Guarded.AT;
import static dev.apus.kernels.Guarded.assertGuardsHold;
import static dev.apus.kernels.Guarded.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.kernels.Guarded;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.VectorApi;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConjugateGradientsTest {

  private static final double EPSILON = ConjugateGradients.EPSILON;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 130})
  void agreesWithTheDefinition(int size) {
    for (int steps : new int[] {0, 1, 2, 7, 30}) {
      var problem = new Problem(size, size + 3);
      float[] expected = problem.solve(Kernels.scalar(), steps);
      float[] actual = problem.solve(VectorApi.kernels(), steps);
      assertSameBits(expected, actual, size + " values, " + steps + " steps");
      assertGuardsHold(actual);
    }
  }

  /** The steps of the formula, and after enough of them the solution as elimination finds it. */
  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void followsTheFormulaToTheSolution(Kernels kernels) {
    for (int size : new int[] {1, 7, 33, 64}) {
      for (int tokens : new int[] {1, 5, 90}) {
        var problem = new Problem(size, tokens);
        for (int steps : new int[] {1, 3, 30}) {
          double[] expected = problem.steps(steps);
          float[] actual = problem.solve(kernels, steps);
          for (int j = 0; j < size; j++) {
            assertEquals(expected[j], actual[AT + j], 2e-5, steps + " steps, value " + j);
          }
        }
        assertSolved(problem, problem.solve(kernels, 30));
      }
    }
  }

  /**
   * What is left of b is about √ε long, so that x is within that over the least eigenvalue, which
   * is the least ridge or more.
   */
  private static void assertSolved(Problem problem, float[] x) {
    double[] solution = problem.eliminate();
    double squares = 0;
    double length = 0;
    for (int j = 0; j < problem.size; j++) {
      squares += Math.pow(x[AT + j] - solution[j], 2);
      length += solution[j] * solution[j];
    }
    double bound = Math.sqrt(EPSILON) / Problem.LEAST_RIDGE;
    assertTrue(bound < 0.3 * Math.sqrt(length), "the bound says something");
    assertTrue(Math.sqrt(squares) < bound, Math.sqrt(squares) + " from the solution");
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void nothingAskedIsNothingFound(Kernels kernels) {
    var problem = new Problem(19, 4);
    for (int j = 0; j < problem.size; j++) {
      problem.b[AT + j] = 0;
    }
    float[] x = problem.solve(kernels, 30);
    for (int j = 0; j < problem.size; j++) {
      assertEquals(0, x[AT + j]);
    }
  }

  /** A memory of some keys of length 1, a ridge above its least, and a query of length 1. */
  private static final class Problem {

    static final float LEAST_RIDGE = 0.25f;

    final int size;
    final float[] h;
    final float[] ridge;
    final float[] b;

    Problem(int size, int tokens) {
      var random = new SplittableRandom(31L * size + tokens);
      this.size = size;
      this.h = new float[size * size];
      this.ridge = Guarded.uniform(random, size, LEAST_RIDGE, 1);
      this.b = unit(random);
      for (int t = 0; t < tokens; t++) {
        float[] k = unit(random);
        float beta = random.nextFloat();
        for (int i = 0; i < size; i++) {
          for (int j = 0; j < size; j++) {
            h[i * size + j] = 0.95f * h[i * size + j] + beta * k[AT + i] * k[AT + j];
          }
        }
      }
    }

    private float[] unit(SplittableRandom random) {
      float[] values = Guarded.normal(random, size);
      double squares = 0;
      for (int i = 0; i < size; i++) {
        squares += values[AT + i] * values[AT + i];
      }
      for (int i = 0; i < size; i++) {
        values[AT + i] /= (float) Math.sqrt(squares);
      }
      return values;
    }

    float[] solve(Kernels kernels, int steps) {
      float[] x = Guarded.poisoned(size);
      var solver = kernels.solver();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment memory = arena.allocate(4 + 4L * h.length);
        MemorySegment.copy(MemorySegment.ofArray(h), 0, memory, 4, 4L * h.length);
        float[] scratch = new float[solver.scratchFloats(size)];
        solver.solve(size, steps, memory, 4, ridge, AT, b, AT, x, AT, scratch);
      }
      return x;
    }

    private double[][] matrix() {
      double[][] a = new double[size][size + 1];
      for (int i = 0; i < size; i++) {
        for (int j = 0; j < size; j++) {
          a[i][j] = h[i * size + j];
        }
        a[i][i] += ridge[AT + i];
        a[i][size] = b[AT + i];
      }
      return a;
    }

    double[] steps(int steps) {
      double[][] a = matrix();
      double[] x = new double[size];
      double[] r = new double[size];
      for (int i = 0; i < size; i++) {
        r[i] = b[AT + i];
      }
      double[] p = r.clone();
      for (int step = 0; step < steps; step++) {
        double[] ap = new double[size];
        double along = 0;
        double before = 0;
        for (int i = 0; i < size; i++) {
          for (int j = 0; j < size; j++) {
            ap[i] += a[i][j] * p[j];
          }
          along += p[i] * ap[i];
          before += r[i] * r[i];
        }
        double alpha = before / (along + EPSILON);
        double after = 0;
        for (int i = 0; i < size; i++) {
          x[i] += alpha * p[i];
          r[i] -= alpha * ap[i];
          after += r[i] * r[i];
        }
        for (int i = 0; i < size; i++) {
          p[i] = r[i] + after / (before + EPSILON) * p[i];
        }
      }
      return x;
    }

    /** The solution by Gauss' elimination; no pivots are needed where no eigenvalue is negative. */
    double[] eliminate() {
      double[][] a = matrix();
      for (int i = 0; i < size; i++) {
        for (int row = i + 1; row < size; row++) {
          double factor = a[row][i] / a[i][i];
          for (int j = i; j <= size; j++) {
            a[row][j] -= factor * a[i][j];
          }
        }
      }
      double[] x = new double[size];
      for (int i = size - 1; i >= 0; i--) {
        x[i] = a[i][size];
        for (int j = i + 1; j < size; j++) {
          x[i] -= a[i][j] * x[j];
        }
        x[i] /= a[i][i];
      }
      return x;
    }
  }
}
