package dev.apus.attention.learning;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.CausalConvolution;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.util.ArrayList;
import java.util.List;

/**
 * The long-term memory of Titans: a model M for each head, one matrix or a network of several,
 * which is changed by its surprise at each token, with momentum and forgetting.
 *
 * <pre>
 *   q, k, v = silu(conv([W_q, W_k, W_v] x))      q, k of unit length
 *   θ, η, α = rate · σ(W_θ x + b_θ), σ(W_η x + b_η), σ(W_α x + b_α)
 *   V ← η V − θ ∇ ‖M(k) − v‖²      M ← (1 − α) M + V      o = M(q)
 * </pre>
 *
 * <p>Gradients are taken at the M of the chunk's beginning; chunks of one token are the recurrence
 * itself. The paper leaves open how the rates come out of x.
 *
 * @see <a href="https://arxiv.org/abs/2501.00663">Titans: Learning to Memorize at Test Time</a>
 */
final class NeuralMemory {

  /** Keeps a query or key of zeros from being divided by zero. */
  private static final float UNIT_EPSILON = 1e-6f;

  private static final int RATES = 3;

  /**
   * @param inner what each head learns
   * @param chunk tokens whose gradients are taken at the same weights
   * @param rate the greatest θ
   * @param taps length of the short convolution of queries, keys and values; 0 for none
   */
  record Spec(int heads, InnerModel inner, int chunk, float rate, int taps) {

    static Spec read(Config c, int chunk) {
      int heads = c.positive("heads");
      int headDim = c.positive("headDim");
      if ((double) heads * headDim > Integer.MAX_VALUE / 4) {
        throw c.error("heads=%d of headDim=%d are more than 2^29 values a row", heads, headDim);
      }
      int depth = c.positive("depth", 1);
      InnerModel inner = InnerModel.read(c, headDim, depth, 4 * headDim, false);
      Learner.check(c, inner, heads, chunk);
      int taps = c.count("taps", 0);
      if (3L * taps * heads * headDim > Integer.MAX_VALUE) {
        throw c.errorAt("taps", "taps=%d of a row are more than 2^31 − 1 values", taps);
      }
      return new Spec(heads, inner, chunk, c.real("rate", 1), taps);
    }

    /** Values of a row of all heads. */
    int cols() {
      return heads * inner.dim();
    }
  }

  private final Spec spec;
  private final Kernels kernels;
  private final Projection q;
  private final Projection k;
  private final Projection v;
  private final Projection theta;
  private final Projection eta;
  private final Projection alpha;
  private final CausalConvolution convolution;
  private final Learner learner;

  /**
   * @param width values of the rows that it reads
   */
  NeuralMemory(Spec spec, int width, Kernels kernels, WeightScope weights) {
    int cols = spec.cols();
    this.spec = spec;
    this.kernels = kernels;
    this.q = weights.projection("q", cols, width);
    this.k = weights.projection("k", cols, width);
    this.v = weights.projection("v", cols, width);
    this.theta = weights.projection("theta", spec.heads(), width, true);
    this.eta = weights.projection("eta", spec.heads(), width, true);
    this.alpha = weights.projection("alpha", spec.heads(), width, true);
    this.convolution =
        spec.taps() == 0
            ? null
            : CausalConvolution.read(weights, "conv", 3 * cols, spec.taps(), false);
    this.learner =
        new Learner(
            spec.inner(), spec.chunk(), new Momentum(spec.chunk()), spec.heads(), 0, weights);
  }

  /** What a sequence remembers: two regions if there is a convolution, otherwise one. */
  List<Region> regions() {
    return convolution == null
        ? List.of(learner.region())
        : List.of(learner.region(), convolution.region());
  }

  /** Values of a row that it gives. */
  int cols() {
    return spec.cols();
  }

  /**
   * Learns from every row and writes what its query is mapped to.
   *
   * @param region which region of the states is the first of its own
   * @param also other work on the same rows that may be done with its projections
   */
  void advance(
      Pass pass, Batch<RecurrentState> batch, int region, Matrix x, Matrix o, Divisible... also) {
    int cols = spec.cols();
    int heads = spec.heads();
    try (Pass.Frame frame = pass.frame()) {
      Matrix mixed = frame.matrix(x.rows(), 3 * cols);
      Matrix rates = frame.matrix(x.rows(), RATES * heads);
      List<Divisible> tasks = new ArrayList<>(List.of(also));
      tasks.add(q.task(pass, x, 0, mixed, 0));
      tasks.add(k.task(pass, x, 0, mixed, cols));
      tasks.add(v.task(pass, x, 0, mixed, 2 * cols));
      tasks.add(theta.task(pass, x, 0, rates, 0));
      tasks.add(eta.task(pass, x, 0, rates, heads));
      tasks.add(alpha.task(pass, x, 0, rates, 2 * heads));
      pass.run(tasks.toArray(Divisible[]::new));
      if (convolution != null) {
        convolution.apply(pass, batch, region + 1, mixed, 0);
      }
      unitLength(pass, mixed, 2);
      scale(pass, rates);
      batch.eachPart(
          pass,
          heads,
          (run, head, worker) -> {
            Learner.Place place = place(pass, run, region, head, worker);
            Rows qs = rows(mixed, run, head, 0);
            Rows ks = rows(mixed, run, head, cols);
            Rows vs = rows(mixed, run, head, 2 * cols);
            Rows rs = rates.from(run.from(), head);
            var tokens = new Learner.Tokens(run.position(), run.length(), qs, ks, vs, rs, heads);
            learner.advance(place, tokens, rows(o, run, head, 0));
          });
    }
  }

  /**
   * Maps the query of every row by the memory as the chunk under way has found it; learns nothing.
   * There must be no convolution.
   */
  void retrieve(Pass pass, Batch<RecurrentState> batch, int region, Matrix x, Matrix o) {
    try (Pass.Frame frame = pass.frame()) {
      Matrix queries = frame.matrix(x.rows(), spec.cols());
      q.apply(pass, x, queries);
      unitLength(pass, queries, 1);
      batch.eachPart(
          pass,
          spec.heads(),
          (run, head, worker) -> {
            Learner.Place place = place(pass, run, region, head, worker);
            Rows qs = rows(queries, run, head, 0);
            learner.retrieve(place, run.position(), run.length(), qs, rows(o, run, head, 0));
          });
    }
  }

  private Learner.Place place(
      Pass pass, Run<RecurrentState> run, int region, int head, int worker) {
    RecurrentState state = run.state();
    state.keep(region, head);
    float[] scratch = pass.scratch(worker, learner.scratchFloats());
    return new Learner.Place(kernels, head, state.segment(), state.at(region, head), scratch);
  }

  private Rows rows(Matrix x, Run<RecurrentState> run, int head, int column) {
    return x.from(run.from(), column + head * spec.inner().dim());
  }

  /** Applies silu, and gives the first {@code parts} parts of a row, a head each, unit length. */
  private void unitLength(Pass pass, Matrix mixed, int parts) {
    int heads = parts * spec.heads();
    int dim = spec.inner().dim();
    pass.eachRow(
        mixed.rows(),
        12 * mixed.cols(),
        (from, to, worker) -> {
          float[] data = mixed.data();
          for (int row = from; row < to; row++) {
            int at = mixed.at(row);
            kernels.activations().apply(Activation.SILU, data, at, mixed.cols());
            kernels.norms().l2(data, at, heads, dim, 1, UNIT_EPSILON, data, at);
          }
        });
  }

  private void scale(Pass pass, Matrix rates) {
    pass.eachRow(
        rates.rows(),
        8 * rates.cols(),
        (from, to, worker) -> {
          int at = rates.at(from);
          kernels.activations().apply(Activation.SIGMOID, rates.data(), at, rates.at(to) - at);
          for (int row = from; row < to; row++) {
            for (int i = rates.at(row); i < rates.at(row) + spec.heads(); i++) {
              rates.data()[i] *= spec.rate();
            }
          }
        });
  }
}
