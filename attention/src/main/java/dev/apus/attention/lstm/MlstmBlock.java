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
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.activation.Activation;
import java.util.List;

/**
 * The mLSTM block of the first xLSTM, which remembers in a wider space than that of its rows:
 *
 * <pre>
 *   u = W_x x      z = W_z x      c = silu(conv(u) + b)
 *   q, k = [W_q, W_k] c      v = W_v u                       W_q, W_k, W_v of small blocks
 *   ĩ, f̃ = [W_i, W_f] [q; k; v] + b      h = cell(q, k, v, ĩ, f̃)
 *   y = W_o ((norm(h) + s ⊙ c) ⊙ silu(z))                    each head normed by itself
 * </pre>
 *
 * @see <a href="https://arxiv.org/abs/2405.04517">xLSTM</a>
 */
public final class MlstmBlock implements SequenceMixer<RecurrentState> {

  /** The regions of a state; that of the normaliser is the last. */
  private static final int CONVOLUTION = 0;

  private static final int MEMORY = 1;

  private final MatrixCell cell;
  private final int inner;
  private final Projection up;
  private final Projection gate;
  private final CausalConvolution convolution;
  private final BlockProjection queries;
  private final BlockProjection keys;
  private final BlockProjection values;
  private final Projection in;
  private final Projection forget;
  private final Normalization norm;
  private final float[] skip;
  private final Projection output;

  private MlstmBlock(MatrixCell cell, int blockSize, int taps, NormSpec norm, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    this.cell = cell;
    this.inner = cell.heads() * cell.keyDim();
    int blocks = inner / blockSize;
    this.up = weights.projection("x", inner, width);
    this.gate = weights.projection("gate", inner, width);
    this.convolution = CausalConvolution.read(weights, "conv", inner, taps, true);
    this.queries = BlockProjection.read(weights, "q", blocks, blockSize, false);
    this.keys = BlockProjection.read(weights, "k", blocks, blockSize, false);
    this.values = BlockProjection.read(weights, "v", blocks, blockSize, false);
    this.in = weights.projection("i", cell.heads(), 3 * inner, true);
    this.forget = weights.projection("f", cell.heads(), 3 * inner, true);
    this.norm = Normalization.of(norm, "norm", inner, weights);
    this.skip = weights.vector("skip", inner, Typical.NORM);
    this.output = weights.projection("o", width, inner);
  }

  @Override
  public RecurrentState newState(int limit) {
    return RecurrentState.of(
        convolution.region(), cell.memory(), cell.normalizer(), cell.stabilizer());
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      Matrix u = frame.matrix(rows, inner);
      Matrix z = frame.matrix(rows, inner);
      pass.run(up.task(pass, x, u), gate.task(pass, x, z));
      Matrix qkv = frame.matrix(rows, 3 * inner);
      project(pass, batch, u, qkv);
      Matrix ins = frame.matrix(rows, cell.heads());
      Matrix forgets = frame.matrix(rows, cell.heads());
      pass.run(in.task(pass, qkv, ins), forget.task(pass, qkv, forgets));
      Matrix h = frame.matrix(rows, inner);
      var inputs = new MatrixCell.Inputs(qkv, 0, qkv, inner, qkv, 2 * inner);
      cell.advance(pass, batch, MEMORY, inputs, ins, forgets, h);
      batch.runs().forEach(run -> run.state().changed());
      norm.groups(pass, h, h, cell.heads(), cell.keyDim(), cell.keyDim());
      pass.eachRow(rows, 16 * inner, (from, to, worker) -> read(pass, u, z, h, from, to));
      output.apply(pass, h, y);
    }
  }

  /** Convolves {@code u} in place, and projects it before and after. */
  private void project(Pass pass, Batch<RecurrentState> batch, Matrix u, Matrix qkv) {
    pass.run(values.tasks(pass, u, qkv, 2 * inner).toArray(Divisible[]::new));
    convolution.apply(pass, batch, CONVOLUTION, u, 0);
    pass.eachRow(
        u.rows(),
        16 * inner,
        (from, to, worker) ->
            pass.kernels()
                .activations()
                .apply(Activation.SILU, u.data(), u.at(from), u.at(to) - u.at(from)));
    List<Divisible> tasks = queries.tasks(pass, u, qkv, 0);
    tasks.addAll(keys.tasks(pass, u, qkv, inner));
    pass.run(tasks.toArray(Divisible[]::new));
  }

  private void read(Pass pass, Matrix c, Matrix z, Matrix h, int from, int to) {
    for (int row = from; row < to; row++) {
      int at = h.at(row);
      for (int i = 0; i < inner; i++) {
        h.data()[at + i] += skip[i] * c.data()[at + i];
      }
      pass.kernels().activations().gate(Activation.SILU, z.data(), at, h.data(), at, inner);
    }
  }

  /**
   * The type {@code mlstm-block}: {@code inner}, {@code heads}, {@code taps}, {@code blockSize},
   * {@code cap}, {@code epsilon}, {@code norm}.
   */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "mlstm-block";
    }

    @Override
    public SequenceMixer<?> build(Config c, Site site) {
      int inner = c.positive("inner");
      int headDim = c.share("inner", "heads");
      c.share("inner", "blockSize");
      int taps = c.positive("taps");
      if ((long) Math.max(3, taps) * inner > Integer.MAX_VALUE) {
        throw c.error("taps=%d of inner=%d are more than 2^31 − 1 values", taps, inner);
      }
      return new MlstmBlock(
          MatrixCell.read(c, c.positive("heads"), headDim, headDim),
          c.positive("blockSize"),
          taps,
          NormSpec.read(c.section("norm")),
          site);
    }
  }
}
