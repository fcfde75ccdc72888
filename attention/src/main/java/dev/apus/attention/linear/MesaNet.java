package dev.apus.attention.linear;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.CausalConvolution;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Normalization;
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
import dev.apus.kernels.memory.MatrixMemory.Inputs;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.util.ArrayList;
import java.util.List;

/**
 * MesaNet: linear attention that answers each query by the map that fits best, in least squares,
 * the keys and values so far.
 *
 * <pre>
 *   q, k = silu(conv([W_q, W_k] x)) of unit length      v = W_v x
 *   G ← γ G + β k ⊗ k      S ← γ S + β k ⊗ v             γ = σ(W_a x), β = σ(W_b x) for each head
 *   o = Sᵀ (G + diag(λ))⁻¹ q                             λ = softplus(ridge) + leastRidge
 *   y = W_o (norm(o) ⊙ f(W_z x))
 * </pre>
 *
 * <p>The system is solved for every token by a number of steps of conjugate gradients, which is as
 * much as the model was trained with, and not to the last digit. G moves on token by token, since
 * each needs it for itself; S by the memory kernel, which has a form for single tokens and one for
 * many.
 *
 * @see <a href="https://arxiv.org/abs/2506.05233">MesaNet</a>
 */
public final class MesaNet implements SequenceMixer<RecurrentState> {

  /** Keeps a query or key of zeros from being divided by zero. */
  private static final float UNIT_EPSILON = 1e-6f;

  /** The regions of a state. */
  private static final int CONVOLUTION = 0;

  private static final int KEYS = 1;
  private static final int VALUES = 2;

  private final MesaSpec spec;
  private final MatrixMemory.Shape memory;
  private final Kernels kernels;
  private final Projection q;
  private final Projection k;
  private final Projection v;
  private final Projection a;
  private final Projection b;
  private final Projection z;
  private final Projection output;
  private final CausalConvolution convolution;
  private final Normalization norm;
  private final float[] ridge;

  private MesaNet(MesaSpec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    int inner = spec.inner();
    this.spec = spec;
    this.memory = spec.memory();
    this.kernels = site.kernels();
    this.q = weights.projection("q", inner, width);
    this.k = weights.projection("k", inner, width);
    this.v = weights.projection("v", inner, width);
    this.a = weights.projection("a", spec.heads(), width, true);
    this.b = weights.projection("b", spec.heads(), width, true);
    this.z = spec.gate() == null ? null : weights.projection("z", inner, width);
    this.output = weights.projection("o", width, inner);
    this.convolution = CausalConvolution.read(weights, "conv", 2 * inner, spec.taps(), false);
    this.norm = Normalization.of(spec.norm(), "norm", spec.headDim(), weights);
    this.ridge = weights.vector("ridge", inner, new Typical(0, 1)).clone();
    kernels.activations().apply(Activation.SOFTPLUS, ridge, 0, inner);
    for (int i = 0; i < inner; i++) {
      ridge[i] += spec.leastRidge();
    }
  }

  @Override
  public RecurrentState newState(int limit) {
    Region keys = new Region(spec.heads(), (long) spec.headDim() * spec.headDim());
    return RecurrentState.of(convolution.region(), keys, Region.of(spec.heads(), memory));
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  /**
   * What the rows say.
   *
   * @param qk queries and keys of all heads, of unit length
   * @param fresh {@code β k} of each head, and what is found for its queries
   * @param v values, and later {@code β v}
   */
  private record Tokens(Matrix qk, Matrix fresh, Matrix v, Matrix gamma, Matrix beta) {}

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      int inner = spec.inner();
      var tokens =
          new Tokens(
              frame.matrix(rows, 2 * inner),
              frame.matrix(rows, 2 * inner),
              frame.matrix(rows, inner),
              frame.matrix(rows, spec.heads()),
              frame.matrix(rows, spec.heads()));
      Matrix gate = z == null ? null : frame.matrix(rows, inner);
      List<Divisible> tasks = new ArrayList<>();
      Activation none = Activation.IDENTITY;
      tasks.add(convolution.after(q, pass, batch, CONVOLUTION, x, tokens.qk, 0, none));
      tasks.add(convolution.after(k, pass, batch, CONVOLUTION, x, tokens.qk, inner, none));
      tasks.add(v.task(pass, x, tokens.v));
      tasks.add(a.task(pass, x, tokens.gamma));
      tasks.add(b.task(pass, x, tokens.beta));
      if (z != null) {
        tasks.add(z.task(pass, x, gate));
      }
      pass.run(tasks.toArray(Divisible[]::new));
      activate(pass, tokens);
      Matrix o = frame.matrix(rows, inner);
      batch.eachPart(
          pass, spec.heads(), (run, head, worker) -> answer(pass, run, head, worker, tokens, o));
      batch.runs().forEach(run -> run.state().changed());
      norm.groups(pass, o, o, spec.heads(), spec.headDim(), 0);
      if (gate != null) {
        gate(pass, gate, o);
      }
      output.apply(pass, o, y);
    }
  }

  private void activate(Pass pass, Tokens tokens) {
    int inner = spec.inner();
    int heads = spec.heads();
    Matrix qk = tokens.qk;
    var activations = kernels.activations();
    pass.eachRow(
        qk.rows(),
        4 * qk.cols(),
        (from, to, worker) -> {
          activations.apply(Activation.SILU, qk.data(), qk.at(from), qk.at(to) - qk.at(from));
          int at = tokens.beta.at(from);
          int count = tokens.beta.at(to) - at;
          activations.apply(Activation.SIGMOID, tokens.beta.data(), at, count);
          activations.apply(Activation.SIGMOID, tokens.gamma.data(), at, count);
          for (int row = from; row < to; row++) {
            kernels
                .norms()
                .l2(
                    qk.data(),
                    qk.at(row),
                    2 * heads,
                    spec.headDim(),
                    1,
                    UNIT_EPSILON,
                    qk.data(),
                    qk.at(row));
            for (int i = 0; i < inner; i++) {
              float beta = tokens.beta.data()[tokens.beta.at(row) + i / spec.headDim()];
              int key = qk.at(row) + inner + i;
              tokens.fresh.data()[key] = beta * qk.data()[key];
              tokens.v.data()[tokens.v.at(row) + i] *= beta;
            }
          }
        });
  }

  /** Takes both memories of a head past the tokens of a run. */
  private void answer(
      Pass pass, Run<RecurrentState> run, int head, int worker, Tokens tokens, Matrix o) {
    RecurrentState state = run.state();
    state.keep(KEYS, head);
    int dim = spec.headDim();
    Matrix qk = tokens.qk;
    int keys = spec.inner() + head * dim;
    float[] scratch = pass.scratch(worker, kernels.solver().scratchFloats(dim));
    for (int row = run.from(); row < run.to(); row++) {
      kernels
          .memory()
          .write(
              memory,
              tokens.gamma.data()[tokens.gamma.at(row) + head],
              qk.data(),
              qk.at(row) + keys,
              tokens.fresh.data(),
              tokens.fresh.at(row) + keys,
              state.segment(),
              state.at(KEYS, head));
      kernels
          .solver()
          .solve(
              dim,
              spec.steps(),
              state.segment(),
              state.at(KEYS, head),
              ridge,
              head * dim,
              qk.data(),
              qk.at(row) + head * dim,
              tokens.fresh.data(),
              tokens.fresh.at(row) + head * dim,
              scratch);
    }
    var in =
        new Inputs(
            tokens.fresh.from(run.from(), head * dim),
            qk.from(run.from(), keys),
            tokens.v.from(run.from(), head * dim),
            tokens.gamma.from(run.from(), head),
            null);
    Rows read = o.from(run.from(), head * dim);
    state.remember(pass, worker, VALUES, head, run.length(), in, read);
  }

  private void gate(Pass pass, Matrix gate, Matrix o) {
    pass.eachRow(
        o.rows(),
        8 * o.cols(),
        (from, to, worker) -> {
          int at = o.at(from);
          kernels.activations().gate(spec.gate(), gate.data(), at, o.data(), at, o.at(to) - at);
        });
  }

  /** The type {@code mesa-net}; its settings are those of {@link MesaSpec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "mesa-net";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new MesaNet(MesaSpec.read(settings), site);
    }
  }
}
