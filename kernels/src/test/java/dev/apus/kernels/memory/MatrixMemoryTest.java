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
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MatrixMemoryTest {

  private static final boolean[] FORMS = {false, true};

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
  void agreesWithTheDefinitionInBothForms(Shape shape) {
    assumeTrue(VectorApi.isPresent());
    for (boolean chunked : FORMS) {
      for (int tokens : new int[] {1, 3, 4, 11}) {
        var problem = new MemoryProblem(shape, tokens);
        Result expected = problem.run(new ScalarMatrixMemory(chunked), tokens);
        Result actual = problem.run(new VectorMatrixMemory(chunked), tokens);
        assertSameBits(expected.o(), actual.o(), shape + ", " + tokens + " tokens");
        assertArrayEquals(expected.state(), actual.state(), shape + ": the memory");
      }
    }
  }

  @ParameterizedTest
  @MethodSource("rules")
  void bothFormsFollowTheFormula(Shape shape) {
    int tokens = 101;
    var problem = new MemoryProblem(shape, tokens);
    MemoryProblem.Exact exact = problem.exact();
    double tolerance = problem.growth() * tokens * (shape.keyDim() + 4) * 0x1p-23 * exact.reach();
    assertTrue(tolerance < 0.01 * exact.reach(), "the tolerance says something");
    for (boolean chunked : FORMS) {
      Result result = problem.run(new ScalarMatrixMemory(chunked), tokens);
      assertGuardsHold(result.o());
      for (int t = 0; t < tokens; t++) {
        for (int j = 0; j < shape.valueDim(); j++) {
          float actual = result.o()[AT + t * problem.valueStride() + j];
          assertEquals(exact.o()[t][j], actual, tolerance, "o[" + t + "][" + j + "]");
        }
      }
      for (int i = 0; i < exact.state().length; i++) {
        assertEquals(exact.state()[i], result.state()[1 + i], tolerance, "S[" + i + "]");
      }
    }
  }

  @ParameterizedTest
  @MethodSource("rules")
  void theRecurrentFormMayBeCutAnywhere(Shape shape) {
    int tokens = 7;
    var problem = new MemoryProblem(shape, tokens);
    var memory = new ScalarMatrixMemory(false);
    Result whole = problem.run(memory, tokens);
    for (int cut = 1; cut < tokens; cut++) {
      Result parts = problem.run(memory, cut);
      assertSameBits(whole.o(), parts.o(), "cut at " + cut);
      assertArrayEquals(whole.state(), parts.state(), "cut at " + cut);
    }
  }

  @ParameterizedTest
  @MethodSource("rules")
  void cutsOfTheChosenFormShowInRoundingOnly(Shape shape) {
    int tokens = 23;
    var problem = new MemoryProblem(shape, tokens);
    double growth = problem.growth();
    double tolerance =
        2 * growth * tokens * (shape.keyDim() + 4) * 0x1p-23 * problem.exact().reach();
    Result whole = problem.run(new ScalarMatrixMemory(), tokens);
    for (int cut = 1; cut < tokens; cut++) {
      Result parts = problem.run(new ScalarMatrixMemory(), cut);
      for (int i = 0; i < whole.state().length; i++) {
        assertEquals(whole.state()[i], parts.state()[i], tolerance, "cut at " + cut);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("rules")
  void cutsAtTheGrainDoNotShow(Shape shape) {
    int tokens = 23;
    var problem = new MemoryProblem(shape, tokens);
    Result whole = problem.run(new ScalarMatrixMemory(), tokens);
    for (int cut = 0; cut < tokens; cut += MatrixMemory.SHORTEST_CHUNKED) {
      Result parts = problem.run(new ScalarMatrixMemory(), cut);
      assertSameBits(whole.o(), parts.o(), "cut at " + cut);
      assertArrayEquals(whole.state(), parts.state(), "cut at " + cut);
    }
  }

  @ParameterizedTest
  @MethodSource("rules")
  void aMemoryThatForgetsEverythingHoldsTheLastTokenOnly(Shape shape) {
    assumeTrue(shape.decay() != Decay.NONE);
    for (boolean chunked : FORMS) {
      var problem = new MemoryProblem(shape, 8);
      problem.setDecays(0);
      Result result = problem.run(new ScalarMatrixMemory(chunked), 8);
      MemoryProblem.Exact exact = problem.exact();
      for (int i = 0; i < exact.state().length; i++) {
        assertEquals(exact.state()[i], result.state()[1 + i], 1e-6, "S[" + i + "]");
      }
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
