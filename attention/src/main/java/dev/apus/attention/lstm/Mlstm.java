package dev.apus.attention.lstm;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.Output;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.activation.Activation;

/**
 * An mLSTM layer as xLSTM 7B has it, with the cell {@link MatrixCell} on the rows themselves:
 *
 * <pre>
 *   q, k, v = [W_q, W_k, W_v] x      ĩ, f̃ = cap([W_i, W_f] x + b)      h = cell(q, k, v, ĩ, f̃)
 *   y = W_o (norm(h) ⊙ σ(W_g x))                                       each head normed by itself
 * </pre>
 *
 * @see <a href="https://arxiv.org/abs/2503.13427">xLSTM 7B</a>
 */
public final class Mlstm implements SequenceMixer<RecurrentState> {

  private final MatrixCell cell;
  private final Projection queries;
  private final Projection keys;
  private final Projection values;
  private final Projection in;
  private final Projection forget;
  private final Projection gate;
  private final Normalization norm;
  private final Output output;

  private Mlstm(MatrixCell cell, NormSpec norm, boolean projected, Site site) {
    WeightScope weights = site.weights();
    int width = site.inputs();
    int keyCols = cell.heads() * cell.keyDim();
    int valueCols = cell.heads() * cell.valueDim();
    this.cell = cell;
    this.queries = weights.projection("q", keyCols, width);
    this.keys = weights.projection("k", keyCols, width);
    this.values = weights.projection("v", valueCols, width);
    this.in = weights.projection("i", cell.heads(), width, true);
    this.forget = weights.projection("f", cell.heads(), width, true);
    this.gate = weights.projection("gate", valueCols, width);
    this.norm = Normalization.of(norm, "norm", valueCols, weights);
    this.output = Output.of(projected, site, valueCols, false);
  }

  @Override
  public RecurrentState newState(int limit) {
    return RecurrentState.of(cell.memory(), cell.normalizer(), cell.stabilizer());
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      Matrix q = frame.matrix(rows, queries.outputs());
      Matrix k = frame.matrix(rows, keys.outputs());
      Matrix v = frame.matrix(rows, values.outputs());
      Matrix ins = frame.matrix(rows, cell.heads());
      Matrix forgets = frame.matrix(rows, cell.heads());
      Matrix gates = frame.matrix(rows, gate.outputs());
      pass.run(
          queries.task(pass, x, q),
          keys.task(pass, x, k),
          values.task(pass, x, v),
          in.task(pass, x, ins),
          forget.task(pass, x, forgets),
          gate.task(pass, x, gates));
      Matrix h = output.inner(frame, y);
      cell.advance(pass, batch, 0, new MatrixCell.Inputs(q, 0, k, 0, v, 0), ins, forgets, h);
      batch.runs().forEach(run -> run.state().changed());
      norm.groups(pass, h, h, cell.heads(), cell.valueDim(), cell.valueDim());
      pass.eachRow(
          rows,
          16 * h.cols(),
          (from, to, worker) -> {
            int at = h.at(from);
            pass.kernels()
                .activations()
                .gate(Activation.SIGMOID, gates.data(), at, h.data(), at, h.at(to) - at);
          });
      output.apply(pass, h, y);
    }
  }

  /**
   * The type {@code mlstm}: {@code heads}, {@code keyDim}, {@code valueDim}, {@code cap}, {@code
   * epsilon}, {@code norm}, {@code projected}.
   */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "mlstm";
    }

    @Override
    public SequenceMixer<?> build(Config c, Site site) {
      int keyDim = c.positive("keyDim");
      var cell = MatrixCell.read(c, c.positive("heads"), keyDim, c.positive("valueDim", keyDim));
      return new Mlstm(cell, NormSpec.read(c.section("norm")), c.flag("projected", true), site);
    }
  }
}
