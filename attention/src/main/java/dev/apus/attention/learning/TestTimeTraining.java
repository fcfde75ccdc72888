package dev.apus.attention.learning;

import dev.apus.attention.rope.Rope;
import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.CausalConvolution;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.Output;
import dev.apus.core.model.RecurrentState;
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
import java.util.List;

/**
 * Test-time training: the memory of each head is a model, {@code M(x) = x + LN(z)} with z from a
 * matrix (TTT-Linear) or from two with a gelu between (TTT-MLP), which learns to map keys to values
 * while it reads.
 *
 * <pre>
 *   q, k, v = W_q x, W_k x, W_v x        or q, k = conv_q(W_q x), conv_k(W_q x)
 *   ε = rate / headDim · σ(W_ε x + b_ε)
 *   W_t = W − τ_i Σ_s ε_s ∇ ½ ‖M(k_s) − v_s‖²       s: the tokens of the mini-batch up to this
 *   y = W_o (LN(M_t(q)) ⊙ gelu(W_g x))
 *   τ_i = max(1 / i + δ_i, 0)                       i: the token's place in it, from 1
 * </pre>
 *
 * <p>W are the inner model's weights at the beginning of the mini-batch, at which all of its
 * gradients are taken. Queries and keys turn with the place in the mini-batch.
 *
 * @see <a href="https://arxiv.org/abs/2407.04620">Learning to (Learn at Test Time)</a>
 */
public final class TestTimeTraining implements SequenceMixer<RecurrentState> {

  /** The regions of a state. */
  private static final int LEARNED = 0;

  private static final int QUERIES = 1;
  private static final int KEYS = 2;

  private final TttSpec spec;
  private final Kernels kernels;
  private final Projection q;
  private final Projection k;
  private final Projection v;
  private final Projection rate;
  private final Projection gate;
  private final Output output;
  private final CausalConvolution queryConvolution;
  private final CausalConvolution keyConvolution;
  private final Rope rope;
  private final Rope.Tables tables;
  private final Learner learner;
  private final Normalization norm;

  private TestTimeTraining(TttSpec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.inputs();
    int cols = spec.cols();
    this.spec = spec;
    this.kernels = site.kernels();
    this.q = weights.projection("q", cols, width);
    this.k = spec.sharesKeys() ? null : weights.projection("k", cols, width);
    this.v = weights.projection("v", cols, width);
    this.rate = weights.projection("rate", spec.heads(), width, true);
    this.gate = spec.gated() ? weights.projection("gate", cols, width) : null;
    this.output = Output.of(true, site, cols, false);
    boolean shared = spec.sharesKeys();
    this.queryConvolution =
        shared ? CausalConvolution.read(weights, "q.conv", cols, spec.taps(), true) : null;
    this.keyConvolution =
        shared ? CausalConvolution.read(weights, "k.conv", cols, spec.taps(), true) : null;
    this.rope = spec.rope() == null ? null : Rope.of(spec.rope(), spec.miniBatch());
    this.tables = rope == null ? null : rope.tables(spec.miniBatch());
    this.learner =
        new Learner(
            spec.inner(),
            spec.miniBatch(),
            new PositionRates(
                factors(weights.vector("place", spec.miniBatch(), new Typical(0, 0.1f)))),
            spec.heads(),
            spec.epsilon(),
            weights);
    this.norm = Normalization.of(NormSpec.layer(spec.epsilon(), true), "norm", cols, weights);
  }

  /** {@code max(1 / i + δ_i, 0)}. */
  private static float[] factors(float[] learned) {
    float[] factors = new float[learned.length];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = Math.max(1f / (i + 1) + learned[i], 0);
    }
    return factors;
  }

  @Override
  public RecurrentState newState(int limit) {
    return spec.sharesKeys()
        ? RecurrentState.of(learner.region(), queryConvolution.region(), keyConvolution.region())
        : RecurrentState.of(learner.region());
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      int cols = spec.cols();
      Matrix queries = frame.matrix(rows, cols);
      Matrix keys = frame.matrix(rows, cols);
      Matrix values = frame.matrix(rows, cols);
      Matrix rates = frame.matrix(rows, spec.heads());
      Matrix gates = gate == null ? null : frame.matrix(rows, cols);
      List<Divisible> tasks = new ArrayList<>();
      tasks.add(q.task(pass, x, queries));
      tasks.add(v.task(pass, x, values));
      tasks.add(rate.task(pass, x, rates));
      if (k != null) {
        tasks.add(k.task(pass, x, keys));
      }
      if (gate != null) {
        tasks.add(gate.task(pass, x, gates));
      }
      pass.run(tasks.toArray(Divisible[]::new));
      if (spec.sharesKeys()) {
        convolve(pass, batch, queries, keys);
      }
      turn(pass, batch, queries, keys);
      scale(pass, rates);
      Matrix o = frame.matrix(rows, cols);
      learn(pass, batch, queries, keys, values, rates, o);
      batch.runs().forEach(run -> run.state().changed());
      norm.rows(pass, o, o);
      if (gate != null) {
        gate(pass, gates, o);
      }
      output.apply(pass, o, y);
    }
  }

  /** Makes queries and keys of what is in the place of the queries. */
  private void convolve(Pass pass, Batch<RecurrentState> batch, Matrix queries, Matrix keys) {
    int values = queries.rows() * queries.cols();
    System.arraycopy(queries.data(), queries.at(0), keys.data(), keys.at(0), values);
    queryConvolution.apply(pass, batch, QUERIES, queries, 0);
    keyConvolution.apply(pass, batch, KEYS, keys, 0);
  }

  private void turn(Pass pass, Batch<RecurrentState> batch, Matrix queries, Matrix keys) {
    if (rope == null) {
      return;
    }
    int heads = spec.heads();
    int dim = spec.headDim();
    for (Run<RecurrentState> run : batch.runs()) {
      pass.eachRow(
          run.length(),
          4 * queries.cols(),
          (from, to, worker) -> {
            for (int i = from; i < to; i++) {
              int row = run.from() + i;
              int place = (run.position() + i) % spec.miniBatch();
              var rotary = kernels.rotary();
              rope.rotate(rotary, queries.data(), queries.at(row), heads, dim, tables, place);
              rope.rotate(rotary, keys.data(), keys.at(row), heads, dim, tables, place);
            }
          });
    }
  }

  private void scale(Pass pass, Matrix rates) {
    pass.eachRow(
        rates.rows(),
        8 * rates.cols(),
        (from, to, worker) -> {
          int at = rates.at(from);
          int end = rates.at(to);
          kernels.activations().apply(Activation.SIGMOID, rates.data(), at, end - at);
          for (int i = at; i < end; i++) {
            rates.data()[i] = spec.rate() * rates.data()[i] / spec.headDim();
          }
        });
  }

  private void learn(
      Pass pass,
      Batch<RecurrentState> batch,
      Matrix queries,
      Matrix keys,
      Matrix values,
      Matrix rates,
      Matrix o) {
    batch.eachPart(
        pass,
        spec.heads(),
        (run, head, worker) -> {
          RecurrentState state = run.state();
          state.keep(LEARNED, head);
          var place =
              new Learner.Place(
                  kernels,
                  head,
                  state.segment(),
                  state.at(LEARNED, head),
                  pass.scratch(worker, learner.scratchFloats()));
          var tokens =
              new Learner.Tokens(
                  run.position(),
                  run.length(),
                  queries.from(run.from(), head * spec.headDim()),
                  keys.from(run.from(), head * spec.headDim()),
                  values.from(run.from(), head * spec.headDim()),
                  rates.from(run.from(), head),
                  spec.heads());
          learner.advance(place, tokens, o.from(run.from(), head * spec.headDim()));
        });
  }

  private void gate(Pass pass, Matrix gates, Matrix o) {
    pass.eachRow(
        o.rows(),
        8 * o.cols(),
        (from, to, worker) -> {
          int at = o.at(from);
          int values = o.at(to) - at;
          kernels.activations().gate(Activation.GELU_TANH, gates.data(), at, o.data(), at, values);
        });
  }

  /** The type {@code ttt}; its settings are those of {@link TttSpec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "ttt";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new TestTimeTraining(TttSpec.read(settings), site);
    }
  }
}
