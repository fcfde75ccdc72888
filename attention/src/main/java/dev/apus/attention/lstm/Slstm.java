package dev.apus.attention.lstm;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.BlockProjection;
import dev.apus.core.model.CausalConvolution;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.activation.Activation;
import java.util.ArrayList;
import java.util.List;

/**
 * sLSTM: a cell for each channel with exponential gates that see what its head gave before.
 *
 * <pre>
 *   c̄ = silu(conv(x) + b)
 *   z̃, õ = [W_z, W_o] x + [R_z, R_o] h + b      ĩ, f̃ = [W_i, W_f] c̄ + [R_i, R_f] h + b
 *   m' = max(log f(f̃) + m, ĩ)                        f: σ, or e
 *   c ← e^(log f(f̃) + m − m') c + e^(ĩ − m') tanh(z̃)
 *   n ← e^(log f(f̃) + m − m') n + e^(ĩ − m')
 *   h ← σ(õ) ⊙ c / n      y = norm(h)                each head normed by itself
 * </pre>
 *
 * <p>The matrices are block-diagonal: a block for each head. A token waits for the one before it,
 * so a run is taken token by token, and all runs of a batch in step: a head's recurrent matrix is
 * multiplied with what the head gave in each of them at once. For a sequence's first token m' is ĩ.
 *
 * @see <a href="https://arxiv.org/abs/2405.04517">xLSTM</a>
 */
public final class Slstm implements SequenceMixer<RecurrentState> {

  /** The regions of a state; without a convolution there is the memory alone. */
  private static final int MEMORY = 0;

  private static final int CONVOLUTION = 1;

  /** Weights of the gates, in the order of their rows in the recurrent matrices. */
  private static final String[] GATES = {"z", "o", "i", "f"};

  private final int heads;
  private final int dim;
  private final boolean exponential;
  private final CausalConvolution convolution;
  private final List<BlockProjection> gates = new ArrayList<>();
  private final Projection[] recurrent;
  private final float[] bias;
  private final Normalization norm;

  private Slstm(int heads, int taps, boolean exponential, NormSpec norm, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    this.heads = heads;
    this.dim = width / heads;
    this.exponential = exponential;
    this.convolution =
        taps == 0 ? null : CausalConvolution.read(weights, "conv", width, taps, true);
    for (String gate : GATES) {
      gates.add(BlockProjection.read(weights, gate, heads, dim, false));
    }
    this.recurrent = new Projection[heads];
    for (int head = 0; head < heads; head++) {
      recurrent[head] = weights.expert(head).projection("r", GATES.length * dim, dim);
    }
    this.bias = weights.vector("bias", GATES.length * width, Typical.BIAS);
    this.norm = Normalization.of(norm, "norm", width, weights);
  }

  @Override
  public RecurrentState newState(int limit) {
    Region memory = new Region(heads, ScalarCell.VALUES * (long) dim);
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
      List<List<Matrix>> logits = logits(pass, frame, batch, x);
      List<ScalarCell> cells = new ArrayList<>();
      for (int head = 0; head < heads; head++) {
        List<Matrix> own = new ArrayList<>();
        for (List<Matrix> gate : logits) {
          own.add(gate.get(head));
        }
        cells.add(
            new ScalarCell(pass, frame, batch, recurrent[head], bias, head, exponential, own));
      }
      pass.workers().run(heads, (head, worker) -> cells.get(head).run(worker, MEMORY, y));
      batch.runs().forEach(run -> run.state().changed());
      norm.groups(pass, y, y, heads, dim, dim);
    }
  }

  /** What the rows say to each gate of each head. */
  private List<List<Matrix>> logits(
      Pass pass, Pass.Frame frame, Batch<RecurrentState> batch, Matrix x) {
    Matrix convolved = convolution == null ? x : convolved(pass, frame, batch, x);
    List<List<Matrix>> logits = new ArrayList<>();
    List<Divisible> tasks = new ArrayList<>();
    for (int gate = 0; gate < GATES.length; gate++) {
      List<Matrix> own = new ArrayList<>();
      for (int head = 0; head < heads; head++) {
        Matrix y = frame.matrix(x.rows(), dim);
        tasks.add(gates.get(gate).task(pass, head, gate < 2 ? x : convolved, y, 0));
        own.add(y);
      }
      logits.add(own);
    }
    pass.run(tasks.toArray(Divisible[]::new));
    return logits;
  }

  private Matrix convolved(Pass pass, Pass.Frame frame, Batch<RecurrentState> batch, Matrix x) {
    Matrix c = frame.matrix(x.rows(), x.cols());
    System.arraycopy(x.data(), x.at(0), c.data(), c.at(0), x.rows() * x.cols());
    convolution.apply(pass, batch, CONVOLUTION, c, 0);
    pass.eachRow(
        x.rows(),
        16 * x.cols(),
        (from, to, worker) ->
            pass.kernels()
                .activations()
                .apply(Activation.SILU, c.data(), c.at(from), c.at(to) - c.at(from)));
    return c;
  }

  /**
   * The type {@code slstm}: {@code heads}, {@code taps} of the convolution or 0 for none, {@code
   * forget}, which is {@code sigmoid} or {@code exponential}, and {@code norm}.
   */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "slstm";
    }

    @Override
    public SequenceMixer<?> build(Config c, Site site) {
      int heads = c.positive("heads");
      if (site.width() % heads != 0) {
        throw c.errorAt(
            "heads", "rows of %d values do not divide into heads=%d", site.width(), heads);
      }
      int taps = c.count("taps", 0);
      if ((long) Math.max(GATES.length, taps) * site.width() > Integer.MAX_VALUE) {
        throw c.error("taps=%d of %d channels are more than 2^31 − 1 values", taps, site.width());
      }
      String forget = c.choice("forget", "sigmoid", "sigmoid", "exponential");
      return new Slstm(
          heads, taps, forget.equals("exponential"), NormSpec.read(c.section("norm")), site);
    }
  }
}
