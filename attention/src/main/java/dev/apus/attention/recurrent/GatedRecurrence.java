package dev.apus.attention.recurrent;

import dev.apus.attention.recurrent.GatedSpec.Gates;
import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.CausalConvolution;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.Output;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.activation.Activations;
import java.util.ArrayList;
import java.util.List;

/**
 * A linear recurrence of each channel whose gates share one between what is kept and what is new:
 * HGRN, minGRU and minLSTM.
 *
 * <pre>
 *   h ← (1 − i) ⊙ h + i ⊙ φ(W_x x)
 *   y = W_o (norm(h) ⊙ g(W_g x))
 *
 *   forget (HGRN):      i = (1 − bound) ⊙ σ(−W_f x)
 *   update (minGRU):    i = σ(W_i x)
 *   both (minLSTM):     i = σ(W_i x) / (σ(W_f x) + σ(W_i x)) = σ(softplus(−W_f x) − softplus(−W_i x))
 * </pre>
 *
 * <p>No gate sees the memory, so that nothing waits for it: a token's step costs the same among
 * many as alone, and gives the same bits. The memory is 0 before the first token.
 *
 * @see <a href="https://arxiv.org/abs/2311.04823">Hierarchically Gated Recurrent Neural Network</a>
 * @see <a href="https://arxiv.org/abs/2410.01201">Were RNNs All We Needed?</a>
 */
public final class GatedRecurrence implements SequenceMixer<RecurrentState> {

  /** The regions of a state; without convolutions there is the memory alone. */
  private static final int MEMORY = 0;

  private static final int CONVOLUTION = 1;

  private final GatedSpec spec;

  /** The candidates, then the gates. */
  private final List<Projection> inputs = new ArrayList<>();

  private final CausalConvolution convolution;

  /** One less the least that is kept, or null for ones. */
  private final float[] most;

  private final Normalization norm;
  private final Projection gate;
  private final Output output;

  private GatedRecurrence(GatedSpec spec, Site site) {
    WeightScope weights = site.weights();
    int inner = spec.inner();
    this.spec = spec;
    inputs.add(weights.projection("x", inner, site.inputs(), spec.biased()));
    if (spec.gates() != Gates.UPDATE) {
      inputs.add(weights.projection("f", inner, site.inputs(), spec.biased()));
    }
    if (spec.gates() != Gates.FORGET) {
      inputs.add(weights.projection("i", inner, site.inputs(), spec.biased()));
    }
    this.convolution =
        spec.taps() == 0
            ? null
            : CausalConvolution.read(
                weights, "conv", spec.projections() * inner, spec.taps(), false);
    this.most = spec.bounds() == null ? null : spec.bounds().of(weights, inner);
    for (int c = 0; most != null && c < inner; c++) {
      most[c] = 1 - most[c];
    }
    this.norm = Normalization.of(spec.norm(), "norm", inner, weights);
    this.gate = spec.gate() == null ? null : weights.projection("gate", inner, site.inputs());
    this.output = Output.of(spec.projected(), site, inner, false);
  }

  @Override
  public RecurrentState newState(int limit) {
    Region memory = new Region(1, spec.inner());
    return convolution == null
        ? RecurrentState.of(memory)
        : RecurrentState.of(memory, convolution.region());
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
      Matrix mixed = frame.matrix(rows, inputs.size() * inner);
      Matrix gates = gate == null ? null : frame.matrix(rows, inner);
      List<Divisible> tasks = new ArrayList<>();
      for (int i = 0; i < inputs.size(); i++) {
        Projection input = inputs.get(i);
        int at = i * inner;
        tasks.add(
            convolution == null
                ? input.task(pass, x, 0, mixed, at)
                : convolution.after(
                    input, pass, batch, CONVOLUTION, x, mixed, at, Activation.IDENTITY));
      }
      if (gate != null) {
        tasks.add(gate.task(pass, x, gates));
      }
      pass.run(tasks.toArray(Divisible[]::new));
      Matrix kept = frame.matrix(rows, inner);
      Matrix h = output.inner(frame, y);
      pass.eachRow(
          rows,
          40 * inner,
          (from, to, worker) -> {
            float[] scratch = pass.scratch(worker, inner);
            for (int row = from; row < to; row++) {
              share(pass, mixed, row, kept, h, scratch);
            }
          });
      ChannelScan.run(pass, batch, MEMORY, kept, h);
      batch.runs().forEach(run -> run.state().changed());
      read(pass, gates, h);
      output.apply(pass, h, y);
    }
  }

  /** Computes what a row's token keeps of the memory, and what it adds to it. */
  private void share(Pass pass, Matrix mixed, int row, Matrix kept, Matrix h, float[] fresh) {
    int inner = spec.inner();
    Activations f = pass.kernels().activations();
    float[] in = mixed.data();
    int at = mixed.at(row);
    int logits = at + inner;
    if (spec.gates() == Gates.FORGET) {
      negate(in, logits, inner);
    } else if (spec.gates() == Gates.BOTH) {
      negate(in, logits, 2 * inner);
      f.apply(Activation.SOFTPLUS, in, logits, 2 * inner);
      for (int c = logits; c < logits + inner; c++) {
        in[c] -= in[c + inner];
      }
    }
    System.arraycopy(in, logits, fresh, 0, inner);
    f.apply(Activation.SIGMOID, fresh, 0, inner);
    for (int c = 0; most != null && c < inner; c++) {
      fresh[c] *= most[c];
    }
    candidates(f, in, at, logits);
    int to = h.at(row);
    for (int c = 0; c < inner; c++) {
      kept.data()[kept.at(row) + c] = 1 - fresh[c];
      h.data()[to + c] = fresh[c] * in[at + c];
    }
  }

  private static void negate(float[] x, int at, int count) {
    for (int i = at; i < at + count; i++) {
      x[i] = -x[i];
    }
  }

  /**
   * @param scratch where in {@code x} there is room for as many values
   */
  private void candidates(Activations f, float[] x, int at, int scratch) {
    int inner = spec.inner();
    switch (spec.candidate()) {
      case IDENTITY -> {}
      case SILU -> f.apply(Activation.SILU, x, at, inner);
      case TANH -> f.apply(Activation.TANH, x, at, inner);
      case POSITIVE -> {
        System.arraycopy(x, at, x, scratch, inner);
        f.apply(Activation.SIGMOID, x, scratch, inner);
        for (int c = 0; c < inner; c++) {
          x[at + c] = x[at + c] >= 0 ? x[at + c] + 0.5f : x[scratch + c];
        }
      }
    }
  }

  private void read(Pass pass, Matrix gates, Matrix h) {
    if (norm != null) {
      norm.rows(pass, h, h);
    }
    if (gate == null) {
      return;
    }
    pass.eachRow(
        h.rows(),
        16 * h.cols(),
        (from, to, worker) -> {
          int at = h.at(from);
          pass.kernels()
              .activations()
              .gate(spec.gate(), gates.data(), at, h.data(), at, h.at(to) - at);
        });
  }

  /** The type {@code gated-recurrence}; its settings are those of {@link GatedSpec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "gated-recurrence";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new GatedRecurrence(GatedSpec.read(settings), site);
    }
  }
}
