package dev.apus.kernels.memory;

import static dev.apus.kernels.Guarded.AT;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.apus.kernels.Guarded;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.memory.MatrixMemory.Shape;
import dev.apus.kernels.memory.MatrixMemory.Write;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Random inputs of a memory with keys and queries of length 1, decays e^−softplus of a normal
 * number, and β in [0, 2]; its answers in double precision.
 */
final class MemoryProblem {

  /** Rows are further apart than they are long. */
  private static final int GAP = 3;

  record Result(float[] o, float[] state) {}

  /**
   * @param reach greatest length of a column of the memory at any time, plus the greatest value
   */
  record Exact(double[][] o, double[] state, double reach) {}

  private final Shape shape;
  private final int tokens;
  private final float[] q;
  private final float[] k;
  private final float[] v;
  private final float[] decay;
  private final float[] beta;
  private final float[] state;

  MemoryProblem(Shape shape, int tokens) {
    var random = new SplittableRandom(31L * shape.keyDim() + shape.valueDim() + 1000L * tokens);
    this.shape = shape;
    this.tokens = tokens;
    this.q = unitRows(random);
    this.k = unitRows(random);
    this.v = Guarded.normal(random, tokens * valueStride());
    this.decay = Guarded.poisoned(tokens * keyStride());
    this.beta = Guarded.uniform(random, tokens, 0, 2);
    this.state = new float[shape.keyDim() * shape.valueDim()];
    for (int i = AT; i < AT + tokens * keyStride(); i++) {
      decay[i] = (float) Math.exp(-Math.log1p(Math.exp(random.nextGaussian() - 2)));
    }
    for (int i = 0; i < state.length; i++) {
      state[i] = random.nextFloat(-1, 1);
    }
  }

  void setDecays(float value) {
    Arrays.fill(decay, AT, AT + tokens * keyStride(), value);
  }

  int valueStride() {
    return shape.valueDim() + GAP;
  }

  /** Takes the memory, at byte 4 of its segment, through the tokens in two runs. */
  Result run(MatrixMemory memory, int cut) {
    try (Arena arena = Arena.ofConfined()) {
      float[] o = Guarded.poisoned(tokens * valueStride());
      MemorySegment segment = arena.allocate(4 * (state.length + 2L));
      segment.fill((byte) -1);
      MemorySegment.copy(state, 0, segment, JAVA_FLOAT, 4, state.length);
      advance(memory, 0, cut, segment, o);
      advance(memory, cut, tokens, segment, o);
      return new Result(o, segment.toArray(JAVA_FLOAT));
    }
  }

  /** The memory after all tokens, over and over. */
  float[] stateAfter(MatrixMemory memory, int rounds) {
    try (Arena arena = Arena.ofConfined()) {
      float[] o = Guarded.poisoned(tokens * valueStride());
      MemorySegment segment = arena.allocate(4 * (state.length + 2L));
      MemorySegment.copy(state, 0, segment, JAVA_FLOAT, 4, state.length);
      for (int round = 0; round < rounds; round++) {
        advance(memory, 0, tokens, segment, o);
      }
      return Arrays.copyOfRange(segment.toArray(JAVA_FLOAT), 1, 1 + state.length);
    }
  }

  private void advance(MatrixMemory memory, int from, int to, MemorySegment segment, float[] o) {
    Rows decays =
        switch (shape.decay()) {
          case NONE -> null;
          case SCALAR -> new Rows(decay, AT + from, 1);
          case PER_KEY -> rows(decay, from, keyStride());
        };
    memory.advance(
        shape,
        to - from,
        rows(q, from, keyStride()),
        rows(k, from, keyStride()),
        rows(v, from, valueStride()),
        decays,
        shape.write() == Write.DELTA ? rows(beta, from, 1) : null,
        segment,
        4,
        rows(o, from, valueStride()),
        new float[memory.scratchFloats(shape)]);
  }

  Exact exact() {
    double[] s = exactState();
    double[][] o = new double[tokens][shape.valueDim()];
    double reach = step(s, o);
    return new Exact(o, s, reach);
  }

  double[] exactAfter(int rounds) {
    double[] s = exactState();
    for (int round = 0; round < rounds; round++) {
      step(s, new double[tokens][shape.valueDim()]);
    }
    return s;
  }

  private double[] exactState() {
    double[] s = new double[state.length];
    for (int i = 0; i < s.length; i++) {
      s[i] = state[i];
    }
    return s;
  }

  /** The formula, token by token; returns the reach. */
  private double step(double[] s, double[][] o) {
    int n = shape.valueDim();
    double longest = 0;
    double greatest = 0;
    for (int t = 0; t < tokens; t++) {
      for (int j = 0; j < n; j++) {
        double held = 0;
        for (int i = 0; i < shape.keyDim(); i++) {
          s[i * n + j] *= factor(t, i);
          held += s[i * n + j] * k[AT + t * keyStride() + i];
        }
        double value = v[AT + t * valueStride() + j];
        double u = shape.write() == Write.ADD ? value : beta[AT + t] * (value - held);
        double squares = 0;
        for (int i = 0; i < shape.keyDim(); i++) {
          s[i * n + j] += k[AT + t * keyStride() + i] * u;
          o[t][j] += s[i * n + j] * q[AT + t * keyStride() + i];
          squares += s[i * n + j] * s[i * n + j];
        }
        longest = Math.max(longest, Math.sqrt(squares));
        greatest = Math.max(greatest, Math.abs(value));
      }
    }
    return longest + greatest;
  }

  private double factor(int t, int i) {
    return switch (shape.decay()) {
      case NONE -> 1;
      case SCALAR -> decay[AT + t];
      case PER_KEY -> decay[AT + t * keyStride() + i];
    };
  }

  private int keyStride() {
    return shape.keyDim() + GAP;
  }

  private static Rows rows(float[] data, int from, int stride) {
    return new Rows(data, AT + from * stride, stride);
  }

  private float[] unitRows(SplittableRandom random) {
    float[] data = Guarded.normal(random, tokens * keyStride());
    for (int t = 0; t < tokens; t++) {
      int at = AT + t * keyStride();
      double squares = 0;
      for (int i = at; i < at + shape.keyDim(); i++) {
        squares += (double) data[i] * data[i];
      }
      for (int i = at; i < at + shape.keyDim(); i++) {
        data[i] = (float) (data[i] / Math.sqrt(squares));
      }
    }
    return data;
  }
}
