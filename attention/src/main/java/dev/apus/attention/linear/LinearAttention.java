package dev.apus.attention.linear;

import dev.apus.attention.linear.LinearSpec.NormOver;
import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
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
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.memory.MatrixMemory;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.util.ArrayList;
import java.util.List;

/**
 * Linear attention whose heads forget at constant rates: retention, and lightning attention.
 *
 * <pre>
 *   q, k, v = f(W_qkv x)
 *   S ← λ S + k ⊗ v      o = scale · Sᵀq             λ constant for each head
 *   y = W_o (norm(o) ⊙ g(W_g x))
 * </pre>
 *
 * <p>The memory kernel has a form for single tokens and one for many; they add up in different
 * orders.
 *
 * @see <a href="https://arxiv.org/abs/2307.08621">Retentive Network</a>
 * @see <a href="https://arxiv.org/abs/2401.04658">Lightning Attention-2</a>
 */
public final class LinearAttention implements SequenceMixer<RecurrentState> {

  private final LinearSpec spec;
  private final MatrixMemory.Shape memory;
  private final Kernels kernels;
  private final Projection queries;
  private final Projection keys;
  private final Projection values;
  private final Projection gate;
  private final Projection output;
  private final Normalization norm;
  private final float[] decay;

  LinearAttention(LinearSpec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    int keyCols = spec.heads() * spec.keyDim();
    int valueCols = spec.heads() * spec.valueDim();
    this.spec = spec;
    this.memory = spec.memory();
    this.kernels = site.kernels();
    this.queries = weights.projection("q", keyCols, width);
    this.keys = weights.projection("k", keyCols, width);
    this.values = weights.projection("v", valueCols, width);
    this.gate = spec.gate() == null ? null : weights.projection("gate", valueCols, width);
    this.output = weights.projection("o", width, valueCols);
    int normed = spec.normOver() == NormOver.HEAD ? spec.valueDim() : valueCols;
    this.norm = Normalization.of(spec.norm(), "norm", normed, weights);
    this.decay = spec.decay() == null ? null : spec.decay().factors(spec.heads());
  }

  @Override
  public RecurrentState newState(int limit) {
    return RecurrentState.of(new Region(spec.heads(), (long) spec.keyDim() * spec.valueDim()));
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
      Matrix q = frame.matrix(rows, queries.outputs());
      Matrix k = frame.matrix(rows, keys.outputs());
      Matrix v = frame.matrix(rows, values.outputs());
      Matrix gates = gate == null ? null : frame.matrix(rows, gate.outputs());
      List<Divisible> tasks = new ArrayList<>();
      tasks.add(queries.task(pass, x, q));
      tasks.add(keys.task(pass, x, k));
      tasks.add(values.task(pass, x, v));
      if (gate != null) {
        tasks.add(gate.task(pass, x, gates));
      }
      pass.run(tasks.toArray(Divisible[]::new));
      map(pass, q, k, v);
      Matrix o = frame.matrix(rows, output.inputs());
      remember(pass, batch, q, k, v, o);
      batch.runs().forEach(run -> run.state().changed());
      normalize(pass, o);
      if (gate != null) {
        gate(pass, gates, o);
      }
      output.apply(pass, o, y);
    }
  }

  private void map(Pass pass, Matrix q, Matrix k, Matrix v) {
    var activations = kernels.activations();
    int keyCols = q.cols();
    int valueCols = v.cols();
    pass.eachRow(
        q.rows(),
        8 * (2 * keyCols + valueCols),
        (from, to, worker) -> {
          int count = to - from;
          if (spec.activation() != Activation.IDENTITY) {
            activations.apply(spec.activation(), q.data(), q.at(from), count * keyCols);
            activations.apply(spec.activation(), k.data(), k.at(from), count * keyCols);
            activations.apply(spec.activation(), v.data(), v.at(from), count * valueCols);
          }
          for (int i = q.at(from); spec.scale() != 1 && i < q.at(to); i++) {
            q.data()[i] *= spec.scale();
          }
        });
  }

  private void remember(
      Pass pass, Batch<RecurrentState> batch, Matrix q, Matrix k, Matrix v, Matrix o) {
    batch.eachPart(
        pass,
        spec.heads(),
        (run, head, worker) -> {
          run.state().keep(0, head);
          kernels
              .memory()
              .advance(
                  memory,
                  run.length(),
                  rows(q, run, head, spec.keyDim()),
                  rows(k, run, head, spec.keyDim()),
                  rows(v, run, head, spec.valueDim()),
                  decay == null ? null : new Rows(decay, head, 0),
                  null,
                  run.state().segment(),
                  run.state().at(0, head),
                  rows(o, run, head, spec.valueDim()),
                  pass.scratch(worker, kernels.memory().scratchFloats(memory)));
        });
  }

  private static Rows rows(Matrix x, Run<RecurrentState> run, int head, int dim) {
    return new Rows(x.data(), x.at(run.from()) + head * dim, x.cols());
  }

  private void normalize(Pass pass, Matrix o) {
    if (norm == null) {
      return;
    }
    if (spec.normOver() == NormOver.ROW) {
      norm.rows(pass, o, o);
    } else {
      int stride = spec.normOver() == NormOver.EACH_HEAD ? spec.valueDim() : 0;
      norm.groups(pass, o, o, spec.heads(), spec.valueDim(), stride);
    }
  }

  private void gate(Pass pass, Matrix gates, Matrix o) {
    pass.eachRow(
        o.rows(),
        8 * o.cols(),
        (from, to, worker) -> {
          int at = o.at(from);
          kernels.activations().gate(spec.gate(), gates.data(), at, o.data(), at, o.at(to) - at);
        });
  }

  /** The type {@code linear-attention}; its settings are those of {@link LinearSpec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "linear-attention";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new LinearAttention(LinearSpec.read(settings), site);
    }
  }
}
