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
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.matmul.Matmul;

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

  /** What a channel costs besides its matrices, in multiply-adds. */
  private static final int GATING = 64;

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
      int inner = spec.inner();
      Matrix u = frame.matrix(rows, inner);
      Matrix outer = frame.matrix(rows, inner);
      Matrix h = frame.matrix(rows, inner);
      Matrix a = frame.matrix(rows, inner);
      boolean[] first = new boolean[rows];
      for (Run<RecurrentState> run : batch.runs()) {
        first[run.from()] = run.position() == 0;
        run.state().keep(MEMORY);
      }
      pass.run(
          convolution.after(input, pass, batch, CONVOLUTION, x, u, 0, Activation.IDENTITY),
          gate.task(pass, x, outer));
      Divisible[] tasks = new Divisible[spec.heads()];
      for (int head = 0; head < tasks.length; head++) {
        int at = head * (inner / tasks.length);
        tasks[head] =
            inputGate
                .task(pass, head, u, h, at)
                .with(recurrenceGate.task(pass, head, u, a, at))
                .then(
                    (long) GATING * Matmul.PANEL_ROWS * rows,
                    inputGate.ofColumns(
                        head,
                        (from, to, worker) -> {
                          gate(u, h, a, first, from, to, pass.scratch(worker, to - from));
                          ChannelScan.run(pass, batch, MEMORY, from, to, a, h);
                          gateOut(outer, h, from, to);
                        }));
      }
      pass.run(tasks);
      batch.runs().forEach(run -> run.state().changed());
      output.apply(pass, h, y);
    }
  }

  /**
   * Turns logits into what is added to the memory, and what the memory keeps, in columns {@code
   * [from, to)}.
   *
   * @param h logits of the input gate, which become the additions
   * @param a logits of the recurrence gate, which become the decays
   * @param first the rows of sequences' first tokens
   */
  private void gate(
      Matrix u, Matrix h, Matrix a, boolean[] first, int from, int to, float[] squares) {
    int count = to - from;
    float[] in = u.data();
    float[] added = h.data();
    float[] kept = a.data();
    for (int row = 0; row < u.rows(); row++) {
      int at = u.at(row) + from;
      kernels.activations().apply(Activation.SIGMOID, added, at, count);
      kernels.activations().apply(Activation.SIGMOID, kept, at, count);
      for (int c = 0; c < count; c++) {
        added[at + c] *= in[at + c];
        kept[at + c] *= decay[from + c];
        squares[c] = 2 * kept[at + c];
      }
      kernels.activations().apply(Activation.EXP, kept, at, count);
      if (!first[row]) {
        kernels.activations().apply(Activation.EXP, squares, 0, count);
        for (int c = 0; c < count; c++) {
          added[at + c] *= (float) Math.sqrt(1 - squares[c]);
        }
      }
    }
  }

  private void gateOut(Matrix outer, Matrix h, int from, int to) {
    for (int row = 0; row < h.rows(); row++) {
      int at = h.at(row) + from;
      kernels.activations().gate(spec.activation(), outer.data(), at, h.data(), at, to - from);
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
