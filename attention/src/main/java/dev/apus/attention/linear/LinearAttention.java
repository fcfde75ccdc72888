package dev.apus.attention.linear;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.memory.MatrixMemory;
import dev.apus.kernels.memory.MatrixMemory.Inputs;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.memory.MatrixMemory.Shape;
import dev.apus.kernels.memory.MatrixMemory.Write;
import java.util.ArrayList;
import java.util.List;

/**
 * Linear attention: memories that add, and forget.
 *
 * <pre>
 *   S ← D ⊙ S + φ(k) ⊗ v      z ← D ⊙ z + φ(k)
 *   o = Sᵀφ(q)  or  Sᵀφ(q) / (z·φ(q) + ε)
 *   y = W_o (norm(f(o)) ⊙ g(W_g x))
 * </pre>
 *
 * <p>of {@link HeadInputs queries, keys and values}, with a {@link Denominator} if there is one,
 * {@link Forgetting decays} that are constant or come from the token and may make the keys, and a
 * {@link Readout}.
 *
 * @see <a href="https://arxiv.org/abs/2006.16236">Transformers are RNNs</a>
 * @see <a href="https://arxiv.org/abs/2312.06635">Gated Linear Attention</a>
 */
public final class LinearAttention implements SequenceMixer<RecurrentState> {

  private final LinearSpec spec;
  private final Kernels kernels;
  private final HeadInputs inputs;
  private final Forgetting forgetting;
  private final GreatestScale greatest;
  private final float[] rates;
  private final Readout readout;
  private final Projection output;
  private final Shape memory;

  /** The regions of a state: the memories, and what its parts remember. */
  private final List<Region> regions = new ArrayList<>();

  LinearAttention(LinearSpec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    HeadSpec s = spec.heads();
    this.spec = spec;
    this.kernels = site.kernels();
    this.inputs = new HeadInputs(s, weights, width, site.context());
    var heads = new Forgetting.Heads(s.heads(), s.kvHeads(), s.memoryRows(), s.valueDim());
    this.forgetting = spec.forgetting().build(heads, weights, width);
    this.readout = new Readout(spec.readout(), s.heads(), s.valueDim(), weights, width);
    this.output = weights.projection("o", width, s.heads() * s.valueDim());
    boolean scaled = spec.isScaled();
    this.memory =
        new Shape(
            s.memoryRows(),
            spec.memoryCols(),
            scaled ? MatrixMemory.Decay.SCALAR : spec.forgetting().decay(),
            Write.ADD);
    regions.add(Region.of(s.heads(), memory));
    regions.addAll(inputs.regions());
    regions.addAll(forgetting.regions());
    this.greatest = scaled ? new GreatestScale(s.kvHeads(), regions.size()) : null;
    this.rates = scaled ? spec.forgetting().factors(s.heads()) : null;
    if (scaled) {
      regions.add(greatest.memory());
    }
  }

  @Override
  public RecurrentState newState(int limit) {
    inputs.check(limit);
    return RecurrentState.of(regions.toArray(Region[]::new));
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      HeadInputs.Rows projected = inputs.rows(frame, rows);
      Matrix decays = frame.matrix(rows, forgetting.cols());
      Matrix gates = readout.gates(frame, rows);
      List<Divisible> first = new ArrayList<>();
      List<LowRank.Rest> second = new ArrayList<>();
      inputs.add(pass, x, projected, first);
      forgetting.add(pass, frame, x, decays, first, second);
      readout.add(pass, frame, x, gates, first, second);
      LowRank.run(pass, first, second);
      HeadInputs.Mapped mapped = inputs.finish(pass, frame, batch, 1, projected);
      forgetting.finish(pass, batch, 1 + inputs.regions().size(), mapped.k().values(), decays);
      Matrix kept =
          greatest == null ? decays : greatest.apply(pass, frame, batch, mapped.k(), rates);
      Matrix o = frame.matrix(rows, output.inputs());
      read(pass, frame, batch, mapped, kept, o);
      batch.runs().forEach(run -> run.state().changed());
      readout.apply(pass, gates, o);
      output.apply(pass, o, y);
    }
  }

  private void read(
      Pass pass,
      Pass.Frame frame,
      Batch<RecurrentState> batch,
      HeadInputs.Mapped mapped,
      Matrix kept,
      Matrix o) {
    Denominator denominator = spec.denominator();
    if (denominator == null) {
      remember(pass, batch, mapped, mapped.v(), kept, o);
      return;
    }
    Matrix wide = denominator.widened(pass, frame, mapped.v());
    Matrix sums = frame.matrix(o.rows(), spec.heads().heads() * memory.valueDim());
    remember(pass, batch, mapped, wide, kept, sums);
    denominator.divide(pass, sums, o);
  }

  private void remember(
      Pass pass,
      Batch<RecurrentState> batch,
      HeadInputs.Mapped mapped,
      Matrix v,
      Matrix kept,
      Matrix o) {
    int heads = spec.heads().heads();
    batch.eachPart(
        pass,
        heads,
        (run, head, worker) -> {
          var in =
              new Inputs(
                  rows(mapped.q().values(), run, head, memory.keyDim()),
                  rows(mapped.k().values(), run, head, memory.keyDim()),
                  rows(v, run, head, memory.valueDim()),
                  greatest == null ? forgetting.rows(kept, run, head) : rows(kept, run, head, 1),
                  null);
          Rows read = rows(o, run, head, memory.valueDim());
          run.state().remember(pass, worker, 0, head, run.length(), in, read);
        });
  }

  /** A run's rows of a head, which it shares with its neighbours where there are fewer. */
  private Rows rows(Matrix x, Run<RecurrentState> run, int head, int dim) {
    int group = spec.heads().heads() / (x.cols() / dim);
    return x.from(run.from(), head / group * dim);
  }

  /** The type {@code linear-attention}; its settings are those of {@link LinearSpec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "linear-attention";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new LinearAttention(LinearSpec.read(settings, site.context()), site);
    }
  }
}
