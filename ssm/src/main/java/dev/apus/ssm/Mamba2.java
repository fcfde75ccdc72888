package dev.apus.ssm;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.CausalConvolution;
import dev.apus.core.model.MixerType;
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
import dev.apus.kernels.memory.MatrixMemory;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.util.Arrays;

/**
 * Mamba-2: a state-space model whose memory of each head decays by one factor, which is linear
 * attention with C for queries, B for keys and Δx for values.
 *
 * <pre>
 *   z = W_z u      x, B, C = silu(conv(W_xBC u))      Δ = clamp(softplus(W_dt u + dtBias))
 *   S ← exp(Δ A) S + B ⊗ Δx,  A &lt; 0      y = SᵀC + D x                   for each head
 *   out = W_o norm(y ⊙ silu(z))           or W_o (norm(y) ⊙ silu(z)), or without a norm
 * </pre>
 *
 * <p>Heads share the B and C of their group. The norm's mean is taken over the whole row or over
 * each group of heads: both are in use for models that are otherwise the same. The memory kernel
 * has a form for single tokens and one for many; they add up in different orders.
 *
 * @see <a href="https://arxiv.org/abs/2405.21060">Transformers are SSMs</a>
 */
public final class Mamba2 implements SequenceMixer<RecurrentState> {

  /** The regions of a state. */
  private static final int CONVOLUTION = 0;

  private static final int MEMORY = 1;

  private final Mamba2Spec spec;
  private final MatrixMemory.Shape memory;
  private final Kernels kernels;
  private final Projection z;
  private final Projection xbc;
  private final Projection dt;
  private final Output output;
  private final CausalConvolution convolution;
  private final float[] decay;
  private final float[] dtBias;
  private final float[] skip;
  private final Normalization norm;

  private Mamba2(Mamba2Spec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.inputs();
    int heads = spec.heads();
    this.spec = spec;
    this.memory = spec.memory();
    this.kernels = site.kernels();
    this.z = weights.projection("z", spec.inner(), width, spec.biased());
    this.xbc = weights.projection("xbc", spec.channels(), width, spec.biased());
    this.dt = weights.projection("dt", heads, width, spec.biased());
    this.output = Output.of(spec.projected(), site, spec.inner(), spec.outBiased());
    this.convolution =
        CausalConvolution.read(weights, "conv", spec.channels(), spec.taps(), spec.convBiased())
            .ofScaled(channelScales(spec));
    this.decay = weights.vector("decay", heads, new Typical(-4, 3.9f));
    this.dtBias = weights.vector("dtBias", heads, new Typical(-3, 1));
    this.skip = weights.vector("d", heads, Typical.NORM);
    this.norm = Normalization.of(spec.norm(), "norm", spec.inner(), weights);
  }

  /** The factors on x, B and C. */
  private static float[] channelScales(Mamba2Spec spec) {
    float[] scales = new float[spec.channels()];
    int b = spec.inner();
    int c = b + spec.shared();
    Arrays.fill(scales, 0, b, spec.scales().x());
    Arrays.fill(scales, b, c, spec.scales().b());
    Arrays.fill(scales, c, scales.length, spec.scales().c());
    return scales;
  }

  @Override
  public RecurrentState newState(int limit) {
    return RecurrentState.of(
        convolution.region(), new Region(spec.heads(), (long) spec.stateSize() * spec.headDim()));
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public int grain() {
    return MatrixMemory.SHORTEST_CHUNKED;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      Matrix gates = frame.matrix(rows, spec.inner());
      Matrix mixed = frame.matrix(rows, spec.channels());
      Matrix steps = frame.matrix(rows, spec.heads());
      pass.run(z.task(pass, x, gates), xbc.task(pass, x, mixed), dt.task(pass, x, steps));
      convolution.apply(pass, batch, CONVOLUTION, mixed, 0);
      Matrix decays = frame.matrix(rows, spec.heads());
      activate(pass, mixed, steps, decays);
      Matrix values = frame.matrix(rows, spec.inner());
      Matrix read = output.inner(frame, y);
      remember(pass, batch, mixed, steps, decays, values, read);
      batch.runs().forEach(run -> run.state().changed());
      gateAndNormalize(pass, gates, read);
      output.apply(pass, read, y);
    }
  }

  /** Makes steps of {@code dt}, and of these the factors of the memories. */
  private void activate(Pass pass, Matrix mixed, Matrix steps, Matrix decays) {
    int heads = spec.heads();
    var activations = kernels.activations();
    pass.eachRow(
        mixed.rows(),
        4 * mixed.cols(),
        (from, to, worker) -> {
          int first = mixed.at(from);
          activations.apply(spec.activation(), mixed.data(), first, mixed.at(to) - first);
          int at = steps.at(from);
          int count = steps.at(to) - at;
          float[] step = steps.data();
          float[] factor = decays.data();
          for (int i = at; i < at + count; i++) {
            step[i] = step[i] * spec.scales().dt() + dtBias[(i - at) % heads];
          }
          activations.apply(Activation.SOFTPLUS, step, at, count);
          for (int i = at; i < at + count; i++) {
            step[i] = Math.clamp(step[i], spec.leastStep(), spec.mostStep());
            factor[i] = step[i] * decay[(i - at) % heads];
          }
          activations.apply(Activation.EXP, factor, at, count);
        });
  }

  private void remember(
      Pass pass,
      Batch<RecurrentState> batch,
      Matrix mixed,
      Matrix steps,
      Matrix decays,
      Matrix values,
      Matrix read) {
    batch.eachPart(
        pass,
        spec.heads(),
        (run, head, worker) -> {
          scale(run, head, mixed, steps, values);
          advance(pass, worker, run, head, mixed, decays, values, read);
          skip(run, head, mixed, read);
        });
  }

  /** What a head writes: {@code Δx}. */
  private void scale(Run<RecurrentState> run, int head, Matrix mixed, Matrix steps, Matrix values) {
    for (int row = run.from(); row < run.to(); row++) {
      float step = steps.data()[steps.at(row) + head];
      int from = mixed.at(row) + head * spec.headDim();
      int to = values.at(row) + head * spec.headDim();
      for (int i = 0; i < spec.headDim(); i++) {
        values.data()[to + i] = step * mixed.data()[from + i];
      }
    }
  }

  private void advance(
      Pass pass,
      int worker,
      Run<RecurrentState> run,
      int head,
      Matrix mixed,
      Matrix decays,
      Matrix values,
      Matrix read) {
    run.state().keep(MEMORY, head);
    int group = head / (spec.heads() / spec.groups());
    int b = mixed.at(run.from()) + spec.inner() + group * spec.stateSize();
    int at = head * spec.headDim();
    kernels
        .memory()
        .advance(
            memory,
            run.length(),
            new Rows(mixed.data(), b + spec.shared(), mixed.cols()),
            new Rows(mixed.data(), b, mixed.cols()),
            new Rows(values.data(), values.at(run.from()) + at, values.cols()),
            new Rows(decays.data(), decays.at(run.from()) + head, decays.cols()),
            null,
            run.state().segment(),
            run.state().at(MEMORY, head),
            new Rows(read.data(), read.at(run.from()) + at, read.cols()),
            pass.scratch(worker, kernels.memory().scratchFloats(memory)));
  }

  /** What a head gives besides what it reads: {@code D x}. */
  private void skip(Run<RecurrentState> run, int head, Matrix mixed, Matrix read) {
    int at = head * spec.headDim();
    for (int row = run.from(); row < run.to(); row++) {
      kernels
          .activations()
          .addScaled(
              skip[head],
              mixed.data(),
              mixed.at(row) + at,
              read.data(),
              read.at(row) + at,
              spec.headDim());
    }
  }

  private void gateAndNormalize(Pass pass, Matrix gates, Matrix read) {
    int groups = spec.normByGroup() ? spec.groups() : 1;
    int size = spec.inner() / groups;
    if (norm != null && !spec.normAfterGate()) {
      norm.groups(pass, read, read, groups, size, size);
    }
    gate(pass, gates, read);
    if (norm != null && spec.normAfterGate()) {
      norm.groups(pass, read, read, groups, size, size);
    }
  }

  private void gate(Pass pass, Matrix gates, Matrix read) {
    float scale = spec.scales().z();
    pass.eachRow(
        read.rows(),
        4 * read.cols(),
        (from, to, worker) -> {
          int at = read.at(from);
          int count = read.at(to) - at;
          for (int i = at; scale != 1 && i < at + count; i++) {
            gates.data()[i] *= scale;
          }
          kernels.activations().gate(Activation.SILU, gates.data(), at, read.data(), at, count);
        });
  }

  /** The type {@code mamba2}; its settings are those of {@link Mamba2Spec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "mamba2";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new Mamba2(Mamba2Spec.read(settings), site);
    }
  }
}
