package dev.apus.kernels.learning;

import static dev.apus.kernels.Guarded.AT;
import static dev.apus.kernels.Guarded.assertGuardsHold;
import static dev.apus.kernels.Guarded.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.kernels.Guarded;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.VectorApi;
import dev.apus.kernels.learning.FastWeights.Shape;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FastWeightsTest {

  private static final int TOKENS = 11;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 130})
  void agreesWithTheDefinition(int outputs) {
    for (int inputs : new int[] {1, 3, 4, 5, 16, 21, 64}) {
      for (boolean biased : new boolean[] {false, true}) {
        var problem = new Problem(new Shape(inputs, outputs, biased));
        Result expected = problem.run(Kernels.scalar(), TOKENS);
        Result actual = problem.run(VectorApi.kernels(), TOKENS);
        String what = inputs + " to " + outputs + (biased ? " with bias: " : ": ");
        assertSameBits(expected.applied, actual.applied, what + "apply");
        assertSameBits(expected.recalled, actual.recalled, what + "recall");
        assertSameBits(expected.back, actual.back, what + "back");
        assertSameBits(expected.memory, actual.memory, what + "learn and drift");
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void aTokenIsTheSameAloneAndAmongOthers(Kernels kernels) {
    var problem = new Problem(new Shape(21, 37, true));
    Result whole = problem.run(kernels, TOKENS);
    for (int step : new int[] {1, 2, 3, 5, 7}) {
      Result parts = problem.run(kernels, step);
      assertSameBits(whole.applied, parts.applied, "apply by " + step);
      assertSameBits(whole.recalled, parts.recalled, "recall by " + step);
      assertSameBits(whole.back, parts.back, "back by " + step);
    }
  }

  @ParameterizedTest
  @CsvSource({"19, 27, true", "19, 27, false", "64, 64, true"})
  void followsTheFormulas(int inputs, int outputs, boolean biased) {
    Shape shape = new Shape(inputs, outputs, biased);
    var problem = new Problem(shape);
    Result result = problem.run(Kernels.scalar(), TOKENS);
    for (float[] data : new float[][] {result.applied, result.recalled, result.back}) {
      assertGuardsHold(data);
    }
    // Sums of at most 64 + 11 terms of a few units, each rounded once.
    double tolerance = 4e-5;
    for (int t = 0; t < TOKENS; t++) {
      for (int j = 0; j < outputs; j++) {
        double y = biased ? problem.weight(inputs, j) : 0;
        for (int i = 0; i < inputs; i++) {
          y += problem.weight(i, j) * problem.x(t, i);
        }
        assertEquals(y, result.applied[AT + t * problem.stride + j], tolerance);
        double recalled = y;
        for (int s = 0; s <= t; s++) {
          double likeness = biased ? 1 : 0;
          for (int i = 0; i < inputs; i++) {
            likeness += problem.x(s, i) * problem.x(t, i);
          }
          recalled += problem.c(t, s) * likeness * problem.g(s, j);
        }
        assertEquals(recalled, result.recalled[AT + t * problem.stride + j], tolerance);
      }
      for (int i = 0; i < inputs; i++) {
        double d = 0;
        for (int j = 0; j < outputs; j++) {
          d += problem.weight(i, j) * problem.g(t, j);
        }
        assertEquals(d, result.back[AT + t * problem.stride + i], tolerance);
      }
    }
    for (int i = 0; i < inputs + (biased ? 1 : 0); i++) {
      for (int j = 0; j < outputs; j++) {
        double w = Problem.KEEP * problem.weight(i, j);
        for (int s = 0; s < TOKENS; s++) {
          w += problem.c(TOKENS - 1, s) * (i < inputs ? problem.x(s, i) : 1) * problem.g(s, j);
        }
        w = 0.5 * w - 0.25 * problem.memory[AT + shape.floats() + i * outputs + j];
        assertEquals(w, result.memory[AT + i * outputs + j], tolerance);
      }
    }
  }

  private record Result(float[] applied, float[] recalled, float[] back, float[] memory) {}

  /** A matrix, a second one that it drifts by, and rows further apart than they are long. */
  private static final class Problem {

    static final float KEEP = 0.75f;

    final Shape shape;
    final int stride;
    final float[] memory;
    final float[] x;
    final float[] g;
    final float[] c;

    Problem(Shape shape) {
      var random = new SplittableRandom(shape.inputs() * 1000L + shape.outputs());
      this.shape = shape;
      this.stride = Math.max(shape.inputs(), shape.outputs()) + 3;
      this.memory = Guarded.normal(random, 2 * shape.floats());
      this.x = Guarded.uniform(random, TOKENS * stride, -1, 1);
      this.g = Guarded.uniform(random, TOKENS * stride, -1, 1);
      this.c = Guarded.uniform(random, TOKENS * TOKENS, -0.5f, 0.5f);
    }

    double weight(int i, int j) {
      return memory[AT + i * shape.outputs() + j];
    }

    double x(int t, int i) {
      return x[AT + t * stride + i];
    }

    double g(int t, int j) {
      return g[AT + t * stride + j];
    }

    double c(int t, int s) {
      return c[AT + t * TOKENS + s];
    }

    private Rows rows(float[] data, int token) {
      return new Rows(data, AT + token * stride, stride);
    }

    /** Maps, recalls and takes back {@code step} tokens at a time, then learns from all. */
    Result run(Kernels kernels, int step) {
      FastWeights kernel = kernels.fastWeights();
      float[] applied = Guarded.poisoned(TOKENS * stride);
      float[] recalled = Guarded.poisoned(TOKENS * stride);
      float[] back = Guarded.poisoned(TOKENS * stride);
      float[] after = new float[memory.length];
      float[] scratch = new float[FastWeights.ROWS * shape.outputs()];
      long at = 4L * AT;
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment native0 = arena.allocate(4L * memory.length);
        MemorySegment.copy(MemorySegment.ofArray(memory), 0, native0, 0, native0.byteSize());
        for (int t = 0; t < TOKENS; t += step) {
          int tokens = Math.min(step, TOKENS - t);
          kernel.apply(shape, native0, at, tokens, rows(x, t), rows(applied, t));
          kernel.apply(shape, native0, at, tokens, rows(x, t), rows(recalled, t));
          Rows seen = new Rows(c, AT + t * TOKENS, TOKENS);
          kernel.recall(
              shape, tokens, t, seen, rows(x, t), rows(x, 0), rows(g, 0), rows(recalled, t));
          kernel.back(shape, native0, at, tokens, rows(g, t), rows(back, t), scratch);
        }
        int last = AT + (TOKENS - 1) * TOKENS;
        kernel.learn(shape, TOKENS, KEEP, c, last, rows(x, 0), rows(g, 0), native0, at);
        kernel.drift(shape.floats(), 0.5f, -0.25f, native0, at, at + 4L * shape.floats());
        MemorySegment.copy(native0, 0, MemorySegment.ofArray(after), 0, native0.byteSize());
      }
      assertGuardsHold(after);
      return new Result(applied, recalled, back, after);
    }
  }
}
