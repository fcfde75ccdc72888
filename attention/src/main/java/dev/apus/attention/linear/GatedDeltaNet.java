package dev.apus.attention.linear;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.CausalConvolution;
import dev.apus.core.model.MixerType;
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
import dev.apus.kernels.memory.MatrixMemory;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Gated DeltaNet: linear attention that forgets by a gate and overwrites by the delta rule.
 *
 * <pre>
 *   q, k, v = silu(conv([W_q, W_k, W_v] x))      q, k of unit length, q / √keyDim
 *   S ← α ⊙ S      u = β (v − Sᵀk)      S ← S + k ⊗ u      o = Sᵀq
 *   y = W_o (rms(o) ⊙ f(W_z x))
 *   α = exp(A · softplus(W_a x + dtBias)),  A &lt; 0      β = betaScale · σ(W_b x)
 * </pre>
 *
 * <p>A head forgets at one rate, or not at all: DeltaNet; or at one rate for each key: Kimi Delta
 * Attention. Its gates come out of a few values each, {@code W_a = W_a₂ W_a₁} and {@code W_z}
 * likewise. Where forgetting has a bound, {@code α = exp(bound · σ(−A (W_a x + dtBias)))}.
 *
 * <p>Value heads share queries and keys: {@code valueHeads / keyHeads} neighbours those of one
 * head, or, in turn, every {@code keyHeads}-th. The memory kernel has a form for single tokens and
 * one for many; they add up in different orders.
 *
 * @see <a href="https://arxiv.org/abs/2412.06464">Gated Delta Networks</a>
 * @see <a href="https://arxiv.org/abs/2510.26692">Kimi Linear</a>
 */
public final class GatedDeltaNet implements SequenceMixer<RecurrentState> {

  /** Keeps a query or key of zeros from being divided by zero. */
  private static final float UNIT_EPSILON = 1e-6f;

  /** The regions of a state. */
  private static final int CONVOLUTION = 0;

  private static final int MEMORY = 1;

  private final DeltaSpec spec;
  private final MatrixMemory.Shape memory;
  private final Kernels kernels;
  private final Projection q;
  private final Projection k;
  private final Projection v;
  private final LowRank z;
  private final Projection b;
  private final LowRank a;
  private final Projection output;
  private final CausalConvolution convolution;
  private final float[] decay;
  private final float[] dtBias;
  private final float[] norm;

  private GatedDeltaNet(DeltaSpec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    this.spec = spec;
    this.memory = spec.memory();
    this.kernels = site.kernels();
    this.q = weights.projection("q", spec.keyCols(), width);
    this.k = weights.projection("k", spec.keyCols(), width);
    this.v = weights.projection("v", spec.valueCols(), width);
    this.z =
        spec.gate() == null
            ? null
            : LowRank.read(
                weights, "z", spec.valueCols(), width, spec.gateLatent(), spec.gateBiased());
    this.b = spec.beta() ? weights.projection("b", spec.valueHeads(), width) : null;
    int decays = spec.valueHeads() * spec.decays();
    this.a =
        decays == 0 ? null : LowRank.read(weights, "a", decays, width, spec.decayLatent(), false);
    this.output = weights.projection("o", width, spec.valueCols());
    this.convolution =
        spec.taps() == 0
            ? null
            : CausalConvolution.read(weights, "conv", spec.channels(), spec.taps(), false);
    this.decay =
        decays == 0 ? null : weights.vector("decay", spec.valueHeads(), new Typical(-4, 3.9f));
    this.dtBias = decays == 0 ? null : weights.vector("dtBias", decays, new Typical(-3, 1));
    this.norm = weights.vector("norm", spec.valueDim(), Typical.NORM);
  }

  @Override
  public RecurrentState newState(int limit) {
    return RecurrentState.of(
        convolution == null ? new Region(1, 0) : convolution.region(),
        new Region(spec.valueHeads(), (long) spec.keyDim() * spec.valueDim()));
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
      Matrix mixed = frame.matrix(rows, spec.channels());
      Matrix gate = z == null ? null : frame.matrix(rows, spec.valueCols());
      Matrix alpha = a == null ? null : frame.matrix(rows, dtBias.length);
      Matrix beta = frame.matrix(rows, spec.valueHeads());
      List<Divisible> first = new ArrayList<>();
      List<Divisible> second = new ArrayList<>();
      first.add(q.task(pass, x, 0, mixed, 0));
      first.add(k.task(pass, x, 0, mixed, spec.keyCols()));
      first.add(v.task(pass, x, 0, mixed, 2 * spec.keyCols()));
      LowRank.add(z, pass, frame, x, gate, first, second);
      LowRank.add(a, pass, frame, x, alpha, first, second);
      if (b != null) {
        first.add(b.task(pass, x, beta));
      }
      pass.run(first.toArray(Divisible[]::new));
      if (!second.isEmpty()) {
        pass.run(second.toArray(Divisible[]::new));
      }
      if (convolution != null) {
        convolution.apply(pass, batch, CONVOLUTION, mixed, 0);
      }
      unitLength(pass, mixed);
      if (alpha != null) {
        decays(pass, alpha);
      }
      betas(pass, beta);
      Matrix o = frame.matrix(rows, spec.valueCols());
      remember(pass, batch, mixed, alpha, beta, o);
      batch.runs().forEach(run -> run.state().changed());
      normalize(pass, gate, o);
      output.apply(pass, o, y);
    }
  }

  private void unitLength(Pass pass, Matrix mixed) {
    float queryScale = (float) (1 / Math.sqrt(spec.keyDim()));
    int heads = spec.keyHeads();
    int dim = spec.keyDim();
    pass.eachRow(
        mixed.rows(),
        4 * mixed.cols(),
        (from, to, worker) -> {
          float[] data = mixed.data();
          for (int row = from; row < to; row++) {
            int qAt = mixed.at(row);
            int kAt = qAt + spec.keyCols();
            kernels.activations().apply(Activation.SILU, data, qAt, mixed.cols());
            kernels.norms().l2(data, qAt, heads, dim, queryScale, UNIT_EPSILON, data, qAt);
            kernels.norms().l2(data, kAt, heads, dim, 1, UNIT_EPSILON, data, kAt);
          }
        });
  }

  private void decays(Pass pass, Matrix alpha) {
    float bound = spec.decayBound();
    var activations = kernels.activations();
    pass.eachRow(
        alpha.rows(),
        16 * alpha.cols(),
        (from, to, worker) -> {
          float[] values = alpha.data();
          int at = alpha.at(from);
          int count = alpha.at(to) - at;
          for (int row = from; row < to; row++) {
            for (int i = 0; i < dtBias.length; i++) {
              values[alpha.at(row) + i] += dtBias[i];
            }
          }
          if (bound == 0) {
            activations.apply(Activation.SOFTPLUS, values, at, count);
            scale(alpha, from, to, 1);
          } else {
            scale(alpha, from, to, -1);
            activations.apply(Activation.SIGMOID, values, at, count);
            for (int i = at; i < at + count; i++) {
              values[i] *= bound;
            }
          }
          activations.apply(Activation.EXP, values, at, count);
        });
  }

  /** Multiplies what each head's decays are made of by its rate. */
  private void scale(Matrix alpha, int fromRow, int toRow, int sign) {
    int decays = spec.decays();
    for (int row = fromRow; row < toRow; row++) {
      for (int head = 0; head < decay.length; head++) {
        int at = alpha.at(row) + head * decays;
        float rate = sign * decay[head];
        for (int i = at; i < at + decays; i++) {
          alpha.data()[i] *= rate;
        }
      }
    }
  }

  private void betas(Pass pass, Matrix beta) {
    pass.eachRow(
        beta.rows(),
        8 * beta.cols(),
        (from, to, worker) -> {
          int at = beta.at(from);
          int end = beta.at(to);
          if (b == null) {
            Arrays.fill(beta.data(), at, end, 1);
          } else {
            kernels.activations().apply(Activation.SIGMOID, beta.data(), at, end - at);
          }
          for (int i = at; i < end; i++) {
            beta.data()[i] *= spec.betaScale();
          }
        });
  }

  private void remember(
      Pass pass, Batch<RecurrentState> batch, Matrix mixed, Matrix alpha, Matrix beta, Matrix o) {
    int heads = spec.valueHeads();
    batch.eachPart(
        pass,
        heads,
        (run, head, worker) -> {
          run.state().keep(MEMORY, head);
          int channels = spec.channels();
          int at = mixed.at(run.from());
          int qAt = at + spec.keyHead(head) * spec.keyDim();
          int vAt = at + 2 * spec.keyCols() + head * spec.valueDim();
          kernels
              .memory()
              .advance(
                  memory,
                  run.length(),
                  new Rows(mixed.data(), qAt, channels),
                  new Rows(mixed.data(), qAt + spec.keyCols(), channels),
                  new Rows(mixed.data(), vAt, channels),
                  alpha == null
                      ? null
                      : new Rows(
                          alpha.data(), alpha.at(run.from()) + head * spec.decays(), alpha.cols()),
                  new Rows(beta.data(), beta.at(run.from()) + head, heads),
                  run.state().segment(),
                  run.state().at(MEMORY, head),
                  new Rows(o.data(), o.at(run.from()) + head * spec.valueDim(), o.cols()),
                  pass.scratch(worker, kernels.memory().scratchFloats(memory)));
        });
  }

  private void normalize(Pass pass, Matrix gate, Matrix o) {
    int heads = spec.valueHeads();
    int cols = o.cols();
    pass.eachRow(
        o.rows(),
        4 * cols,
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            int at = o.at(row);
            kernels
                .norms()
                .rms(o.data(), at, heads, spec.valueDim(), norm, 0, spec.epsilon(), o.data(), at);
            if (gate != null) {
              kernels.activations().gate(spec.gate(), gate.data(), at, o.data(), at, cols);
            }
          }
        });
  }

  /** The type {@code gated-delta-net}; its settings are those of {@link DeltaSpec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "gated-delta-net";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new GatedDeltaNet(DeltaSpec.read(settings), site);
    }
  }
}
