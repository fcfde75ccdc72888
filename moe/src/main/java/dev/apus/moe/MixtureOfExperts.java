package dev.apus.moe;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.ChannelMixer;
import dev.apus.core.model.ChannelType;
import dev.apus.core.model.Mlp;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.Site;
import dev.apus.core.routing.Choices;
import dev.apus.core.routing.Router;
import dev.apus.core.routing.Score;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A feed-forward layer of many experts, of which a router chooses a few for each token:
 *
 * <pre>
 *   y = Σ_{e ∈ top(router(x))} weight_e · expert_e(x)   (+ σ(W_g x) · shared(x))
 * </pre>
 *
 * <p>Among those to choose from may be experts that are no networks: {@link PlainExperts}, and zero
 * experts, which give nothing and cost nothing. Experts may work in a latent space between two
 * projections: {@code W_out Σ weight_e · expert_e(W_in x)}. The router and the shared expert still
 * see x itself. Experts may be asked {@code weight_e · x}, and their answers be added as they are.
 * Where router and experts have norms of their own, each reads x through its own; an expert may
 * have a factor on its weight.
 *
 * <p>Tokens are gathered by expert, so an expert's weights are read once for all its tokens, and
 * only those of chosen experts. Each stage of all experts is one job. What a token's experts give
 * is added in the order of the experts, whoever else is in the batch.
 *
 * @see <a href="https://arxiv.org/abs/1701.06538">Outrageously Large Neural Networks</a>
 */
public final class MixtureOfExperts implements ChannelMixer {

  /** Where corrections lie that leave the choice to the scores. */
  private static final Typical CORRECTION = new Typical(0, 0.02f);

  private final int layer;
  private final Router router;
  private final Kernels kernels;
  private final Projection scores;
  private final RouterNetwork network;
  private final float[] correction;
  private final int[] table;
  private final Blocks experts;
  private final Mlp shared;
  private final Projection sharedGate;
  private final Projection latentIn;
  private final Projection latentOut;
  private final PlainExperts plain;
  private final CarriedLogits carried;
  private final float[] bias;
  private final float[] factors;
  private final Normalization routerNorm;
  private final Normalization expertNorm;

  /** Whether experts are asked weighed rows, instead of what they give being weighed. */
  private final boolean asksWeighed;

  private MixtureOfExperts(Config settings, Site site) {
    layer = site.layer();
    router = Router.read(settings);
    kernels = site.kernels();
    int sharedInner = settings.count("sharedInner", 0);
    boolean sharedGated = settings.flag("sharedGated", false);
    if (sharedGated && sharedInner == 0) {
      throw settings.errorAt(
          "sharedGated", "sharedGated=true needs sharedInner: there is no shared expert to gate");
    }
    WeightScope weights = site.weights();
    int width = site.width();
    int latent = settings.count("latent", 0);
    network =
        settings.has("router")
            ? new RouterNetwork(settings.section("router"), router.experts(), site)
            : null;
    boolean matrix = network == null && router.score() != Score.EVEN;
    scores = scores(width, matrix && settings.flag("scoresBiased", false), weights);
    correction =
        router.biased() ? weights.vector("router.correction", router.experts(), CORRECTION) : null;
    table =
        router.hashed()
            ? weights.indices(
                "router.table", settings.positive("vocabulary"), router.top(), router.experts())
            : null;
    experts = new Blocks(settings, latent > 0 ? latent : width, weights);
    if (network == null) {
      experts.places().guessedBy(this::guess);
    }
    carried = CarriedLogits.read(settings, router.experts(), weights);
    shared = sharedInner == 0 ? null : experts.block(width, sharedInner, weights.scope("shared"));
    sharedGate = sharedGated ? weights.projection("shared.gating", 1, width) : null;
    latentIn = latent > 0 ? weights.projection("latent.in", latent, width) : null;
    latentOut = latent > 0 ? weights.projection("latent.out", width, latent) : null;
    plain = PlainExperts.read(settings, width, weights);
    bias = settings.flag("outBiased", false) ? weights.vector("bias", width, Typical.BIAS) : null;
    factors =
        settings.flag("expertsScaled", false)
            ? weights.vector("factors", router.experts(), Typical.NORM)
            : null;
    routerNorm = norm("routerNorm", "router.norm", settings, width, weights);
    expertNorm = norm("expertNorm", "expert.norm", settings, width, weights);
    asksWeighed = settings.flag("asksWeighed", false);
  }

  private static Normalization norm(
      String setting, String name, Config settings, int width, WeightScope weights) {
    NormSpec spec = settings.has(setting) ? NormSpec.read(settings.section(setting)) : null;
    return Normalization.of(spec, name, width, weights);
  }

  /** What makes the logits, or what the network makes them of; null if none are needed. */
  private Projection scores(int width, boolean biased, WeightScope weights) {
    if (network != null) {
      return network.state();
    }
    return router.score() == Score.EVEN
        ? null
        : weights.projection("router", router.experts(), width, biased);
  }

  @Override
  public void forward(Pass pass, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      Matrix routed = normed(pass, frame, routerNorm, x);
      forward(pass, x, routed, normed(pass, frame, expertNorm, x), y);
    }
  }

  private static Matrix normed(Pass pass, Pass.Frame frame, Normalization norm, Matrix x) {
    if (norm == null) {
      return x;
    }
    Matrix normed = frame.matrix(x.rows(), x.cols());
    norm.rows(pass, x, normed);
    return normed;
  }

  /**
   * @param before the rows as they are
   * @param routed what the router reads
   * @param x what the experts read
   */
  private void forward(Pass pass, Matrix before, Matrix routed, Matrix x, Matrix y) {
    int rows = x.rows();
    try (Pass.Frame frame = pass.frame()) {
      Matrix logits = frame.matrix(rows, router.experts());
      Matrix scored = network == null ? logits : frame.matrix(rows, scores.outputs());
      Matrix gate = sharedGate == null ? null : frame.matrix(rows, 1);
      Matrix asked = latentIn == null ? x : frame.matrix(rows, latentIn.outputs());
      Matrix mixes = plain == null ? null : plain.mixes(frame, rows);
      List<Divisible> tasks = new ArrayList<>();
      add(tasks, scores, pass, routed, scored);
      add(tasks, sharedGate, pass, x, gate);
      add(tasks, latentIn, pass, x, asked);
      if (mixes != null) {
        tasks.add(plain.mixing(pass, x, mixes));
      }
      pass.run(tasks.toArray(Divisible[]::new));
      if (network != null) {
        network.forward(pass, scored, logits);
      }
      if (carried != null) {
        carried.forward(pass, logits);
      }
      float[] weights = frame.floats(rows * router.top());
      int[] chosen = choose(pass, logits, weights);
      if (pass.routes() != null) {
        pass.routes().routed(layer, router.top(), chosen, weights, router.experts());
      }
      Choices choices = Choices.sorted(chosen, router.experts() + 1);
      experts.places().foresee(pass, before);
      Matrix given = frame.matrix(rows * router.top(), asked.cols());
      Matrix sharedGiven = shared == null ? null : frame.matrix(rows, x.cols());
      ask(pass, choices, weights, asked, given, x, sharedGiven);
      if (sharedGate != null) {
        kernels.activations().apply(Activation.SIGMOID, gate.data(), 0, rows);
      }
      Matrix sum = latentOut == null ? y : frame.matrix(rows, asked.cols());
      add(pass, choices, weights, given, sum);
      if (latentOut != null) {
        latentOut.apply(pass, sum, y);
      }
      if (plain != null) {
        plain.add(pass, chosen, weights, router.top(), x, mixes, y);
      }
      addShared(pass, gate, sharedGiven, y);
    }
  }

  private static void add(
      List<Divisible> tasks, Projection projection, Pass pass, Matrix x, Matrix y) {
    if (projection != null) {
      tasks.add(projection.task(pass, x, y));
    }
  }

  /** What the router would choose if it were asked with the rows of the layer before. */
  private int[] guess(Pass pass, Matrix x) {
    try (Pass.Frame frame = pass.frame()) {
      Matrix logits = frame.matrix(x.rows(), router.experts());
      if (scores != null) {
        scores.apply(pass, normed(pass, frame, routerNorm, x), logits);
      }
      float[] weights = frame.floats(x.rows() * router.top());
      int[] chosen = choose(pass, logits, weights);
      return Choices.sorted(chosen, router.experts() + 1).chosen(experts.count());
    }
  }

  /** The experts of each token in ascending order, and their weights. */
  private int[] choose(Pass pass, Matrix logits, float[] weights) {
    int top = router.top();
    int[] chosen = new int[logits.rows() * top];
    int[] tokens = table == null ? null : pass.tokens();
    pass.eachRow(
        logits.rows(),
        top * logits.cols(),
        (from, to, worker) -> {
          float[] scratch = pass.scratch(worker, router.scratchFloats());
          for (int row = from; row < to; row++) {
            if (tokens != null) {
              System.arraycopy(table, tokens[row] * top, chosen, row * top, top);
            }
            router.choose(kernels, logits, row, correction, scratch, chosen, weights);
            scale(chosen, weights, row * top, (row + 1) * top);
          }
        });
    return chosen;
  }

  /** Multiplies the weights of the chosen by the factors of their experts, if they have any. */
  private void scale(int[] chosen, float[] weights, int from, int to) {
    for (int i = from; factors != null && i < to; i++) {
      weights[i] *= chosen[i] < factors.length ? factors[chosen[i]] : 1;
    }
  }

  /**
   * All chosen experts answer, and the shared one: two jobs, whoever was chosen.
   *
   * @param asked what experts are asked, a row for each token
   * @param given a row for each pair: first what the expert is asked, then what it gives; those of
   *     zero experts, which come last, are left as they are
   * @param x what the shared expert is asked
   */
  private void ask(
      Pass pass,
      Choices choices,
      float[] weights,
      Matrix asked,
      Matrix given,
      Matrix x,
      Matrix sharedGiven) {
    int rows = x.rows();
    int pairs = choices.start(experts.count());
    int width = asked.cols();
    try (Pass.Frame frame = pass.frame();
        var _ = experts.places().use(pass, choices.chosen(experts.count()), rows)) {
      pass.eachRow(
          pairs,
          width,
          (from, to, worker) -> {
            for (int pair = from; pair < to; pair++) {
              int choice = choices.choice(pair);
              int at = asked.at(choice / router.top());
              System.arraycopy(asked.data(), at, given.data(), given.at(pair), width);
              for (int i = given.at(pair); asksWeighed && i < given.at(pair + 1); i++) {
                given.data()[i] *= weights[choice];
              }
            }
          });
      List<Divisible> first = new ArrayList<>();
      List<Divisible> second = new ArrayList<>();
      experts.ask(pass, frame, choices::start, given, first, second);
      if (shared != null) {
        Matrix sharedGates = experts.gates(frame, rows, shared.inner());
        Matrix sharedInner = frame.matrix(rows, shared.inner());
        first.add(shared.innerTask(pass, x, sharedGates, sharedInner, 0, rows));
        second.add(shared.outputTask(pass, sharedInner, sharedGiven, 0, rows));
      }
      pass.run(first.toArray(Divisible[]::new));
      pass.run(second.toArray(Divisible[]::new));
    }
  }

  /** The weighted sum of what each token's experts gave, in the order of the experts. */
  private void add(Pass pass, Choices choices, float[] weights, Matrix given, Matrix y) {
    int top = router.top();
    int answered = choices.start(experts.count());
    pass.eachRow(
        y.rows(),
        (top + 1) * y.cols(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            Arrays.fill(y.data(), y.at(row), y.at(row + 1), 0);
            for (int choice = row * top; choice < (row + 1) * top; choice++) {
              if (choices.pair(choice) < answered) {
                float weight = asksWeighed ? 1 : weights[choice];
                addScaled(weight, given, choices.pair(choice), y, row);
              }
            }
          }
        });
  }

  /** What the shared expert gave, if it is there, and the bias. */
  private void addShared(Pass pass, Matrix gate, Matrix given, Matrix y) {
    if (given == null && bias == null) {
      return;
    }
    pass.eachRow(
        y.rows(),
        2 * y.cols(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            if (given != null) {
              addScaled(gate == null ? 1 : gate.data()[row], given, row, y, row);
            }
            if (bias != null) {
              kernels.activations().addScaled(1, bias, 0, y.data(), y.at(row), y.cols());
            }
          }
        });
  }

  private void addScaled(float weight, Matrix from, int row, Matrix y, int to) {
    kernels
        .activations()
        .addScaled(weight, from.data(), from.at(row), y.data(), y.at(to), y.cols());
  }

  /**
   * The type {@code moe}: the settings of {@link Router#read}; those of a {@link RouterNetwork} in
   * the section {@code router}, or {@code scoresBiased} for a bias of the router's matrix; {@code
   * carried}, as {@link CarriedLogits} has it; {@code vocabulary}, if it is {@code hashed}; those
   * of {@link Blocks}; {@code sharedInner} and {@code sharedGated} for a shared expert; {@code
   * latent}, the width that experts work in if it is not the model's; {@code outBiased}, for a bias
   * on the sum; {@code routerNorm} and {@code expertNorm}; {@code expertsScaled}; {@code
   * asksWeighed}, if a row is weighed before an expert reads it.
   */
  public static final class Type implements ChannelType {

    @Override
    public String name() {
      return "moe";
    }

    @Override
    public ChannelMixer build(Config settings, Site site) {
      return new MixtureOfExperts(settings, site);
    }
  }
}
