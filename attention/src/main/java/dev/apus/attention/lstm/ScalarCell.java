package dev.apus.attention.lstm;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Batch;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.activation.Activations;
import java.lang.foreign.MemorySegment;
import java.util.Comparator;
import java.util.List;

/**
 * One head of an {@link Slstm} on its way through all runs of a batch, a token of each at a time.
 */
final class ScalarCell {

  /** Values that a channel remembers: h, c, n and m. */
  static final int VALUES = 4;

  private static final int H = 0;
  private static final int C = 1;
  private static final int N = 2;
  private static final int M = 3;

  /** Places of the gates in a row. */
  private static final int Z = 0;

  private static final int O = 1;
  private static final int I = 2;
  private static final int F = 3;

  private final Pass pass;
  private final Projection recurrent;
  private final float[] bias;
  private final int head;
  private final int dim;
  private final boolean exponential;
  private final List<Matrix> logits;

  /** The longest first, so that those which go on are always the first ones. */
  private final List<Run<RecurrentState>> runs;

  private final Matrix given;
  private final Matrix gates;
  private final float[][] memories;

  /**
   * @param logits of the gates z, o, i and f of this head, without biases
   */
  ScalarCell(
      Pass pass,
      Pass.Frame frame,
      Batch<RecurrentState> batch,
      Projection recurrent,
      float[] bias,
      int head,
      boolean exponential,
      List<Matrix> logits) {
    this.pass = pass;
    this.recurrent = recurrent;
    this.bias = bias;
    this.head = head;
    this.dim = recurrent.inputs();
    this.exponential = exponential;
    this.logits = logits;
    this.runs =
        batch.runs().stream()
            .sorted(Comparator.comparingInt((Run<RecurrentState> run) -> -run.length()))
            .toList();
    this.given = frame.matrix(runs.size(), dim);
    this.gates = frame.matrix(runs.size(), recurrent.outputs());
    this.memories = new float[runs.size()][];
    for (int i = 0; i < memories.length; i++) {
      memories[i] = frame.floats(VALUES * dim);
    }
  }

  void run(int worker, int region, Matrix y) {
    for (int i = 0; i < runs.size(); i++) {
      RecurrentState state = runs.get(i).state();
      state.keep(region, head);
      copy(state, region, i, true);
      System.arraycopy(memories[i], H * dim, given.data(), given.at(i), dim);
    }
    int active = runs.size();
    for (int t = 0; active > 0; t++) {
      while (active > 0 && runs.get(active - 1).length() <= t) {
        active--;
      }
      recurrent.multiply(pass, worker, given, gates, 0, active, 0, recurrent.panels());
      for (int i = 0; i < active; i++) {
        step(i, runs.get(i).from() + t, y);
      }
    }
    for (int i = 0; i < runs.size(); i++) {
      System.arraycopy(given.data(), given.at(i), memories[i], H * dim, dim);
      copy(runs.get(i).state(), region, i, false);
    }
  }

  private void copy(RecurrentState state, int region, int i, boolean in) {
    MemorySegment memory = MemorySegment.ofArray(memories[i]);
    long at = state.at(region, head);
    long bytes = 4L * VALUES * dim;
    if (in) {
      MemorySegment.copy(state.segment(), at, memory, 0, bytes);
    } else {
      MemorySegment.copy(memory, 0, state.segment(), at, bytes);
    }
  }

  /** Takes run {@code i} past the token in {@code row}. */
  private void step(int i, int row, Matrix y) {
    float[] g = gates.data();
    int at = gates.at(i);
    for (int gate = 0; gate < VALUES; gate++) {
      Matrix said = logits.get(gate);
      int biasAt = (head * VALUES + gate) * dim;
      for (int c = 0; c < dim; c++) {
        g[at + gate * dim + c] += said.data()[said.at(row) + c] + bias[biasAt + c];
      }
    }
    Activations f = pass.kernels().activations();
    f.apply(Activation.TANH, g, at + Z * dim, dim);
    f.apply(Activation.SIGMOID, g, at + O * dim, dim);
    stabilize(f, g, at, memories[i]);
    f.apply(Activation.EXP, g, at + I * dim, 2 * dim);
    float[] m = memories[i];
    for (int c = 0; c < dim; c++) {
      float in = g[at + I * dim + c];
      float kept = g[at + F * dim + c];
      m[C * dim + c] = kept * m[C * dim + c] + in * g[at + Z * dim + c];
      m[N * dim + c] = kept * m[N * dim + c] + in;
      float h = g[at + O * dim + c] * m[C * dim + c] / m[N * dim + c];
      given.data()[given.at(i) + c] = h;
      y.data()[y.at(row) + head * dim + c] = h;
    }
  }

  /** Replaces ĩ and f̃ by the logarithms of what the gates let through. */
  private void stabilize(Activations f, float[] g, int at, float[] memory) {
    int forget = at + F * dim;
    if (!exponential) {
      negate(g, forget);
      f.apply(Activation.SOFTPLUS, g, forget, dim);
      negate(g, forget);
    }
    for (int c = 0; c < dim; c++) {
      float in = g[at + I * dim + c];
      float kept = g[forget + c] + memory[M * dim + c];
      // n is at least 1 after the first token.
      float m = memory[N * dim + c] == 0 ? in : Math.max(kept, in);
      g[at + I * dim + c] = in - m;
      g[forget + c] = memory[N * dim + c] == 0 ? 0 : kept - m;
      memory[M * dim + c] = m;
    }
  }

  private void negate(float[] g, int from) {
    for (int c = from; c < from + dim; c++) {
      g[c] = -g[c];
    }
  }
}
