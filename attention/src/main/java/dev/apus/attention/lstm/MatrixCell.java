package dev.apus.attention.lstm;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.memory.MatrixMemory;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.memory.MatrixMemory.Write;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The cell of mLSTM: a matrix memory with an exponential input gate, and what normalises it.
 *
 * <pre>
 *   m' = max(log σ(f̃) + m, ĩ)                              nothing is ever multiplied by more than 1
 *   C ← e^(log σ(f̃) + m − m') C + (e^(ĩ − m') k) ⊗ v
 *   n ← e^(log σ(f̃) + m − m') n + (e^(ĩ − m') k)
 *   h = Cᵀq / (max(|nᵀq|, e^(−m')) + ε)                     q / √keyDim
 * </pre>
 *
 * <p>m depends on the gates alone, so it is known for a whole run before the memory is touched:
 * what is left is a memory that decays by one factor a token, and a second one of a single value
 * column of ones.
 *
 * @param cap gates become {@code cap · tanh(gate / cap)}; 0 for none
 * @param epsilon what is added to the divisor
 * @see <a href="https://arxiv.org/abs/2405.04517">xLSTM</a>
 */
record MatrixCell(int heads, int keyDim, int valueDim, float cap, float epsilon) {

  /** A value column of ones for as many tokens as there are: each finds the same one. */
  private static final Rows ONES = new Rows(new float[] {1}, 0, 0);

  /** Reads {@code cap} and {@code epsilon} beside a shape that is known. */
  static MatrixCell read(Config c, int heads, int keyDim, int valueDim) {
    if ((double) heads * keyDim * valueDim > Integer.MAX_VALUE) {
      throw c.error(
          "heads=%d of %d keys by %d values are more than 2^31 − 1 values",
          heads, keyDim, valueDim);
    }
    float cap = c.real("cap", 0);
    if (!(cap >= 0)) {
      throw c.errorAt("cap", "cap=%s must not be negative; 0 is none", cap);
    }
    float epsilon = c.real("epsilon", 1e-6f);
    if (!(epsilon >= 0)) {
      throw c.errorAt("epsilon", "epsilon=%s must not be negative", epsilon);
    }
    return new MatrixCell(heads, keyDim, valueDim, cap, epsilon);
  }

  /** C of each head. */
  Region memory() {
    return Region.of(heads, shape(valueDim));
  }

  /** n of each head. */
  Region normalizer() {
    return Region.of(heads, shape(1));
  }

  /** m of each head. */
  Region stabilizer() {
    return new Region(heads, 1);
  }

  /** Queries, keys and values of a batch: columns of some matrices, head after head. */
  record Inputs(Matrix q, int qCol, Matrix k, int kCol, Matrix v, int vCol) {}

  /**
   * Takes every run of a batch through its tokens.
   *
   * @param region which region of the states is {@link #memory}; {@link #normalizer} and {@link
   *     #stabilizer} follow
   * @param inputs of which the keys are overwritten
   * @param in ĩ, a value a head, which is overwritten
   * @param forget f̃, likewise
   * @param h receives {@code valueDim} values a head
   */
  void advance(
      Pass pass,
      Batch<RecurrentState> batch,
      int region,
      Inputs inputs,
      Matrix in,
      Matrix forget,
      Matrix h) {
    gates(pass, in, forget);
    batch.eachPart(
        pass,
        heads,
        (run, head, worker) -> {
          run.state().keep(region + 2, head);
          new Advance(pass, worker, run, head, region, inputs).run(in, forget, h);
        });
  }

  /** Caps the gates, and makes logarithms of what the forget gates keep. */
  private void gates(Pass pass, Matrix in, Matrix forget) {
    var f = pass.kernels().activations();
    pass.eachRow(
        in.rows(),
        64 * heads,
        (from, to, worker) -> {
          int at = in.at(from);
          int count = in.at(to) - at;
          float[] logs = forget.data();
          if (cap > 0) {
            f.softcap(cap, in.data(), at, count);
            f.softcap(cap, logs, at, count);
          }
          for (int i = at; i < at + count; i++) {
            logs[i] = -logs[i];
          }
          f.apply(Activation.SOFTPLUS, logs, at, count);
          for (int i = at; i < at + count; i++) {
            logs[i] = -logs[i];
          }
        });
  }

  private MatrixMemory.Shape shape(int columns) {
    return new MatrixMemory.Shape(keyDim, columns, Decay.SCALAR, Write.ADD);
  }

  /** One head's way through one run. */
  private final class Advance {

    private final Pass pass;
    private final int worker;
    private final Run<RecurrentState> run;
    private final int head;
    private final int region;
    private final int tokens;
    private final Rows q;
    private final Rows k;
    private final Rows v;

    /** Each token's decay, and then its weight, least divisor and divisor. */
    private final float[] scratch;

    private final int weights;
    private final int floors;
    private final int divisors;

    Advance(Pass pass, int worker, Run<RecurrentState> run, int head, int region, Inputs inputs) {
      this.pass = pass;
      this.worker = worker;
      this.run = run;
      this.head = head;
      this.region = region;
      this.tokens = run.length();
      this.q = rows(inputs.q, inputs.qCol, keyDim);
      this.k = rows(inputs.k, inputs.kCol, keyDim);
      this.v = rows(inputs.v, inputs.vCol, valueDim);
      this.weights = tokens;
      this.floors = weights + tokens;
      this.divisors = floors + tokens;
      this.scratch = new float[Math.addExact(divisors, tokens)];
    }

    private Rows rows(Matrix x, int col, int dim) {
      return x.from(run.from(), col + head * dim);
    }

    void run(Matrix in, Matrix forget, Matrix h) {
      stabilize(in, forget);
      float scale = (float) (1 / Math.sqrt(keyDim));
      for (int t = 0; t < tokens; t++) {
        float weight = scratch[weights + t] * scale;
        int at = k.start(t);
        for (int i = at; i < at + keyDim; i++) {
          k.data()[i] *= weight;
        }
      }
      Rows o = rows(h, 0, valueDim);
      remember(region, v, o);
      remember(region + 1, ONES, new Rows(scratch, divisors, 1));
      for (int t = 0; t < tokens; t++) {
        float divisor = Math.max(Math.abs(scratch[divisors + t]), scratch[floors + t]) + epsilon;
        int at = o.start(t);
        for (int j = at; j < at + valueDim; j++) {
          o.data()[j] /= divisor;
        }
      }
    }

    private void stabilize(Matrix in, Matrix forget) {
      MemorySegment state = run.state().segment();
      long mAt = run.state().at(region + 2, head);
      float m = state.get(ValueLayout.JAVA_FLOAT_UNALIGNED, mAt);
      for (int t = 0; t < tokens; t++) {
        int at = in.at(run.from() + t) + head;
        float kept = forget.data()[at] + m;
        m = Math.max(kept, in.data()[at]);
        scratch[t] = kept - m;
        scratch[weights + t] = in.data()[at] - m;
        scratch[floors + t] = -m;
      }
      state.set(ValueLayout.JAVA_FLOAT_UNALIGNED, mAt, m);
      pass.kernels().activations().apply(Activation.EXP, scratch, 0, 3 * tokens);
    }

    private void remember(int memories, Rows values, Rows o) {
      var in = new MatrixMemory.Inputs(q, k, values, new Rows(scratch, 0, 1), null);
      run.state().remember(pass, worker, memories, head, tokens, in, o);
    }
  }
}
