package dev.apus.kernels.attention;

import static dev.apus.kernels.Guarded.AT;
import static dev.apus.kernels.Guarded.assertGuardsHold;
import static dev.apus.kernels.Guarded.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.VectorApi;
import dev.apus.kernels.attention.Attention.Visited;
import dev.apus.kernels.attention.AttentionProblem.Case;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class AttentionTest {

  /** Every kind of visibility, with few and many rows, at odd and even shapes. */
  static Stream<Case> cases() {
    List<Case> cases = new ArrayList<>();
    int[] sizes = {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100};
    for (int i = 0; i < sizes.length; i++) {
      int valueDim = sizes[sizes.length - 1 - i];
      cases.add(new Case(sizes[i], valueDim, 1 + i % 6, 3, 40, causal(0, 0, 43)));
    }
    cases.add(new Case(24, 24, 4, 1, 0, causal(0, 0, 1)));
    cases.add(new Case(24, 33, 4, 1, 300, causal(0, 0, 301)));
    cases.add(new Case(24, 40, 1, 12, 505, causal(0, 0, 517)));
    cases.add(new Case(24, 40, 2, 5, 700, causal(450, 0, 705)));
    cases.add(new Case(24, 40, 2, 40, 240, causal(5, 0, 280)));
    cases.add(new Case(24, 40, 1, 40, 240, everywhere(9, 0, 300)));
    cases.add(new Case(24, 40, 3, 3, 900, causal(0, 250, 260, 600, 601, 767, 770)));
    cases.add(new Case(130, 96, 9, 2, 258, causal(0, 0, 260)));
    cases.add(new Case(257, 24, 2, 2, 20, causal(0, 0, 22)));
    cases.add(new Case(24, 64, 2, 70, 0, causal(0, 0, 70)));
    cases.add(new Case(24, 64, 3, 20, 50, causal(7, 0, 70)));
    cases.add(new Case(24, 64, 3, 20, 50, causal(1, 0, 70)));
    cases.add(new Case(24, 24, 2, 20, 10, everywhere(0, 0, 50)));
    cases.add(new Case(24, 24, 2, 20, 10, everywhere(9, 0, 50)));
    cases.add(new Case(24, 40, 4, 9, 100, causal(0, 0, 3, 5, 9, 14, 34, 48, 64, 97, 109)));
    cases.add(new Case(24, 40, 5, 9, 100, causal(30, 0, 3, 64, 96, 98, 109)));
    cases.add(new Case(24, 40, 2, 3, 10, causal(0)));
    cases.add(new Case(24, 40, 2, 30, 10, causal(0, 20, 40)));
    return cases.stream();
  }

  private static Visited causal(int window, int... ranges) {
    return new Visited(ranges, ranges.length / 2, true, window);
  }

  private static Visited everywhere(int window, int... ranges) {
    return new Visited(ranges, ranges.length / 2, false, window);
  }

  /** A case without, and with each of, softcap, slopes, sinks and levels. */
  private static List<AttentionProblem> problems(Case shape) {
    List<AttentionProblem> problems = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      problems.add(new AttentionProblem(shape));
    }
    problems.get(1).softcap(2);
    problems.get(2).incline();
    problems.get(3).sink(0.7f);
    problems.get(4).sink(100);
    problems.get(4).softcap(5);
    problems.get(4).incline();
    problems.get(5).forget();
    problems.get(6).forget();
    problems.get(6).softcap(3);
    problems.get(6).incline();
    return problems;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void agreesWithTheDefinition(Case shape) {
    for (CacheFormat format : CacheFormat.values()) {
      Attention scalar = Kernels.scalar().attention(format);
      Attention vector = VectorApi.kernels().attention(format);
      for (AttentionProblem problem : problems(shape)) {
        assertSameBits(problem.run(scalar), problem.run(vector), format + ", " + shape);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void followsTheFormula(Case shape) {
    for (AttentionProblem problem : problems(shape)) {
      float[] out = problem.run(Kernels.scalar().attention(CacheFormat.F32));
      assertGuardsHold(out);
      for (int row = 0; row < shape.rows(); row++) {
        for (int g = 0; g < shape.group(); g++) {
          double[] exact = problem.exact(row, g);
          double tolerance = problem.tolerance(row, g);
          int at = AT + row * problem.resultStride() + g * shape.valueDim();
          for (int j = 0; j < exact.length; j++) {
            assertEquals(exact[j], out[at + j], tolerance, "row " + row + ", head " + g);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void weightsAreThoseOfTheFormula(Case shape) {
    for (AttentionProblem problem : problems(shape)) {
      float[] weights = problem.runWeights(Kernels.scalar().attention(CacheFormat.F32));
      assertGuardsHold(weights);
      int queries = shape.rows() * shape.group();
      for (int i = 0; i < queries; i++) {
        double[] exact = problem.exactWeights(i / shape.group(), i % shape.group());
        double reach = problem.tolerance(i / shape.group(), i % shape.group());
        for (int slot = 0; slot < exact.length; slot++) {
          int at = AT + (slot / Attention.SPAN * queries + i) * Attention.SPAN;
          // The tolerance is that of sums of values, which reach farther than 1.
          assertEquals(exact[slot], weights[at + slot % Attention.SPAN], Math.max(1e-6, reach));
        }
      }
      for (CacheFormat format : CacheFormat.values()) {
        assertSameBits(
            problem.runWeights(Kernels.scalar().attention(format)),
            problem.runWeights(VectorApi.kernels().attention(format)),
            shape.toString());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aCacheOfHalfTheSizeHoldsRoundedValues(Case shape) {
    for (Kernels kernels : VectorApi.sets().toList()) {
      for (AttentionProblem problem : problems(shape)) {
        float[] halves = problem.run(kernels.attention(CacheFormat.BF16));
        problem.round();
        float[] rounded = problem.run(kernels.attention(CacheFormat.F32));
        assertSameBits(rounded, halves, kernels.name());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aRowSeesWhatHasSettledBeforeItsSpan(Case shape) {
    for (Kernels kernels : VectorApi.sets().toList()) {
      for (CacheFormat format : List.of(CacheFormat.Q8, CacheFormat.Q4)) {
        Attention settling = kernels.attention(format);
        for (int kind : new int[] {0, 4}) {
          AttentionProblem problem = problems(shape).get(kind);
          float[] out = problem.run(settling);
          for (int row = 0; row < shape.rows(); row += 1 + row / 3 * 5) {
            AttentionProblem alone = problems(shape).get(kind);
            alone.settle(settling, shape.position() + row);
            float[] exact = alone.run(kernels.attention(CacheFormat.F32));
            int at = AT + row * problem.resultStride();
            int end = at + problem.resultStride();
            assertSameBits(
                Arrays.copyOfRange(exact, at, end), Arrays.copyOfRange(out, at, end), "row " + row);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void spansMayBeComputedApart(Case shape) {
    for (Kernels kernels : VectorApi.sets().toList()) {
      for (AttentionProblem problem : problems(shape)) {
        for (CacheFormat format : CacheFormat.values()) {
          Attention attention = kernels.attention(format);
          assertSameBits(problem.run(attention), problem.runSpans(attention), kernels.name());
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void rowsTogetherAreRowsAlone(Case shape) {
    for (Kernels kernels : VectorApi.sets().toList()) {
      for (AttentionProblem problem : problems(shape)) {
        for (CacheFormat format : List.of(CacheFormat.F32, CacheFormat.Q4)) {
          float[] together = problem.run(kernels.attention(format));
          for (int rows : new int[] {1, 2, 5, 11}) {
            float[] apart = problem.run(kernels.attention(format), shape.visited(), rows);
            assertSameBits(together, apart, kernels.name() + ", " + rows + " rows a call");
          }
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 0, 70",
    "5, 2, 3, 3, 3",
    "24, 1, 1, 0, 31",
    "24, 16, 1, 17, 300",
    "24, 3, 20, 255, 257",
    "33, 2, 5, 40, 600",
    "130, 1, 9, 511, 513"
  })
  void scoresAreProductsWithKeys(int headDim, int group, int rows, int from, int to) {
    var shape = new Case(headDim, 1, group, rows, 5, everywhere(0, 0, 700));
    var problem = new AttentionProblem(shape);
    float[] scalar = problem.runScores(Kernels.scalar().attention(CacheFormat.F32), from, to);
    assertGuardsHold(scalar);
    int stride = (scalar.length - 2 * AT) / (rows * group);
    for (int i = 0; i < rows * group; i++) {
      for (int slot = from; slot < to; slot++) {
        double exact = problem.score(i / group, i % group, slot);
        double tolerance = (headDim + 4) * 0x1p-23 * problem.reach(i / group, i % group, slot);
        assertEquals(exact, scalar[AT + i * stride + slot - from], tolerance);
      }
      for (int gap = to - from; gap < stride; gap++) {
        assertTrue(Float.isNaN(scalar[AT + i * stride + gap]));
      }
    }
    Attention vector = VectorApi.kernels().attention(CacheFormat.F32);
    assertSameBits(scalar, problem.runScores(vector, from, to), shape.toString());
    float[] halves = problem.runScores(VectorApi.kernels().attention(CacheFormat.BF16), from, to);
    problem.round();
    assertSameBits(problem.runScores(vector, from, to), halves, "in half the size");
    for (CacheFormat format : List.of(CacheFormat.Q8, CacheFormat.Q4)) {
      assertSameBits(
          problem.runScores(Kernels.scalar().attention(format), from, to),
          problem.runScores(VectorApi.kernels().attention(format), from, to),
          format.name());
    }
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void howTheVisitedSlotsAreCutIntoRangesLeavesNoTrace(Kernels kernels) {
    var problem = new AttentionProblem(new Case(20, 20, 3, 4, 66, causal(0, 0, 70)));
    float[] whole = problem.run(kernels.attention(CacheFormat.F32));
    Visited parts = causal(0, 0, 1, 1, 16, 16, 30, 30, 31, 31, 64, 64, 70);
    assertSameBits(
        whole, problem.run(kernels.attention(CacheFormat.F32), parts, 4), "in six ranges");
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void aRowThatSeesNothingIsZero(Kernels kernels) {
    var problem = new AttentionProblem(new Case(20, 21, 3, 4, 10, causal(0, 12, 14)));
    problem.sink(1);
    float[] out = problem.run(kernels.attention(CacheFormat.F32));
    for (int row = 0; row < 4; row++) {
      for (int j = 0; j < 3 * 21; j++) {
        float value = out[AT + row * problem.resultStride() + j];
        assertTrue(Float.isFinite(value));
        assertEquals(row < 2, value == 0, "row " + row);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void aScoreFarAboveTheOthersTakesAll(Kernels kernels) {
    var problem = new AttentionProblem(new Case(20, 20, 4, 1, 69, causal(0, 0, 70)));
    Arrays.fill(problem.q, AT, AT + 80, 30);
    Arrays.fill(problem.k, AT, AT + 70 * 20, 0);
    Arrays.fill(problem.k, AT + 5 * 20, AT + 6 * 20, 56);
    Arrays.fill(problem.k, AT + 60 * 20, AT + 61 * 20, -56);
    float[] out = problem.run(kernels.attention(CacheFormat.F32));
    for (int j = 0; j < 20; j++) {
      assertEquals(problem.v[AT + 5 * 20 + j], out[AT + j], 1e-6f, "the score of 1e4 takes all");
    }
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void equalScoresGiveTheMean(Kernels kernels) {
    var problem = new AttentionProblem(new Case(20, 20, 4, 1, 69, causal(0, 0, 70)));
    Arrays.fill(problem.k, AT, AT + 70 * 20, -50);
    float[] out = problem.run(kernels.attention(CacheFormat.F32));
    for (int j = 0; j < 20; j++) {
      double sum = 0;
      for (int slot = 0; slot < 70; slot++) {
        sum += problem.v[AT + slot * 20 + j];
      }
      assertEquals(sum / 70, out[AT + j], 1e-5);
    }
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void aWindowOfOneGivesTheRowsOwnValue(Kernels kernels) {
    var problem = new AttentionProblem(new Case(20, 20, 2, 5, 30, causal(1, 0, 35)));
    float[] out = problem.run(kernels.attention(CacheFormat.F32));
    for (int row = 0; row < 5; row++) {
      for (int j = 0; j < 20; j++) {
        float value = problem.v[AT + (30 + row) * 20 + j];
        assertEquals(value, out[AT + row * problem.resultStride() + j]);
      }
    }
  }
}
