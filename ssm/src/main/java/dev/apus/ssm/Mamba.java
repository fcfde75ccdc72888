package dev.apus.ssm;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.CausalConvolution;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.Output;
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
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.scan.SelectiveScan;

/**
 * Mamba (S6): a state-space model whose step size, input and output follow from the token.
 *
 * <pre>
 *   x = silu(conv(W_x u))      z = W_z u
 *   δ, B, C = norm(W_δ x), norm(W_B x), norm(W_C x)      Δ = softplus(W_Δ δ + dtBias)
 *   h ← exp(Δ ⊗ A) ⊙ h + (Δ ⊙ x) ⊗ B,  A &lt; 0      s = h C + D ⊙ x
 *   y = W_o (s ⊙ silu(z))
 * </pre>
 *
 * <p>With the implicit update it is Longhorn, which has no A: each token's write is the best answer
 * to "what belongs to B?" that stays close to what is remembered:
 *
 * <pre>
 *   β = σ(W_Δ δ + dtBias)      Δ = β / (1 + β B·B)      h ← (1 − Δ ⊗ B²) ⊙ h + (Δ ⊙ x) ⊗ B
 * </pre>
 *
 * <p>The norms are FalconMamba's and Jamba's; Mamba has none. The channels may be divided into
 * heads, as in Zamba, each with its own δ, B and C of its own channels. There is one form for any
 * number of tokens, so a sequence may be cut anywhere without a trace.
 *
 * @see <a href="https://arxiv.org/abs/2312.00752">Mamba</a>
 * @see <a href="https://arxiv.org/abs/2407.14207">Longhorn</a>
 */
public final class Mamba implements SequenceMixer<RecurrentState> {

  /** Channels that one thread takes through its tokens at a time, so that they stay in L1. */
  private static final int BLOCK = 128;

  /** The regions of a state. */
  private static final int CONVOLUTION = 0;

  private static final int MEMORY = 1;

  /**
   * @param inner channels of all heads
   * @param stateSize values that each channel remembers
   * @param dtRank width of δ, of which the step sizes are made
   * @param taps length of the short convolution
   * @param biased whether the projections of input and output have biases
   * @param projected whether there is a projection of the output
   * @param norm of δ, B and C; or null
   * @param implicit whether the update is Longhorn's
   */
  record Spec(
      int inner,
      int stateSize,
      int dtRank,
      int taps,
      int heads,
      boolean biased,
      boolean convBiased,
      boolean projected,
      NormSpec norm,
      boolean implicit) {

    static Spec read(Config c) {
      int inner = c.positive("inner");
      int heads = c.positive("heads", 1);
      if (inner % heads != 0) {
        throw c.error("inner=%d is not divisible by heads=%d", inner, heads);
      }
      int stateSize = c.positive("stateSize");
      int dtRank = c.positive("dtRank");
      if (Math.max(dtRank, 2L * stateSize) * heads > Integer.MAX_VALUE) {
        throw c.error(
            "dtRank=%d and stateSize=%d are too much for a row of heads=%d",
            dtRank, stateSize, heads);
      }
      int taps = c.positive("taps");
      // What a sequence remembers must fit into arrays, in which it is copied.
      if ((double) Math.max(stateSize, taps) * (inner + (double) BLOCK * heads)
          > Integer.MAX_VALUE) {
        throw c.error(
            "stateSize=%d or taps=%d of inner=%d are more than 2^31 − 1 values",
            stateSize, taps, inner);
      }
      return new Spec(
          inner,
          stateSize,
          dtRank,
          taps,
          heads,
          c.flag("biased", false),
          c.flag("convBiased", true),
          c.flag("projected", true),
          c.has("norm") ? NormSpec.read(c.section("norm")) : null,
          c.choice("update", "exponential", "exponential", "implicit").equals("implicit"));
    }

    int headDim() {
      return inner / heads;
    }

    /** Blocks of a head. */
    int blocks() {
      return Math.ceilDiv(headDim(), BLOCK);
    }
  }

  /** What makes δ, B and C of the channels of a head, and step sizes of δ. */
  private static final class Head {

    final Projection dtDown;
    final Projection bc;
    final Projection dtUp;
    final Normalization dtNorm;
    final Normalization bcNorm;

    Head(Spec spec, WeightScope weights) {
      int stateSize = spec.stateSize();
      this.dtDown = weights.projection("dt.down", spec.dtRank(), spec.headDim());
      this.bc = weights.projection("bc", 2 * stateSize, spec.headDim());
      this.dtUp = weights.projection("dt.up", spec.headDim(), spec.dtRank());
      this.dtNorm = Normalization.of(spec.norm(), "dt.norm", spec.dtRank(), weights);
      this.bcNorm = Normalization.of(spec.norm(), "bc.norm", 2 * stateSize, weights);
    }
  }

  /**
   * What a pass computes for the channels of a head, a row for each token.
   *
   * @param x its channels alone
   * @param dt δ
   * @param bc B, then C
   * @param delta the step sizes
   */
  private record Inputs(Matrix x, Matrix dt, Matrix bc, Matrix delta) {}

  private final Spec spec;
  private final Kernels kernels;
  private final Projection input;
  private final Projection gate;
  private final Output output;
  private final CausalConvolution convolution;
  private final Head[] heads;
  private final float[] decay;
  private final float[] direct;
  private final float[] dtBias;

  private Mamba(Spec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.inputs();
    int inner = spec.inner();
    this.spec = spec;
    this.kernels = site.kernels();
    this.input = weights.projection("x", inner, width, spec.biased());
    this.gate = weights.projection("z", inner, width, spec.biased());
    this.output = Output.of(spec.projected(), site, inner, spec.biased());
    this.convolution =
        CausalConvolution.read(weights, "conv", inner, spec.taps(), spec.convBiased());
    this.heads = new Head[spec.heads()];
    for (int head = 0; head < heads.length; head++) {
      heads[head] =
          new Head(spec, heads.length == 1 ? weights : weights.scope("head").expert(head));
    }
    this.decay =
        spec.implicit()
            ? null
            : turned(weights.table("decay", inner, spec.stateSize(), new Typical(-4, 3.9f)));
    this.direct = weights.vector("d", inner, Typical.NORM);
    this.dtBias = weights.vector("dtBias", inner, new Typical(-3, 1));
  }

  /** Rates as {@code [channels][stateSize]}, for each block as {@code [stateSize][channels]}. */
  private float[] turned(float[] stored) {
    int stateSize = spec.stateSize();
    float[] turned = new float[stored.length];
    for (int block = 0; block < spec.heads() * spec.blocks(); block++) {
      int first = first(block);
      int count = channels(block);
      for (int c = 0; c < count; c++) {
        for (int n = 0; n < stateSize; n++) {
          turned[first * stateSize + n * count + c] = stored[(first + c) * stateSize + n];
        }
      }
    }
    return turned;
  }

  /** The first channel of a block. */
  private int first(int block) {
    return block / spec.blocks() * spec.headDim() + block % spec.blocks() * BLOCK;
  }

  /** How many channels a block has; the last one of a head may have fewer than the others. */
  private int channels(int block) {
    return Math.min(BLOCK, spec.headDim() - block % spec.blocks() * BLOCK);
  }

  @Override
  public RecurrentState newState(int limit) {
    int channels = Math.min(BLOCK, spec.headDim());
    return RecurrentState.of(
        convolution.region(),
        new Region(spec.heads() * spec.blocks(), (long) spec.stateSize() * channels));
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      Matrix mixed = output.inner(frame, y);
      Matrix z = frame.matrix(rows, spec.inner());
      pass.run(
          convolution.after(input, pass, batch, CONVOLUTION, x, mixed, 0, Activation.SILU),
          gate.task(pass, x, z));
      Inputs[] inputs = inputs(pass, frame, mixed);
      remember(pass, batch, mixed, inputs, z);
      batch.runs().forEach(run -> run.state().changed());
      output.apply(pass, mixed, y);
    }
  }

  private Inputs[] inputs(Pass pass, Pass.Frame frame, Matrix mixed) {
    int rows = mixed.rows();
    Inputs[] inputs = new Inputs[heads.length];
    Divisible[] down = new Divisible[2 * heads.length];
    Divisible[] up = new Divisible[heads.length];
    for (int i = 0; i < heads.length; i++) {
      Matrix x = heads.length == 1 ? mixed : slice(pass, frame, mixed, i);
      Matrix dt = frame.matrix(rows, spec.dtRank());
      Matrix bc = frame.matrix(rows, 2 * spec.stateSize());
      inputs[i] = new Inputs(x, dt, bc, frame.matrix(rows, spec.headDim()));
      down[2 * i] = heads[i].dtDown.task(pass, x, dt);
      down[2 * i + 1] = heads[i].bc.task(pass, x, bc);
      up[i] = heads[i].dtUp.task(pass, dt, inputs[i].delta);
    }
    pass.run(down);
    if (spec.norm() != null) {
      for (int i = 0; i < heads.length; i++) {
        heads[i].dtNorm.rows(pass, inputs[i].dt, inputs[i].dt);
        int size = spec.stateSize();
        heads[i].bcNorm.groups(pass, inputs[i].bc, inputs[i].bc, 2, size, size);
      }
    }
    pass.run(up);
    return inputs;
  }

  /** The channels of a head on their own, for a projection to read. */
  private Matrix slice(Pass pass, Pass.Frame frame, Matrix mixed, int head) {
    int dim = spec.headDim();
    Matrix slice = frame.matrix(mixed.rows(), dim);
    pass.eachRow(
        mixed.rows(),
        dim,
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            System.arraycopy(
                mixed.data(), mixed.at(row) + head * dim, slice.data(), slice.at(row), dim);
          }
        });
    return slice;
  }

  private void remember(
      Pass pass, Batch<RecurrentState> batch, Matrix mixed, Inputs[] inputs, Matrix z) {
    batch.eachPart(
        pass,
        heads.length * spec.blocks(),
        (run, block, worker) -> scan(run, block, mixed, inputs, z));
  }

  /** Takes a block of channels through a run, with what the same thread does before and after. */
  private void scan(Run<RecurrentState> run, int block, Matrix mixed, Inputs[] inputs, Matrix z) {
    Inputs in = inputs[block / spec.blocks()];
    int first = first(block);
    int channels = channels(block);
    int stateSize = spec.stateSize();
    Rows x = mixed.from(run.from(), first);
    Rows delta =
        new Rows(
            in.delta.data(),
            in.delta.at(run.from()) + block % spec.blocks() * BLOCK,
            in.delta.cols());
    int b = in.bc.at(run.from());
    for (int t = 0; t < run.length(); t++) {
      int at = delta.start(t);
      for (int c = 0; c < channels; c++) {
        delta.data()[at + c] += dtBias[first + c];
      }
      Activation step = spec.implicit() ? Activation.SIGMOID : Activation.SOFTPLUS;
      kernels.activations().apply(step, delta.data(), at, channels);
      if (spec.implicit()) {
        divide(delta.data(), at, channels, in.bc.data(), in.bc.at(run.from() + t));
      }
    }
    run.state().keep(MEMORY, block);
    kernels
        .selectiveScan()
        .advance(
            new SelectiveScan.Shape(stateSize, channels),
            run.length(),
            decay,
            first * stateSize,
            direct,
            first,
            x,
            delta,
            new Rows(in.bc.data(), b, in.bc.cols()),
            new Rows(in.bc.data(), b + stateSize, in.bc.cols()),
            run.state().segment(),
            run.state().at(MEMORY, block),
            x);
    for (int t = 0; t < run.length(); t++) {
      int gateAt = z.at(run.from() + t) + first;
      kernels
          .activations()
          .gate(Activation.SILU, z.data(), gateAt, mixed.data(), x.start(t), channels);
    }
  }

  /** {@code Δ ← Δ / (1 + Δ B·B)}. */
  private void divide(float[] delta, int at, int channels, float[] b, int bAt) {
    float squares = 0;
    for (int n = bAt; n < bAt + spec.stateSize(); n++) {
      squares = Math.fma(b[n], b[n], squares);
    }
    for (int i = at; i < at + channels; i++) {
      delta[i] /= Math.fma(delta[i], squares, 1);
    }
  }

  /** The type {@code mamba}; its settings are those of {@link Spec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "mamba";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new Mamba(Spec.read(settings), site);
    }
  }
}
