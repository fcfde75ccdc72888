package dev.apus.ssm;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.CausalConvolution;
import dev.apus.core.model.MixerState;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.Output;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

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
 * each group of heads: both are in use for models that are otherwise the same.
 *
 * <p>With levels a head keeps one memory for each power of two in the length of its past, and
 * weighs them: {@code λ[level] = softplus(levels ⊙ (W_level u))}. That is log-linear attention.
 *
 * @see <a href="https://arxiv.org/abs/2405.21060">Transformers are SSMs</a>
 * @see <a href="https://arxiv.org/abs/2506.04761">Log-Linear Attention</a>
 */
public final class Mamba2<S extends MixerState> implements SequenceMixer<S> {

  /** The region of the convolution in a state. */
  private static final int CONVOLUTION = 0;

  /** What it costs to make a step and a factor, in multiply-adds. */
  private static final int STEP = 32;

  private final Mamba2Spec spec;
  private final HeadMemories<S> memories;
  private final Kernels kernels;
  private final Projection z;
  private final Projection xbc;
  private final Projection dt;
  private final Projection level;
  private final Output output;
  private final CausalConvolution convolution;
  private final float[] decay;
  private final float[] dtBias;
  private final float[] skip;
  private final float[] levels;
  private final Normalization norm;

  private Mamba2(Mamba2Spec spec, HeadMemories<S> memories, Site site) {
    WeightScope weights = site.weights();
    int width = site.inputs();
    int heads = spec.heads();
    this.spec = spec;
    this.memories = memories;
    this.kernels = site.kernels();
    this.z = weights.projection("z", spec.inner(), width, spec.biased());
    this.xbc = weights.projection("xbc", spec.channels(), width, spec.biased());
    this.dt = weights.projection("dt", heads, width, spec.biased());
    int leveled = heads * spec.levels();
    this.level = leveled == 0 ? null : weights.projection("level", leveled, width, spec.biased());
    this.levels = leveled == 0 ? null : weights.table("levels", heads, spec.levels(), Typical.NORM);
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
  public S newState(int limit) {
    return memories.newState(convolution.region(), limit);
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<S> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      Matrix gates = frame.matrix(rows, spec.inner());
      Matrix mixed = frame.matrix(rows, spec.channels());
      Matrix steps = frame.matrix(rows, spec.heads());
      Matrix weights = level == null ? null : frame.matrix(rows, level.outputs());
      Matrix decays = frame.matrix(rows, spec.heads());
      List<Divisible> tasks = new ArrayList<>();
      tasks.add(
          dt.task(pass, x, 0, steps, 0, STEP, (from, to, worker) -> step(steps, decays, from, to)));
      tasks.add(
          convolution.after(
              xbc, pass, memories.convolved(batch), CONVOLUTION, x, mixed, 0, spec.activation()));
      if (level != null) {
        tasks.add(level.task(pass, x, weights));
      }
      tasks.add(z.task(pass, x, gates));
      pass.run(tasks.toArray(Divisible[]::new));
      if (level != null) {
        weigh(pass, weights);
      }
      Matrix read = output.inner(frame, y);
      Matrix values = memories.inPlace() ? read : frame.matrix(rows, spec.inner());
      var tokens = new HeadMemories.Tokens(mixed, values, decays, weights);
      batch.runs().forEach(memories::prepare);
      boolean gated = norm == null || spec.normAfterGate();
      batch.eachPart(
          pass,
          spec.heads(),
          (run, head, worker) -> {
            int step = Math.min(memories.tokensTogether(), run.length());
            for (int from = run.from(); from < run.to(); from += step) {
              Run<S> some = run.part(from, Math.min(run.to(), from + step));
              scale(some, head, mixed, steps, values);
              memories.advance(pass, worker, some, head, tokens, read);
              skip(some, head, mixed, read);
              if (gated) {
                gate(some, head, gates, read);
              }
            }
          });
      batch.runs().forEach(memories::changed);
      normalize(pass, batch, gates, read);
      output.apply(pass, read, y);
    }
  }

  /** Makes steps of {@code dt}, and of these the factors of the memories, for some heads. */
  private void step(Matrix steps, Matrix decays, int from, int to) {
    var activations = kernels.activations();
    float[] step = steps.data();
    float[] factor = decays.data();
    for (int row = 0; row < steps.rows(); row++) {
      int at = steps.at(row);
      for (int head = from; head < to; head++) {
        step[at + head] = step[at + head] * spec.scales().dt() + dtBias[head];
      }
      activations.apply(Activation.SOFTPLUS, step, at + from, to - from);
      for (int head = from; head < to; head++) {
        step[at + head] = Math.clamp(step[at + head], spec.leastStep(), spec.mostStep());
        factor[at + head] = step[at + head] * decay[head];
      }
      activations.apply(Activation.EXP, factor, at + from, to - from);
    }
  }

  /** Makes weights of levels. */
  private void weigh(Pass pass, Matrix weights) {
    pass.eachRow(
        weights.rows(),
        8 * weights.cols(),
        (from, to, worker) -> {
          int at = weights.at(from);
          int count = weights.at(to) - at;
          for (int i = at; i < at + count; i++) {
            weights.data()[i] *= levels[(i - at) % levels.length];
          }
          kernels.activations().apply(Activation.SOFTPLUS, weights.data(), at, count);
        });
  }

  /** What a head writes: {@code Δx}. */
  private void scale(Run<S> run, int head, Matrix mixed, Matrix steps, Matrix values) {
    for (int row = run.from(); row < run.to(); row++) {
      float step = steps.data()[steps.at(row) + head];
      int from = mixed.at(row) + head * spec.headDim();
      int to = values.at(row) + head * spec.headDim();
      for (int i = 0; i < spec.headDim(); i++) {
        values.data()[to + i] = step * mixed.data()[from + i];
      }
    }
  }

  /** What a head gives besides what it reads: {@code D x}. */
  private void skip(Run<S> run, int head, Matrix mixed, Matrix read) {
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

  private void normalize(Pass pass, Batch<S> batch, Matrix gates, Matrix read) {
    if (norm == null) {
      return;
    }
    int groups = spec.normByGroup() ? spec.groups() : 1;
    int size = spec.inner() / groups;
    norm.groups(pass, read, read, groups, size, size);
    if (!spec.normAfterGate()) {
      batch.eachPart(pass, spec.heads(), (run, head, worker) -> gate(run, head, gates, read));
    }
  }

  private void gate(Run<S> run, int head, Matrix gates, Matrix read) {
    float scale = spec.scales().z();
    int dim = spec.headDim();
    for (int row = run.from(); row < run.to(); row++) {
      int at = read.at(row) + head * dim;
      for (int i = at; scale != 1 && i < at + dim; i++) {
        gates.data()[i] *= scale;
      }
      kernels.activations().gate(Activation.SILU, gates.data(), at, read.data(), at, dim);
    }
  }

  /** The type {@code mamba2}; its settings are those of {@link Mamba2Spec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "mamba2";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      Mamba2Spec spec = Mamba2Spec.read(settings);
      return spec.levels() == 0
          ? new Mamba2<>(spec, new OneMemory(spec), site)
          : new Mamba2<>(spec, new LeveledMemories(spec), site);
    }
  }
}
