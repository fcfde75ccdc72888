package dev.apus.ssm.structured;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.CausalConvolution;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;

/**
 * H3: a state space that shifts and one that is a diagonal, with products between them, so that a
 * token can be remembered with what followed another.
 *
 * <pre>
 *   q, k, v = W x + b      k̄ = shift(k)      y = W_o (qᵀ · ssm(k̄ ⊗ v)) + b_o      for each head
 * </pre>
 *
 * <p>A shifting state space and its skip are a causal convolution of as many taps as it has states.
 * The outer product of a head has {@code headDim²} channels, which all go through the head's
 * system.
 *
 * @see <a href="https://arxiv.org/abs/2212.14052">Hungry Hungry Hippos</a>
 */
public final class H3 implements SequenceMixer<RecurrentState> {

  private static final int SHIFT = 0;
  private static final int SYSTEMS = 1;

  private final int headDim;
  private final Projection q;
  private final Projection k;
  private final Projection v;
  private final Projection output;
  private final CausalConvolution shift;
  private final ChannelSystems systems;

  /**
   * @param taps states of the shifting state space
   */
  record Spec(int headDim, int taps, boolean biased, ChannelSystems.Spec system) {

    static Spec read(Config c, int width, int context) {
      int headDim = c.positive("headDim", 1);
      if (width % headDim != 0) {
        throw c.errorAt("headDim", "headDim=%d does not divide the width of %d", headDim, width);
      }
      if ((long) width * headDim > Integer.MAX_VALUE) {
        throw c.errorAt("headDim", "headDim=%d makes more than 2^31 − 1 products a row", headDim);
      }
      int taps = c.positive("taps", 64);
      if ((long) taps * width > Integer.MAX_VALUE) {
        throw c.errorAt("taps", "taps=%d of %d keys are more than 2^31 − 1 values", taps, width);
      }
      return new Spec(
          headDim,
          taps,
          c.flag("biased", true),
          ChannelSystems.Spec.read(c, width / headDim, headDim * headDim, context));
    }
  }

  private H3(Spec spec, Site site) {
    var weights = site.weights();
    int width = site.width();
    this.headDim = spec.headDim();
    this.q = weights.projection("q", width, width, spec.biased());
    this.k = weights.projection("k", width, width, spec.biased());
    this.v = weights.projection("v", width, width, spec.biased());
    this.output = weights.projection("o", width, width, spec.biased());
    this.shift = CausalConvolution.read(weights, "shift", width, spec.taps(), false);
    this.systems = ChannelSystems.read(spec.system(), weights, width / headDim, headDim * headDim);
  }

  @Override
  public RecurrentState newState(int limit) {
    return RecurrentState.of(shift.region(), systems.region());
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      int width = x.cols();
      Matrix queries = frame.matrix(rows, width);
      Matrix keys = frame.matrix(rows, width);
      Matrix values = frame.matrix(rows, width);
      pass.run(q.task(pass, x, queries), k.task(pass, x, keys), v.task(pass, x, values));
      shift.apply(pass, batch, SHIFT, keys, 0);
      Matrix products = frame.matrix(rows, width * headDim);
      Matrix answers = frame.matrix(rows, width * headDim);
      pass.eachRow(
          rows,
          width * headDim,
          (from, to, worker) -> {
            for (int row = from; row < to; row++) {
              multiply(keys, values, products, row);
            }
          });
      systems.apply(pass, batch, SYSTEMS, products, answers);
      batch.runs().forEach(run -> run.state().changed());
      pass.eachRow(
          rows,
          width * headDim,
          (from, to, worker) -> {
            for (int row = from; row < to; row++) {
              read(queries, answers, values, row);
            }
          });
      output.apply(pass, values, y);
    }
  }

  /** {@code k ⊗ v} of each head. */
  private void multiply(Matrix keys, Matrix values, Matrix products, int row) {
    int at = products.at(row);
    for (int head = keys.at(row); head < keys.at(row + 1); head += headDim) {
      for (int i = 0; i < headDim; i++) {
        float key = keys.data()[head + i];
        for (int j = 0; j < headDim; j++, at++) {
          products.data()[at] = key * values.data()[head + j];
        }
      }
    }
  }

  /** {@code qᵀ · answers} of each head, first query first. */
  private void read(Matrix queries, Matrix answers, Matrix out, int row) {
    float[] data = out.data();
    int at = answers.at(row);
    for (int head = queries.at(row); head < queries.at(row + 1); head += headDim) {
      for (int i = 0; i < headDim; i++) {
        float query = queries.data()[head + i];
        for (int j = 0; j < headDim; j++, at++) {
          float before = i == 0 ? 0 : data[head + j];
          data[head + j] = Math.fma(query, answers.data()[at], before);
        }
      }
    }
  }

  /** The type {@code h3}; its settings are those of {@link Spec} and of a system. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "h3";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new H3(Spec.read(settings, site.width(), site.context()), site);
    }
  }
}
