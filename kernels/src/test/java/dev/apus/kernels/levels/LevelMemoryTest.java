package dev.apus.kernels.levels;

import static dev.apus.kernels.Guarded.AT;
import static dev.apus.kernels.Guarded.assertGuardsHold;
import static dev.apus.kernels.Guarded.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.kernels.Guarded;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.VectorApi;
import dev.apus.kernels.levels.LevelMemory.Shape;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class LevelMemoryTest {

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1",
    "3, 5, 2",
    "16, 16, 4",
    "7, 31, 5",
    "33, 17, 9",
    "20, 33, 3",
    "64, 64, 8",
    "5, 65, 11",
    "40, 100, 6",
    "17, 130, 7"
  })
  void agreesWithTheDefinition(int keyDim, int valueDim, int tokens) {
    var problem = new Problem(keyDim, valueDim, tokens);
    Result expected = problem.run(Kernels.scalar(), tokens);
    Result actual = problem.run(VectorApi.kernels(), tokens);
    assertSameBits(expected.o, actual.o, "what is read");
    assertSameBits(expected.memory, actual.memory, "the memory");
    assertGuardsHold(actual.o);
    assertGuardsHold(actual.memory);
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void aTokenHasItsBitsAmongAnyOthers(Kernels kernels) {
    var problem = new Problem(19, 37, 11);
    Result whole = problem.run(kernels, 11);
    for (int piece = 1; piece < 11; piece++) {
      assertSameBits(whole.o, problem.run(kernels, piece).o, "pieces of " + piece);
    }
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void followsTheFormula(Kernels kernels) {
    var problem = new Problem(23, 41, 6);
    Result result = problem.run(kernels, 6);
    double[] memory = new double[23 * 41];
    for (int i = 0; i < 23; i++) {
      for (int j = 0; j < 41; j++) {
        int cell = i * 41 + j;
        memory[cell] =
            problem.k[AT + i] * (double) problem.v[AT + j] + 0.75 * problem.other[AT + cell];
        assertEquals(memory[cell], result.memory[AT + cell], 1e-6, "cell " + cell);
      }
    }
    for (int t = 0; t < 6; t++) {
      int row = AT + t * problem.stride;
      double near = 0;
      for (int i = 0; i < 23; i++) {
        near += problem.q[row + i] * (double) problem.k[row + i];
      }
      for (int j = 0; j < 41; j++) {
        double read = 0;
        for (int i = 0; i < 23; i++) {
          read += memory[i * 41 + j] * problem.q[row + i];
        }
        double expected = problem.w[AT + t] * (near * problem.v[row + j] + read);
        assertEquals(expected, result.o[row + j], 3e-5, "token " + t);
      }
    }
  }

  private record Result(float[] o, float[] memory) {}

  /** Rows of tokens that are further apart than they are long, and another memory. */
  private static final class Problem {

    final Shape shape;
    final int tokens;
    final int stride;
    final float[] q;
    final float[] k;
    final float[] v;
    final float[] w;
    final float[] other;

    Problem(int keyDim, int valueDim, int tokens) {
      var random = new SplittableRandom(keyDim * 1000L + valueDim);
      this.shape = new Shape(keyDim, valueDim);
      this.tokens = tokens;
      this.stride = Math.max(keyDim, valueDim) + 3;
      this.q = rows(random, keyDim);
      this.k = rows(random, keyDim);
      this.v = rows(random, valueDim);
      this.w = Guarded.normal(random, tokens);
      this.other = Guarded.normal(random, keyDim * valueDim);
    }

    private float[] rows(SplittableRandom random, int dim) {
      float[] data = Guarded.poisoned(tokens * stride);
      for (int t = 0; t < tokens; t++) {
        for (int i = 0; i < dim; i++) {
          data[AT + t * stride + i] = (float) random.nextGaussian();
        }
      }
      return data;
    }

    private Rows rows(float[] data, int t) {
      return new Rows(data, AT + t * stride, stride);
    }

    /** The first token is written and the other memory added; all tokens read, some at a time. */
    Result run(Kernels kernels, int piece) {
      float[] o = Guarded.poisoned(tokens * stride);
      float[] after = new float[other.length];
      var levels = kernels.levels();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment memory = arena.allocate(4L * other.length);
        MemorySegment.copy(
            MemorySegment.ofArray(Guarded.poisoned(other.length - 2 * AT)),
            0,
            memory,
            0,
            memory.byteSize());
        MemorySegment merged = arena.allocate(4L * other.length);
        MemorySegment.copy(MemorySegment.ofArray(other), 0, merged, 0, merged.byteSize());
        levels.write(shape, k, AT, v, AT, memory, 4L * AT);
        levels.merge(shape, 0.75f, merged, 4L * AT, memory, 4L * AT);
        for (int t = 0; t < tokens; t += piece) {
          int count = Math.min(piece, tokens - t);
          Rows scale = new Rows(w, AT + t, 1);
          levels.meet(shape, count, rows(q, t), rows(k, t), rows(v, t), scale, rows(o, t));
          levels.read(shape, count, rows(q, t), scale, memory, 4L * AT, rows(o, t));
        }
        MemorySegment.copy(memory, 0, MemorySegment.ofArray(after), 0, memory.byteSize());
      }
      return new Result(o, after);
    }
  }
}
