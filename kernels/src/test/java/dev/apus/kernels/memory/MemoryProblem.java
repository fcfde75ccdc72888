package dev.apus.kernels.memory;

import static dev.apus.kernels.Guarded.AT;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.apus.kernels.Guarded;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Inputs;
import dev.apus.kernels.memory.MatrixMemory.Read;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.memory.MatrixMemory.Shape;
import dev.apus.kernels.memory.MatrixMemory.Write;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Random inputs of a memory with keys and queries of length 1, decays e^−softplus of a normal
 * number, β in [0, 2] and bonuses in [−1, 1]; what is taken away is so under a key that is the one
 * read with, shrunk value by value. With keys that have nothing to do with those read with,
 * memories grow: there, β is at most 1. Its answers in double precision.
 */
final class MemoryProblem {

  /** Rows are further apart than they are long. */
  private static final int GAP = 3;

  record Result(float[] o, float[] state) {}

  /**
   * @param reach greatest length of a column of the memory at any time, plus the greatest value
   */
  record Exact(double[][] o, double[] state, double reach) {}

  private static final int BONUS_AT = 2;

  private final Shape shape;
  private final int tokens;
  private final float[] q;
  private final float[] k;
  private final float[] v;
  private final float[] decay;
  private final float[] beta;
  private final float[] p;
  private final float[] e;
  private final float[] b;
  private final float[] state;

  MemoryProblem(Shape shape, int tokens) {
    var random = new SplittableRandom(31L * shape.keyDim() + shape.valueDim() + 1000L * tokens);
    this.shape = shape;
    this.tokens = tokens;
    this.q = unitRows(random);
    this.k = unitRows(random);
    this.v = Guarded.normal(random, tokens * valueStride());
    this.decay = Guarded.poisoned(tokens * decayStride());
    this.beta = Guarded.uniform(random, tokens, 0, shape.write() == Write.FEEDBACK ? 1 : 2);
    this.state = new float[shape.keyDim() * shape.valueDim()];
    for (int i = AT; i < AT + tokens * decayStride(); i++) {
      decay[i] = (float) Math.exp(-Math.log1p(Math.exp(random.nextGaussian() - 2)));
    }
    this.p = unitRows(random);
    this.e = p.clone();
    for (int i = AT; i < AT + tokens * keyStride(); i++) {
      e[i] *= random.nextFloat();
    }
    this.b = new float[BONUS_AT + shape.keyDim()];
    for (int i = 0; i < b.length; i++) {
      b[i] = random.nextFloat(-1, 1);
    }
    for (int i = 0; i < state.length; i++) {
      state[i] = random.nextFloat(-1, 1);
    }
  }

  void setDecays(float value) {
    Arrays.fill(decay, AT, AT + tokens * decayStride(), value);
  }

  int valueStride() {
    return shape.valueDim() + GAP;
  }

  /** Takes the memory, at byte 4 of its segment, through the tokens in two runs. */
  Result run(MatrixMemory memory, int cut) {
    return run(memory, cut, 0);
  }

  /**
   * The same, with a few tokens between the runs that are taken back by counting alone.
   *
   * @param more how many, of the last ones
   * @return null if the matrix would take in some of them
   */
  Result run(MatrixMemory memory, int cut, int more) {
    try (Arena arena = Arena.ofConfined()) {
      float[] o = Guarded.poisoned(tokens * valueStride());
      MemorySegment segment = begin(arena);
      advance(memory, 0, cut, segment, 0, o);
      if (MatrixMemory.held(shape, more, segment, 4, cut) > cut) {
        return null;
      }
      advance(memory, tokens - more, tokens, segment, cut, o);
      advance(memory, cut, tokens, segment, cut, o);
      return new Result(o, segment.toArray(JAVA_FLOAT));
    }
  }

  private MemorySegment begin(Arena arena) {
    MemorySegment segment = arena.allocate(4 * (MatrixMemory.floats(shape) + 2));
    segment.fill((byte) -1);
    MemorySegment.copy(state, 0, segment, JAVA_FLOAT, 4, state.length);
    new Pending(shape, segment, 4).hold(0);
    return segment;
  }

  /** The matrix of a result. */
  float[] matrix(Result result) {
    return Arrays.copyOfRange(result.state(), 1, 1 + state.length);
  }

  /** The matrix after all tokens, over and over. */
  float[] stateAfter(MatrixMemory memory, int rounds) {
    try (Arena arena = Arena.ofConfined()) {
      float[] o = Guarded.poisoned(tokens * valueStride());
      MemorySegment segment = begin(arena);
      for (int round = 0; round < rounds; round++) {
        advance(memory, 0, tokens, segment, round * tokens, o);
      }
      // Another token, for which the matrix takes in those before.
      advance(memory, 0, 1, segment, rounds * tokens, o);
      return Arrays.copyOfRange(segment.toArray(JAVA_FLOAT), 1, 1 + state.length);
    }
  }

  /** The answers where all tokens' values were. */
  float[] inPlace(MatrixMemory memory) {
    try (Arena arena = Arena.ofConfined()) {
      float[] o = v.clone();
      advance(memory, 0, tokens, begin(arena), 0, o, o);
      return o;
    }
  }

  private void advance(
      MatrixMemory memory, int from, int to, MemorySegment segment, int seen, float[] o) {
    advance(memory, from, to, segment, seen, v, o);
  }

  private void advance(
      MatrixMemory memory,
      int from,
      int to,
      MemorySegment segment,
      int seen,
      float[] values,
      float[] o) {
    if (from == to) {
      return;
    }
    Rows decays = shape.decay() == Decay.NONE ? null : rows(decay, from, decayStride());
    Write write = shape.write();
    Rows betas = write.scaled() ? rows(beta, from, 1) : null;
    var in =
        new Inputs(
            rows(q, from, keyStride()),
            rows(k, from, keyStride()),
            rows(values, from, valueStride()),
            decays,
            betas);
    if (write == Write.FEEDBACK || write == Write.ERASE) {
      Rows away = write == Write.ERASE ? rows(e, from, keyStride()) : null;
      in = in.erasing(rows(p, from, keyStride()), away);
    }
    if (shape.read() == Read.BEFORE) {
      in = in.bonus(new Rows(b, BONUS_AT, 0));
    }
    float[] scratch = new float[memory.scratchFloats(shape)];
    Arrays.fill(scratch, Float.NaN);
    Rows read = rows(o, from, valueStride());
    memory.advance(shape, to - from, in, segment, 4, seen, read, scratch);
  }

  /** The matrix when the first token has been written to it, and to nothing beside it. */
  float[] written(MatrixMemory memory, float kept) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment segment = begin(arena);
      memory.write(shape, kept, k, AT, v, AT, segment, 4);
      return Arrays.copyOfRange(segment.toArray(JAVA_FLOAT), 1, 1 + state.length);
    }
  }

  /** The same by the formula. */
  float[] written(float kept) {
    float[] s = state.clone();
    for (int i = 0; i < s.length; i++) {
      int row = i / shape.valueDim();
      s[i] = Math.fma(k[AT + row], v[AT + i % shape.valueDim()], kept * s[i]);
    }
    return s;
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
        double value = v[AT + t * valueStride() + j];
        double squares = 0;
        double[] column = new double[shape.keyDim()];
        for (int i = 0; i < column.length; i++) {
          column[i] = s[i * n + j];
        }
        o[t][j] = step(t, j, column, value);
        for (int i = 0; i < column.length; i++) {
          s[i * n + j] = column[i];
          squares += column[i] * column[i];
        }
        longest = Math.max(longest, Math.sqrt(squares));
        greatest = Math.max(greatest, Math.abs(value));
      }
    }
    return longest + greatest;
  }

  /** Takes a column past a token; returns what its query reads. */
  private double step(int t, int j, double[] s, double value) {
    double[] before = s.clone();
    for (int i = 0; i < s.length; i++) {
      s[i] *= factor(t, i, j);
    }
    double held = shape.write() == Write.DELTA ? dot(s, k, t) : dot(before, p, t);
    double u = shape.write().scaled() ? beta[AT + t] * (value - held) : value;
    double bonus = 0;
    for (int i = 0; i < s.length; i++) {
      int at = AT + t * keyStride() + i;
      if (shape.write() == Write.ERASE) {
        s[i] -= e[at] * held;
      }
      s[i] += k[at] * u;
      bonus += (double) q[at] * b[BONUS_AT + i] * k[at];
    }
    return shape.read() == Read.AFTER ? dot(s, q, t) : dot(before, q, t) + bonus * u;
  }

  private double dot(double[] column, float[] rows, int t) {
    double sum = 0;
    for (int i = 0; i < column.length; i++) {
      sum += column[i] * rows[AT + t * keyStride() + i];
    }
    return sum;
  }

  private double factor(int t, int i, int j) {
    int at = AT + t * decayStride();
    return switch (shape.decay()) {
      case NONE -> 1;
      case SCALAR -> decay[at];
      case PER_KEY -> decay[at + i];
      case PER_VALUE -> decay[at + j];
    };
  }

  /**
   * By how much an error in the memory can grow over some of the tokens: the greatest norm of a
   * product of their steps, bounded by those of its rows and columns. Decays of values, at most 1
   * for all of a column, are left out.
   */
  double growth() {
    double growth = 1;
    if (shape.write() == Write.ADD || shape.write() == Write.DELTA) {
      return growth;
    }
    for (int from = 0; from < tokens; from++) {
      double[][] product = new double[shape.keyDim()][shape.keyDim()];
      for (int i = 0; i < product.length; i++) {
        product[i][i] = 1;
      }
      for (int t = from; t < tokens; t++) {
        for (double[] column : product) {
          double held = dot(column, p, t);
          for (int i = 0; i < column.length; i++) {
            int at = AT + t * keyStride() + i;
            double away = shape.write() == Write.ERASE ? e[at] : (double) beta[AT + t] * k[at];
            double kept = shape.decay() == Decay.PER_VALUE ? 1 : factor(t, i, 0);
            column[i] = kept * column[i] - away * held;
          }
        }
        growth = Math.max(growth, norm(product));
      }
    }
    return growth;
  }

  /** At least the spectral norm: the root of the greatest sums of columns and of rows. */
  private static double norm(double[][] a) {
    double columns = 0;
    double[] rows = new double[a.length];
    for (double[] column : a) {
      double sum = 0;
      for (int i = 0; i < column.length; i++) {
        sum += Math.abs(column[i]);
        rows[i] += Math.abs(column[i]);
      }
      columns = Math.max(columns, sum);
    }
    return Math.sqrt(columns * Arrays.stream(rows).max().orElseThrow());
  }

  private int decayStride() {
    return switch (shape.decay()) {
      case NONE, SCALAR -> 1;
      case PER_KEY -> keyStride();
      case PER_VALUE -> valueStride();
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
