package dev.apus.kernels.memory;

import static dev.apus.kernels.Guarded.AT;
import static dev.apus.kernels.Guarded.assertGuardsHold;
import static dev.apus.kernels.Guarded.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.apus.kernels.VectorApi;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Read;
import dev.apus.kernels.memory.MatrixMemory.Shape;
import dev.apus.kernels.memory.MatrixMemory.Write;
import dev.apus.kernels.memory.MemoryProblem.Result;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MatrixMemoryTest {

  /** Every rule with a small shape. */
  static Stream<Shape> rules() {
    return Stream.of(Decay.values())
        .flatMap(
            d ->
                Stream.of(Write.values())
                    .flatMap(w -> Stream.of(Read.values()).map(r -> new Shape(17, 24, d, w, r))));
  }

  static Stream<Shape> shapes() {
    List<Shape> shapes = new ArrayList<>(rules().toList());
    int[] sizes = {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100};
    for (int size : sizes) {
      shapes.add(new Shape(5, size, Decay.PER_KEY, Write.DELTA));
      shapes.add(new Shape(size, 24, Decay.SCALAR, Write.DELTA));
      shapes.add(new Shape(5, size, Decay.PER_VALUE, Write.FEEDBACK, Read.BEFORE));
      shapes.add(new Shape(size, 24, Decay.PER_KEY, Write.ERASE));
    }
    shapes.add(new Shape(128, 128, Decay.SCALAR, Write.DELTA));
    return shapes.stream();
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void agreesWithTheDefinition(Shape shape) {
    assumeTrue(VectorApi.isPresent());
    for (int tokens : new int[] {1, 3, 4, 11}) {
      var problem = new MemoryProblem(shape, tokens);
      for (int cut = 0; cut < tokens; cut++) {
        Result expected = problem.run(new ScalarMatrixMemory(), cut);
        Result actual = problem.run(new VectorMatrixMemory(), cut);
        assertSameBits(expected.o(), actual.o(), shape + ", cut at " + cut + " of " + tokens);
        assertArrayEquals(expected.state(), actual.state(), shape + ": the memory");
      }
    }
  }

  @ParameterizedTest
  @MethodSource("rules")
  void followsTheFormula(Shape shape) {
    int tokens = 100;
    var problem = new MemoryProblem(shape, tokens);
    MemoryProblem.Exact exact = problem.exact();
    double tolerance = problem.growth() * tokens * (shape.keyDim() + 4) * 0x1p-23 * exact.reach();
    assertTrue(tolerance < 0.01 * exact.reach(), "the tolerance says something");
    Result result = problem.run(new ScalarMatrixMemory(), tokens);
    assertGuardsHold(result.o());
    for (int t = 0; t < tokens; t++) {
      for (int j = 0; j < shape.valueDim(); j++) {
        float actual = result.o()[AT + t * problem.valueStride() + j];
        assertEquals(exact.o()[t][j], actual, tolerance, "o[" + t + "][" + j + "]");
      }
    }
    float[] state = problem.stateAfter(new ScalarMatrixMemory(), 1);
    for (int i = 0; i < exact.state().length; i++) {
      assertEquals(exact.state()[i], state[i], tolerance, "S[" + i + "]");
    }
  }

  @ParameterizedTest
  @MethodSource("rules")
  void answersMayLieWhereValuesWere(Shape shape) {
    int tokens = 11;
    var problem = new MemoryProblem(shape, tokens);
    float[] expected = problem.run(new ScalarMatrixMemory(), tokens).o();
    float[] actual = problem.inPlace(new ScalarMatrixMemory());
    for (int t = 0; t < tokens; t++) {
      int at = AT + t * problem.valueStride();
      int end = at + shape.valueDim();
      assertArrayEquals(Arrays.copyOfRange(expected, at, end), Arrays.copyOfRange(actual, at, end));
    }
  }

  @ParameterizedTest
  @MethodSource("rules")
  void cutsDoNotShow(Shape shape) {
    int tokens = 23;
    var problem = new MemoryProblem(shape, tokens);
    Result whole = problem.run(new ScalarMatrixMemory(), tokens);
    for (int cut = 0; cut < tokens; cut++) {
      Result parts = problem.run(new ScalarMatrixMemory(), cut);
      assertSameBits(whole.o(), parts.o(), "cut at " + cut);
      assertArrayEquals(problem.matrix(whole), problem.matrix(parts), "cut at " + cut);
    }
  }

  @ParameterizedTest
  @MethodSource("rules")
  void countingIsEnoughToGoBackToWhatTheMatrixDoesNotHold(Shape shape) {
    int tokens = 13;
    var problem = new MemoryProblem(shape, tokens);
    Result whole = problem.run(new ScalarMatrixMemory(), tokens);
    int chunk = shape.write() == Write.ERASE ? 2 : 4;
    int back = 0;
    for (int cut = 0; cut < tokens; cut++) {
      for (int more = 1; more <= Math.min(chunk, tokens - cut); more++) {
        // The matrix holds whole chunks of those before the last token.
        boolean enough = (cut + more - 1) / chunk * chunk <= cut;
        Result parts = problem.run(new ScalarMatrixMemory(), cut, more);
        assertEquals(enough, parts != null, more + " tokens after " + cut);
        if (enough) {
          assertSameBits(whole.o(), parts.o(), more + " tokens after " + cut);
          back++;
        }
      }
    }
    assertTrue(back >= tokens, "one token can always be taken back");
  }

  @ParameterizedTest
  @MethodSource("rules")
  void aMemoryThatForgetsEverythingHoldsTheLastTokenOnly(Shape shape) {
    assumeTrue(shape.decay() != Decay.NONE);
    var problem = new MemoryProblem(shape, 8);
    problem.setDecays(0);
    float[] state = problem.stateAfter(new ScalarMatrixMemory(), 1);
    MemoryProblem.Exact exact = problem.exact();
    for (int i = 0; i < exact.state().length; i++) {
      assertEquals(exact.state()[i], state[i], 1e-6, "S[" + i + "]");
    }
  }

  @Test
  void aMatrixAloneIsWrittenTo() {
    assumeTrue(VectorApi.isPresent());
    for (int valueDim : new int[] {1, 15, 16, 24, 100}) {
      var problem = new MemoryProblem(new Shape(5, valueDim, Decay.SCALAR, Write.ADD), 1);
      float[] expected = problem.written(0.9f);
      assertArrayEquals(expected, problem.written(new ScalarMatrixMemory(), 0.9f));
      assertArrayEquals(expected, problem.written(new VectorMatrixMemory(), 0.9f));
    }
  }

  @ParameterizedTest
  @MethodSource("rules")
  void staysFiniteOverAMillionTokensWithoutDecay(Shape rule) {
    assumeTrue(rule.equals(new Shape(17, 24, Decay.SCALAR, Write.DELTA)));
    Shape shape = new Shape(4, 5, rule.decay(), rule.write());
    int tokens = 1000;
    var problem = new MemoryProblem(shape, tokens);
    problem.setDecays(1);
    double reach = problem.exact().reach();
    double[] exact = problem.exactAfter(1000);
    double tolerance = 1e6 * (shape.keyDim() + 4) * 0x1p-23 * reach;
    float[] state = problem.stateAfter(new ScalarMatrixMemory(), 1000);
    for (int i = 0; i < exact.length; i++) {
      assertTrue(Float.isFinite(state[i]));
      assertEquals(exact[i], state[i], tolerance);
      // Without growth, errors cancel: far from the worst case, the memory stays close.
      assertEquals(exact[i], state[i], 1e-4 * reach);
    }
  }
}
