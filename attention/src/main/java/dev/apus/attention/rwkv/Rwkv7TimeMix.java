package dev.apus.attention.rwkv;

import dev.apus.attention.linear.LowRank;
import dev.apus.attention.rwkv.Rwkv7Spec.Values;
import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.activation.Activations;
import dev.apus.kernels.memory.MatrixMemory.Inputs;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.util.ArrayList;
import java.util.List;

/**
 * The time mixing of RWKV-7: each head takes out of its memory what it holds under one key, at a
 * rate for each of the key's values, and puts the token's value in under another.
 *
 * <pre>
 *   r, k, v = W_r x_r, W_k x_k, W_v x_v                            {@link ShiftedRows}
 *   D = exp(−e^(−1/2) σ(B_w tanh(A_w x_w) + b_w))       a = σ(B_a A_a x_a + b_a)
 *   g = B_g σ(A_g x_g)                                  v ← v + (v₁ − v) ⊙ σ(B_v A_v x_v + b_v)
 *   κ = (k ⊙ ξ) / |k ⊙ ξ|                               k̃ = k ⊙ (1 + (a − 1) ⊙ α)
 *   S ← D ⊙ S − (a ⊙ κ) ⊗ (Sᵀκ) + k̃ ⊗ v                 o = Sᵀr
 *   y = W_o ((norm(o) + (Σ r ⊙ k̃ ⊙ ρ) v) ⊙ g)
 * </pre>
 *
 * <p>where v₁ are the first layer's values, with which rows end after their own; there, v is v₁.
 *
 * @see <a href="https://arxiv.org/abs/2503.14456">RWKV-7 Goose</a>
 */
public final class Rwkv7TimeMix implements SequenceMixer<RecurrentState> {

  /** −e^(−1/2): no more than this is forgotten at a token, as a logarithm. */
  private static final float LEAST_LOG_DECAY = -0.60653066f;

  /** Keeps a key of zeros from being divided by zero; the square of the reference's 1e-12. */
  private static final float UNIT_EPSILON = 1e-24f;

  /** The regions of a state. */
  private static final int SHIFT = 0;

  private static final int MEMORY = 1;

  private final Rwkv7Spec spec;
  private final int width;
  private final ShiftedRows shifted;
  private final Projection receptance;
  private final Projection key;
  private final Projection value;
  private final LowRank decay;
  private final LowRank rate;
  private final LowRank shares;
  private final LowRank gate;
  private final Projection output;
  private final float[] sought;
  private final float[] replaced;
  private final float[] bonus;
  private final Normalization norm;

  private Rwkv7TimeMix(Rwkv7Spec spec, Site site, int width) {
    WeightScope weights = site.weights();
    int keys = spec.keyCols();
    int values = spec.valueCols();
    this.spec = spec;
    this.width = width;
    this.shifted = new ShiftedRows(weights, width, spec.order(), 0);
    this.receptance = weights.projection("r", keys, width);
    this.key = weights.projection("k", keys, width);
    this.value = spec.values() == Values.GIVEN ? null : weights.projection("v", values, width);
    this.decay = lowRank(weights, "decay", keys, spec.decayRank(), Activation.TANH, true);
    this.rate = lowRank(weights, "rate", keys, spec.rateRank(), Activation.IDENTITY, true);
    this.shares =
        spec.values() == Values.MIXED
            ? lowRank(weights, "valueShares", values, spec.valueRank(), Activation.IDENTITY, true)
            : null;
    this.gate = lowRank(weights, "gate", values, spec.gateRank(), Activation.SIGMOID, false);
    this.output = weights.projection("o", site.outputs(), values);
    this.sought = weights.vector("sought", keys, new Typical(0.7f, 0.2f));
    this.replaced = weights.vector("replaced", keys, new Typical(1, 0.2f));
    this.bonus = weights.vector("bonus", keys, new Typical(0, 0.2f));
    this.norm = Normalization.of(NormSpec.layer(spec.epsilon(), true), "norm", values, weights);
  }

  private LowRank lowRank(
      WeightScope weights, String name, int outputs, int rank, Activation f, boolean biased) {
    return LowRank.read(weights, name, outputs, width, rank, f, biased);
  }

  @Override
  public RecurrentState newState(int limit) {
    return RecurrentState.of(shifted.region(), Region.of(spec.heads(), spec.memory()));
  }

  @Override
  public long bytesPerToken() {
    return 0;
  }

  /** What a token brings to the memories. */
  private record Tokens(
      Matrix r, Matrix k, Matrix v, Matrix kept, Matrix rate, Matrix sought, Matrix taken) {}

  @Override
  public void forward(Pass pass, Batch<RecurrentState> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      Matrix own = spec.values() == Values.OWN ? x : columns(pass, frame, x, 0, width);
      List<Matrix> in = shifted.of(pass, frame, batch, SHIFT, own);
      Matrix r = frame.matrix(rows, spec.keyCols());
      Matrix k = frame.matrix(rows, spec.keyCols());
      Matrix decays = frame.matrix(rows, spec.keyCols());
      Matrix rates = frame.matrix(rows, spec.keyCols());
      Matrix gates = frame.matrix(rows, spec.valueCols());
      Matrix mixing = shares == null ? null : frame.matrix(rows, spec.valueCols());
      Matrix v =
          value == null
              ? columns(pass, frame, x, width, spec.valueCols())
              : frame.matrix(rows, spec.valueCols());
      List<Divisible> first = new ArrayList<>();
      first.add(receptance.task(pass, in(in, 'r'), r));
      first.add(key.task(pass, in(in, 'k'), k));
      if (value != null) {
        first.add(value.task(pass, in(in, 'v'), v));
      }
      List<LowRank.Rest> second = new ArrayList<>();
      LowRank.add(decay, pass, frame, in(in, 'w'), decays, first, second);
      LowRank.add(rate, pass, frame, in(in, 'a'), rates, first, second);
      LowRank.add(gate, pass, frame, in(in, 'g'), gates, first, second);
      if (mixing != null) {
        LowRank.add(shares, pass, frame, in(in, 'v'), mixing, first, second);
      }
      LowRank.run(pass, first, second);
      Matrix sought = frame.matrix(rows, spec.keyCols());
      Matrix taken = frame.matrix(rows, spec.keyCols());
      var tokens = new Tokens(r, k, v, decays, rates, sought, taken);
      prepare(pass, tokens);
      if (mixing != null) {
        mix(pass, x, mixing, v);
      }
      Matrix o = frame.matrix(rows, spec.valueCols());
      remember(pass, batch, tokens, o);
      batch.runs().forEach(run -> run.state().changed());
      norm.groups(pass, o, o, spec.heads(), spec.valueDim(), spec.valueDim());
      finish(pass, tokens, gates, o);
      output.apply(pass, o, y);
    }
  }

  private Matrix in(List<Matrix> shiftedRows, char letter) {
    return shiftedRows.get(spec.order().indexOf(letter));
  }

  /** Some columns as a matrix of their own. */
  private static Matrix columns(Pass pass, Pass.Frame frame, Matrix x, int column, int count) {
    Matrix y = frame.matrix(x.rows(), count);
    pass.eachRow(
        x.rows(),
        count,
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            System.arraycopy(x.data(), x.at(row) + column, y.data(), y.at(row), count);
          }
        });
    return y;
  }

  /** Turns what the projections gave into decays, rates and keys. */
  private void prepare(Pass pass, Tokens tokens) {
    Activations activations = pass.kernels().activations();
    int keys = spec.keyCols();
    pass.eachRow(
        tokens.k().rows(),
        48 * keys,
        (from, to, worker) -> {
          int at = from * keys;
          int count = (to - from) * keys;
          float[] kept = tokens.kept().data();
          activations.apply(Activation.SIGMOID, kept, at, count);
          for (int i = at; i < at + count; i++) {
            kept[i] *= LEAST_LOG_DECAY;
          }
          activations.apply(Activation.EXP, kept, at, count);
          activations.apply(Activation.SIGMOID, tokens.rate().data(), at, count);
          for (int row = from; row < to; row++) {
            keys(pass, tokens, row * keys);
          }
        });
  }

  /** The keys of the row whose values begin there. */
  private void keys(Pass pass, Tokens tokens, int rowAt) {
    float[] k = tokens.k().data();
    float[] rates = tokens.rate().data();
    float[] unit = tokens.sought().data();
    float[] taken = tokens.taken().data();
    for (int i = 0; i < spec.keyCols(); i++) {
      unit[rowAt + i] = k[rowAt + i] * sought[i];
    }
    pass.kernels()
        .norms()
        .l2(unit, rowAt, spec.heads(), spec.keyDim(), 1, UNIT_EPSILON, unit, rowAt);
    for (int i = 0; i < spec.keyCols(); i++) {
      float a = rates[rowAt + i];
      taken[rowAt + i] = a * unit[rowAt + i];
      k[rowAt + i] += k[rowAt + i] * (a - 1) * replaced[i];
    }
  }

  /** {@code v ← v + (v₁ − v) ⊙ σ(s)}. */
  private void mix(Pass pass, Matrix x, Matrix s, Matrix v) {
    int cols = v.cols();
    pass.eachRow(
        v.rows(),
        16 * cols,
        (from, to, worker) -> {
          float[] share = s.data();
          pass.kernels()
              .activations()
              .apply(Activation.SIGMOID, share, s.at(from), (to - from) * cols);
          for (int row = from; row < to; row++) {
            int at = v.at(row);
            int givenAt = x.at(row) + width;
            for (int i = 0; i < cols; i++) {
              float own = v.data()[at + i];
              v.data()[at + i] = own + (x.data()[givenAt + i] - own) * share[at + i];
            }
          }
        });
  }

  private void remember(Pass pass, Batch<RecurrentState> batch, Tokens tokens, Matrix o) {
    int dim = spec.keyDim();
    batch.eachPart(
        pass,
        spec.heads(),
        (run, head, worker) -> {
          Inputs in =
              new Inputs(
                      tokens.r().from(run.from(), head * dim),
                      tokens.k().from(run.from(), head * dim),
                      tokens.v().from(run.from(), head * spec.valueDim()),
                      tokens.kept().from(run.from(), head * dim),
                      null)
                  .erasing(
                      tokens.sought().from(run.from(), head * dim),
                      tokens.taken().from(run.from(), head * dim));
          Rows read = o.from(run.from(), head * spec.valueDim());
          run.state().remember(pass, worker, MEMORY, head, run.length(), in, read);
        });
  }

  /** Adds what each token is worth to itself, and gates. */
  private void finish(Pass pass, Tokens tokens, Matrix gates, Matrix o) {
    int valueDim = spec.valueDim();
    Activations activations = pass.kernels().activations();
    pass.eachRow(
        o.rows(),
        8 * o.cols(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            for (int head = 0; head < spec.heads(); head++) {
              int at = o.at(row) + head * valueDim;
              float worth = worth(tokens, row, head);
              activations.addScaled(worth, tokens.v().data(), at, o.data(), at, valueDim);
            }
          }
          for (int i = o.at(from); i < o.at(to); i++) {
            o.data()[i] *= gates.data()[i];
          }
        });
  }

  /** {@code Σ r ⊙ k̃ ⊙ ρ} of a head, first key first. */
  private float worth(Tokens tokens, int row, int head) {
    int first = head * spec.keyDim();
    int at = tokens.k().at(row) + first;
    float sum = 0;
    for (int i = 0; i < spec.keyDim(); i++) {
      sum += tokens.r().data()[at + i] * tokens.k().data()[at + i] * bonus[first + i];
    }
    return sum;
  }

  /**
   * The type {@code rwkv7-time-mix}; its settings are those of {@link Rwkv7Spec}. Where values are
   * given or mixed, it reads rows that end with the first layer's values.
   */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "rwkv7-time-mix";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      Rwkv7Spec spec = Rwkv7Spec.read(settings);
      int width = site.inputs() - (spec.values() == Values.OWN ? 0 : spec.valueCols());
      if (width != site.outputs()) {
        throw settings.error(
            "it gives rows of %d values and must read as many%s; found rows of %d",
            site.outputs(),
            spec.values() == Values.OWN
                ? ""
                : ", and beside them the first layer's " + spec.valueCols(),
            site.inputs());
      }
      return new Rwkv7TimeMix(spec, site, width);
    }
  }
}
