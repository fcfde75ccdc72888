package dev.apus.attention.linear;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.CausalConvolution;
import dev.apus.core.model.MixerType;
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

/**
 * Gated DeltaNet: linear attention that forgets by a gate and overwrites by the delta rule.
 *
 * <pre>
 *   q, k, v = silu(conv(W_qkv x))        q, k of unit length, q / √keyDim
 *   S ← α S      u = β (v − Sᵀk)      S ← S + k ⊗ u      o = Sᵀq
 *   y = W_o (rms(o) ⊙ f(W_z x))
 *   α = exp(A · softplus(W_a x + dtBias)),  A &lt; 0      β = betaScale · σ(W_b x)
 * </pre>
 *
 * <p>Value heads share the queries and keys of {@code valueHeads / keyHeads} neighbours. The memory
 * kernel has a form for single tokens and one for many; they add up in different orders.
 *
 * @see <a href="https://arxiv.org/abs/2412.06464">Gated Delta Networks</a>
 */
public final class GatedDeltaNet implements SequenceMixer<RecurrentState> {

  /** Keeps a query or key of zeros from being divided by zero. */
  private static final float UNIT_EPSILON = 1e-6f;

  /** The regions of a state. */
  private static final int CONVOLUTION = 0;

  private static final int MEMORY = 1;

  /**
   * @param keyHeads heads of queries and keys
   * @param taps length of the short convolution
   * @param betaScale 2 where the memory may have negative eigenvalues, otherwise 1
   * @param gate the function of the output gate
   */
  record Spec(
      int keyHeads,
      int valueHeads,
      int keyDim,
      int valueDim,
      int taps,
      float betaScale,
      Activation gate,
      float epsilon) {

    static Spec read(Config c) {
      int keyHeads = c.positive("keyHeads");
      int valueHeads = c.positive("valueHeads", keyHeads);
      if (valueHeads % keyHeads != 0) {
        throw c.error("valueHeads=%d is not divisible by keyHeads=%d", valueHeads, keyHeads);
      }
      int keyDim = c.positive("keyDim");
      int valueDim = c.positive("valueDim");
      if (2.0 * keyHeads * keyDim + (double) valueHeads * valueDim > Integer.MAX_VALUE) {
        throw c.error("queries, keys and values are more than 2^31 − 1 values a row");
      }
      int taps = c.positive("taps");
      checkState(c, valueHeads, keyDim, valueDim, taps, 2 * keyHeads * keyDim);
      return new Spec(
          keyHeads,
          valueHeads,
          keyDim,
          valueDim,
          taps,
          c.real("betaScale", 1),
          c.choice("gate", "silu", "silu", "sigmoid").equals("silu")
              ? Activation.SILU
              : Activation.SIGMOID,
          c.real("epsilon", 1e-6f));
    }

    /** What a sequence remembers must fit into arrays, in which it is copied. */
    private static void checkState(
        Config c, int valueHeads, int keyDim, int valueDim, int taps, int queriesAndKeys) {
      if ((double) valueHeads * keyDim * valueDim > Integer.MAX_VALUE) {
        throw c.error(
            "valueHeads=%d of keyDim=%d by valueDim=%d are more than 2^31 − 1 values",
            valueHeads, keyDim, valueDim);
      }
      int channels = queriesAndKeys + valueHeads * valueDim;
      if ((long) taps * channels > Integer.MAX_VALUE) {
        throw c.error(
            "taps=%d of %d queries, keys and values are more than 2^31 − 1 values", taps, channels);
      }
    }

    int keyCols() {
      return keyHeads * keyDim;
    }

    int valueCols() {
      return valueHeads * valueDim;
    }

    int channels() {
      return 2 * keyCols() + valueCols();
    }

    MatrixMemory.Shape memory() {
      return new MatrixMemory.Shape(
          keyDim, valueDim, MatrixMemory.Decay.SCALAR, MatrixMemory.Write.DELTA);
    }
  }

  private final Spec spec;
  private final MatrixMemory.Shape memory;
  private final Kernels kernels;
  private final Projection qkv;
  private final Projection z;
  private final Projection b;
  private final Projection a;
  private final Projection output;
  private final CausalConvolution convolution;
  private final float[] decay;
  private final float[] dtBias;
  private final float[] norm;

  private GatedDeltaNet(Spec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    this.spec = spec;
    this.memory = spec.memory();
    this.kernels = site.kernels();
    this.qkv = weights.projection("qkv", spec.channels(), width);
    this.z = weights.projection("z", spec.valueCols(), width);
    this.b = weights.projection("b", spec.valueHeads(), width);
    this.a = weights.projection("a", spec.valueHeads(), width);
    this.output = weights.projection("o", width, spec.valueCols());
    this.convolution = CausalConvolution.read(weights, "conv", spec.channels(), spec.taps(), false);
    this.decay = weights.vector("decay", spec.valueHeads(), new Typical(-4, 3.9f));
    this.dtBias = weights.vector("dtBias", spec.valueHeads(), new Typical(-3, 1));
    this.norm = weights.vector("norm", spec.valueDim(), Typical.NORM);
  }

  @Override
  public RecurrentState newState(int limit) {
    return RecurrentState.of(
        convolution.region(),
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
      Matrix gate = frame.matrix(rows, spec.valueCols());
      Matrix alpha = frame.matrix(rows, spec.valueHeads());
      Matrix beta = frame.matrix(rows, spec.valueHeads());
      pass.run(
          qkv.task(pass, x, mixed),
          z.task(pass, x, gate),
          a.task(pass, x, alpha),
          b.task(pass, x, beta));
      convolution.apply(pass, batch, CONVOLUTION, mixed, 0);
      unitLength(pass, mixed);
      gates(pass, alpha, beta);
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
            int q = mixed.at(row);
            int k = q + spec.keyCols();
            kernels.activations().apply(Activation.SILU, data, q, mixed.cols());
            kernels.norms().l2(data, q, heads, dim, queryScale, UNIT_EPSILON, data, q);
            kernels.norms().l2(data, k, heads, dim, 1, UNIT_EPSILON, data, k);
          }
        });
  }

  private void gates(Pass pass, Matrix alpha, Matrix beta) {
    int heads = spec.valueHeads();
    var activations = kernels.activations();
    pass.eachRow(
        alpha.rows(),
        16 * heads,
        (from, to, worker) -> {
          int at = alpha.at(from);
          int count = alpha.at(to) - at;
          for (int row = from; row < to; row++) {
            for (int head = 0; head < heads; head++) {
              alpha.data()[alpha.at(row) + head] += dtBias[head];
            }
          }
          activations.apply(Activation.SOFTPLUS, alpha.data(), at, count);
          for (int row = from; row < to; row++) {
            for (int head = 0; head < heads; head++) {
              alpha.data()[alpha.at(row) + head] *= decay[head];
            }
          }
          activations.apply(Activation.EXP, alpha.data(), at, count);
          activations.apply(Activation.SIGMOID, beta.data(), at, count);
          for (int i = at; i < at + count; i++) {
            beta.data()[i] *= spec.betaScale();
          }
        });
  }

  private void remember(
      Pass pass, Batch<RecurrentState> batch, Matrix mixed, Matrix alpha, Matrix beta, Matrix o) {
    int heads = spec.valueHeads();
    pass.workers()
        .run(
            batch.runs().size() * heads,
            (part, worker) -> {
              Run<RecurrentState> run = batch.runs().get(part / heads);
              int head = part % heads;
              run.state().keep(MEMORY, head);
              int keyHead = head / (heads / spec.keyHeads());
              int channels = spec.channels();
              int at = mixed.at(run.from());
              int q = at + keyHead * spec.keyDim();
              int v = at + 2 * spec.keyCols() + head * spec.valueDim();
              kernels
                  .memory()
                  .advance(
                      memory,
                      run.length(),
                      new Rows(mixed.data(), q, channels),
                      new Rows(mixed.data(), q + spec.keyCols(), channels),
                      new Rows(mixed.data(), v, channels),
                      new Rows(alpha.data(), alpha.at(run.from()) + head, heads),
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
            kernels.activations().gate(spec.gate(), gate.data(), at, o.data(), at, cols);
          }
        });
  }

  /** The type {@code gated-delta-net}; its settings are those of {@link Spec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "gated-delta-net";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new GatedDeltaNet(Spec.read(settings), site);
    }
  }
}
