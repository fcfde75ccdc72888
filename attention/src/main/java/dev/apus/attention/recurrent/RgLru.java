package dev.apus.attention.recurrent;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.BlockProjection;
import dev.apus.core.model.CausalConvolution;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Mlp;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import java.util.ArrayList;
import java.util.List;

/**
 * Griffin's recurrent block around a real-gated linear recurrent unit:
 *
 * <pre>
 *   u = conv(W_x x + b_x)
 *   i = σ(V_i u + b_i)      r = σ(V_r u + b_r)           V block-diagonal
 *   a = exp(−8 · softplus(Λ) ⊙ r)
 *   h ← a ⊙ h + √(1 − a²) ⊙ i ⊙ u                        without the root for a sequence's first token
 *   y = W_o (f(W_g x + b_g) ⊙ h) + b_o
 * </pre>
 *
 * @see <a href="https://arxiv.org/abs/2402.19427">Griffin</a>
 */
public final class RgLru implements SequenceMixer<RecurrentState> {

  /** The regions of a state. */
  private static final int CONVOLUTION = 0;

  private static final int MEMORY = 1;

  /**
   * @param inner how many channels recur
   * @param heads blocks of the gates' matrices
   * @param taps length of the short convolution
   * @param activation the function of the output gate
   */
  record Spec(int inner, int heads, int taps, Activation activation) {

    static Spec read(Config c) {
      int inner = c.positive("inner");
      c.share("inner", "heads");
      int taps = c.positive("taps");
      if ((long) taps * inner > Integer.MAX_VALUE) {
        throw c.error("taps=%d of inner=%d are more than 2^31 − 1 values", taps, inner);
      }
      return new Spec(inner, c.positive("heads"), taps, Mlp.activation(c));
    }
  }

  private final Spec spec;
  private final Kernels kernels;
  private final Projection input;
  private final Projection gate;
  private final Projection output;
  private final CausalConvolution convolution;
  private final BlockProjection inputGate;
  private final BlockProjection recurrenceGate;

  /** {@code −8 · softplus(Λ)}. */
  private final float[] decay;

  private RgLru(Spec spec, Site site) {
    WeightScope weights = site.weights();
    int inner = spec.inner();
    int size = inner / spec.heads();
    this.spec = spec;
    this.kernels = site.kernels();
    this.input = weights.projection("x", inner, site.width(), true);
    this.gate = weights.projection("gate", inner, site.width(), true);
    this.output = weights.projection("o", site.width(), inner, true);
    this.convolution = CausalConvolution.read(weights, "conv", inner, spec.taps(), true);
    this.inputGate = BlockProjection.read(weights, "inputGate", spec.heads(), size, true);
    this.recurrenceGate = BlockProjection.read(weights, "recurrenceGate", spec.heads(), size, true);
    this.decay = weights.vector("lambda", inner, new Typical(-5, 2));
    for (int c = 0; c < inner; c++) {
      decay[c] = -8 * (float) StrictMath.log1p(StrictMath.exp(decay[c]));
    }
  }

  @Override
  public RecurrentState newState(int limit) {
    return RecurrentState.of(convolution.region(), new Region(1, spec.inner()));
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      Matrix u = frame.matrix(rows, spec.inner());
      Matrix outer = frame.matrix(rows, spec.inner());
      pass.run(input.task(pass, x, u), gate.task(pass, x, outer));
      convolution.apply(pass, batch, CONVOLUTION, u, 0);
      Matrix a = frame.matrix(rows, spec.inner());
      gates(pass, batch, u, a);
      ChannelScan.run(pass, batch, MEMORY, a, u);
      batch.runs().forEach(run -> run.state().changed());
      pass.eachRow(
          rows,
          16 * spec.inner(),
          (from, to, worker) -> {
            int at = u.at(from);
            kernels
                .activations()
                .gate(spec.activation(), outer.data(), at, u.data(), at, u.at(to) - at);
          });
      output.apply(pass, u, y);
    }
  }

  /** Turns inputs into what they add to the memory, and computes what the memory keeps. */
  private void gates(Pass pass, Batch<RecurrentState> batch, Matrix u, Matrix a) {
    boolean[] first = new boolean[u.rows()];
    batch.runs().forEach(run -> first[run.from()] = run.position() == 0);
    try (Pass.Frame frame = pass.frame()) {
      List<Matrix> in = inputGate.matrices(frame, u.rows());
      List<Matrix> inputs = inputGate.matrices(frame, u.rows());
      List<Matrix> recurrences = inputGate.matrices(frame, u.rows());
      BlockProjection.split(pass, u, in);
      List<Divisible> tasks = new ArrayList<>(inputGate.tasks(pass, in, inputs));
      tasks.addAll(recurrenceGate.tasks(pass, in, recurrences));
      pass.run(tasks.toArray(Divisible[]::new));
      pass.eachRow(
          u.rows(),
          64 * spec.inner(),
          (from, to, worker) -> {
            float[] scratch = pass.scratch(worker, spec.inner());
            for (int row = from; row < to; row++) {
              BlockProjection.join(inputs, row, scratch, 0);
              BlockProjection.join(recurrences, row, a.data(), a.at(row));
              gate(scratch, a.data(), u.data(), u.at(row), first[row]);
            }
          });
    }
  }

  /**
   * Gates a row.
   *
   * @param in logits of the input gate; scratch afterwards
   * @param a logits of the recurrence gate, which become the decays, from {@code at}
   * @param u inputs, likewise
   */
  private void gate(float[] in, float[] a, float[] u, int at, boolean first) {
    int inner = spec.inner();
    kernels.activations().gate(Activation.SIGMOID, in, 0, u, at, inner);
    kernels.activations().apply(Activation.SIGMOID, a, at, inner);
    for (int c = 0; c < inner; c++) {
      a[at + c] *= decay[c];
      in[c] = 2 * a[at + c];
    }
    kernels.activations().apply(Activation.EXP, a, at, inner);
    if (first) {
      return;
    }
    kernels.activations().apply(Activation.EXP, in, 0, inner);
    for (int c = 0; c < inner; c++) {
      u[at + c] *= (float) Math.sqrt(1 - in[c]);
    }
  }

  /** The type {@code rg-lru}; its settings are those of {@link Spec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "rg-lru";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new RgLru(Spec.read(settings), site);
    }
  }
}
