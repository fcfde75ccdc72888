package dev.apus.kernels.scan;

import static dev.apus.kernels.Guarded.AT;
import static dev.apus.kernels.Guarded.assertGuardsHold;
import static dev.apus.kernels.Guarded.assertSameBits;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.kernels.Guarded;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.VectorApi;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.scan.SelectiveScan.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SelectiveScanTest {

  private static final double ULP = 0x1p-24;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100})
  void agreesWithTheDefinition(int channels) {
    Kernels vector = VectorApi.kernels();
    for (int stateSize : new int[] {1, 2, 16, 19}) {
      for (int form = 0; form < 4; form++) {
        var problem = new Problem(new Shape(stateSize, channels), 6, form % 2 == 0, form > 1);
        var expected = problem.run(Kernels.scalar(), 6);
        var actual = problem.run(vector, 6);
        assertSameBits(expected.y, actual.y, problem.shape.toString());
        assertArrayEquals(expected.state, actual.state, problem.shape + ": the state");
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void followsTheFormula(Kernels kernels) {
    int tokens = 101;
    for (boolean implicit : new boolean[] {false, true}) {
      var problem = new Problem(new Shape(16, 37), tokens, true, implicit);
      var result = problem.run(kernels, tokens);
      assertGuardsHold(result.y);
      for (int i = 0; i < problem.shape.channels(); i++) {
        problem.assertChannel(i, result);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void aSequenceMayBeCutAnywhereAndWorksInPlace(Kernels kernels) {
    int tokens = 7;
    var problem = new Problem(new Shape(5, 37), tokens, true, false);
    var whole = problem.run(kernels, tokens);
    for (int cut = 1; cut < tokens; cut++) {
      var parts = problem.run(kernels, cut);
      assertSameBits(whole.y, parts.y, "cut at " + cut);
      assertArrayEquals(whole.state, parts.state, "cut at " + cut + ": the state");
    }
    var beside = problem.runBeside(kernels);
    assertSameBits(whole.y, beside.y, "not in place");
  }

  /** A step so long that nothing is left, and one so short that nothing changes. */
  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void stepsOfAnyLengthGiveTheLimits(Kernels kernels) {
    var shape = new Shape(3, 20);
    var frozen = new Problem(shape, 4, true, false);
    frozen.setSteps(0);
    float[] held = frozen.run(kernels, 4).state;
    assertArrayEquals(frozen.state, Arrays.copyOfRange(held, 1, 1 + frozen.state.length));
    var forgotten = new Problem(shape, 1, true, false);
    forgotten.setSteps(1e30f);
    float[] last = forgotten.run(kernels, 1).state;
    for (int n = 0; n < shape.stateSize(); n++) {
      for (int i = 0; i < shape.channels(); i++) {
        float written = 1e30f * forgotten.x[AT + i] * forgotten.b[AT + n];
        assertEquals(written, last[1 + n * shape.channels() + i]);
      }
    }
  }

  private record Result(float[] y, float[] state) {}

  /** Random inputs, the rows further apart than they are long; rates and steps as models have. */
  private static final class Problem {
    final Shape shape;
    final int tokens;
    final int stride;
    final int narrow;
    final float[] a;
    final float[] d;
    final float[] x;
    final float[] delta;
    final float[] b;
    final float[] c;
    final float[] state;

    /**
     * @param implicit steps are then so short that {@code Δ B²} is below 1
     */
    Problem(Shape shape, int tokens, boolean direct, boolean implicit) {
      var random = new SplittableRandom(100L * shape.channels() + shape.stateSize());
      this.shape = shape;
      this.tokens = tokens;
      this.stride = shape.channels() + 3;
      this.narrow = shape.stateSize() + 2;
      this.a =
          implicit ? null : Guarded.uniform(random, shape.stateSize() * shape.channels(), -16, 0);
      this.d = direct ? Guarded.normal(random, shape.channels()) : null;
      this.x = rows(random, -2, 2, stride, shape.channels());
      this.delta = rows(random, 0, implicit ? 0.6f : 1, stride, shape.channels());
      this.b = rows(random, -2, 2, narrow, shape.stateSize());
      this.c = rows(random, -2, 2, narrow, shape.stateSize());
      this.state = new float[shape.stateSize() * shape.channels()];
      for (int i = 0; i < state.length; i++) {
        state[i] = random.nextFloat(-1, 1);
      }
      for (int i = AT; i < AT + tokens * stride; i++) {
        // most steps are short, some are long
        delta[i] *= delta[i] * delta[i];
      }
    }

    private float[] rows(SplittableRandom random, float low, float high, int stride, int length) {
      float[] data = Guarded.poisoned(tokens * stride);
      for (int t = 0; t < tokens; t++) {
        for (int i = 0; i < length; i++) {
          data[AT + t * stride + i] = random.nextFloat(low, high);
        }
      }
      return data;
    }

    void setSteps(float value) {
      Arrays.fill(delta, AT, AT + tokens * stride, value);
    }

    /** Scans in place, in two runs. */
    Result run(Kernels kernels, int cut) {
      try (Arena arena = Arena.ofConfined()) {
        float[] y = x.clone();
        MemorySegment memory = memory(arena);
        step(kernels, 0, cut, memory, y, y);
        step(kernels, cut, tokens, memory, y, y);
        return new Result(y, memory.toArray(JAVA_FLOAT));
      }
    }

    Result runBeside(Kernels kernels) {
      try (Arena arena = Arena.ofConfined()) {
        float[] y = Guarded.poisoned(tokens * stride);
        MemorySegment memory = memory(arena);
        step(kernels, 0, tokens, memory, x, y);
        return new Result(y, memory.toArray(JAVA_FLOAT));
      }
    }

    /** The state, at byte 4. */
    private MemorySegment memory(Arena arena) {
      MemorySegment memory = arena.allocate(4 * (state.length + 2L));
      memory.fill((byte) -1);
      MemorySegment.copy(state, 0, memory, JAVA_FLOAT, 4, state.length);
      return memory;
    }

    private void step(
        Kernels kernels, int from, int to, MemorySegment memory, float[] in, float[] y) {
      kernels
          .selectiveScan()
          .advance(
              shape,
              to - from,
              a,
              AT,
              d,
              AT,
              new Rows(in, AT + from * stride, stride),
              new Rows(delta, AT + from * stride, stride),
              new Rows(b, AT + from * narrow, narrow),
              new Rows(c, AT + from * narrow, narrow),
              memory,
              4,
              new Rows(y, AT + from * stride, stride));
    }

    /** Compares one channel with the formula in double precision. */
    void assertChannel(int i, Result result) {
      int size = shape.stateSize();
      double[] h = new double[size];
      double[] reach = new double[size];
      for (int n = 0; n < size; n++) {
        h[n] = state[n * shape.channels() + i];
        reach[n] = Math.abs(h[n]);
      }
      for (int t = 0; t < tokens; t++) {
        double step = delta[AT + t * stride + i];
        double in = x[AT + t * stride + i];
        double sum = d[AT + i] * in;
        double terms = Math.abs(sum);
        double tolerance = 0;
        for (int n = 0; n < size; n++) {
          double written = step * in * b[AT + t * narrow + n];
          double read = c[AT + t * narrow + n];
          double b2 = (double) b[AT + t * narrow + n] * b[AT + t * narrow + n];
          double decay =
              a == null ? 1 - step * b2 : Math.exp(step * a[AT + n * shape.channels() + i]);
          h[n] = decay * h[n] + written;
          reach[n] = Math.max(reach[n], Math.max(Math.abs(h[n]), Math.abs(written)));
          sum += read * h[n];
          terms += Math.abs(read * h[n]);
          tolerance += Math.abs(read) * 5 * (t + 1) * ULP * reach[n];
        }
        assertTrue(tolerance < 1e-2, "the tolerance says something");
        // One rounding for D x and one for each value that is read.
        assertEquals(
            sum, result.y[AT + t * stride + i], tolerance + (size + 1) * ULP * (terms + tolerance));
      }
      for (int n = 0; n < size; n++) {
        double tolerance = 5 * tokens * ULP * reach[n];
        assertEquals(h[n], result.state[1 + n * shape.channels() + i], tolerance, "h[" + n + "]");
      }
    }
  }
}
