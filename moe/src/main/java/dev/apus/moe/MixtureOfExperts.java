package dev.apus.moe;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.ChannelMixer;
import dev.apus.core.model.ChannelType;
import dev.apus.core.model.Mlp;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
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
 * <p>Tokens are gathered by expert, so an expert's weights are read once for all its tokens, and
 * only those of chosen experts. Each stage of all experts is one job. What a token's experts give
 * is added in the order of the experts, whoever else is in the batch.
 *
 * @see <a href="https://arxiv.org/abs/1701.06538">Outrageously Large Neural Networks</a>
 */
public final class MixtureOfExperts implements ChannelMixer {

  private final Router router;
  private final Kernels kernels;
  private final Projection scores;
  private final List<Mlp> experts;
  private final Mlp shared;
  private final Projection sharedGate;

  private MixtureOfExperts(
      Router router,
      Kernels kernels,
      Projection scores,
      List<Mlp> experts,
      Mlp shared,
      Projection sharedGate) {
    this.router = router;
    this.kernels = kernels;
    this.scores = scores;
    this.experts = experts;
    this.shared = shared;
    this.sharedGate = sharedGate;
  }

  @Override
  public void forward(Pass pass, Matrix x, Matrix y) {
    int rows = x.rows();
    try (Pass.Frame frame = pass.frame()) {
      Matrix logits = frame.matrix(rows, router.experts());
      Matrix gate = sharedGate == null ? null : frame.matrix(rows, 1);
      List<Divisible> tasks = new ArrayList<>();
      tasks.add(scores.task(pass, x, logits));
      if (sharedGate != null) {
        tasks.add(sharedGate.task(pass, x, gate));
      }
      pass.run(tasks.toArray(Divisible[]::new));
      float[] weights = frame.floats(rows * router.top());
      Choices choices = choose(pass, logits, weights);
      Matrix given = frame.matrix(rows * router.top(), x.cols());
      Matrix sharedGiven = shared == null ? null : frame.matrix(rows, x.cols());
      ask(pass, choices, x, given, sharedGiven);
      if (sharedGate != null) {
        kernels.activations().apply(Activation.SIGMOID, gate.data(), 0, rows);
      }
      pass.eachRow(
          rows,
          (router.top() + 1) * x.cols(),
          (from, to, worker) -> {
            for (int row = from; row < to; row++) {
              add(choices, weights, given, row, y);
              if (shared != null) {
                float weight = gate == null ? 1 : gate.data()[row];
                addScaled(weight, sharedGiven, row, y, row);
              }
            }
          });
    }
  }

  private Choices choose(Pass pass, Matrix logits, float[] weights) {
    int top = router.top();
    int[] chosen = new int[logits.rows() * top];
    pass.eachRow(
        logits.rows(),
        top * logits.cols(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            router.choose(kernels, logits.data(), logits.at(row), chosen, weights, row * top);
          }
        });
    return Choices.sorted(chosen, router.experts());
  }

  /**
   * All chosen experts answer, and the shared one: two jobs, whoever was chosen.
   *
   * @param given a row for each pair: first what the expert is asked, then what it gives
   */
  private void ask(Pass pass, Choices choices, Matrix x, Matrix given, Matrix sharedGiven) {
    int rows = x.rows();
    int pairs = given.rows();
    int width = x.cols();
    int inner = experts.getFirst().inner();
    try (Pass.Frame frame = pass.frame()) {
      pass.eachRow(
          pairs,
          width,
          (from, to, worker) -> {
            for (int pair = from; pair < to; pair++) {
              int at = x.at(choices.choice(pair) / router.top());
              System.arraycopy(x.data(), at, given.data(), given.at(pair), width);
            }
          });
      Matrix gates = frame.matrix(pairs, inner);
      Matrix inners = frame.matrix(pairs, inner);
      List<Divisible> first = new ArrayList<>();
      List<Divisible> second = new ArrayList<>();
      for (int e = 0; e < experts.size(); e++) {
        int from = choices.start(e);
        int to = choices.start(e + 1);
        if (from < to) {
          first.add(experts.get(e).innerTask(pass, given, gates, inners, from, to));
          second.add(experts.get(e).outputTask(pass, inners, given, from, to));
        }
      }
      if (shared != null) {
        Matrix sharedGates = frame.matrix(rows, shared.inner());
        Matrix sharedInner = frame.matrix(rows, shared.inner());
        first.add(shared.innerTask(pass, x, sharedGates, sharedInner, 0, rows));
        second.add(shared.outputTask(pass, sharedInner, sharedGiven, 0, rows));
      }
      pass.run(first.toArray(Divisible[]::new));
      pass.run(second.toArray(Divisible[]::new));
    }
  }

  /** The weighted sum of what a token's experts gave, in the order of the experts. */
  private void add(Choices choices, float[] weights, Matrix given, int row, Matrix y) {
    Arrays.fill(y.data(), y.at(row), y.at(row + 1), 0);
    for (int choice = row * router.top(); choice < (row + 1) * router.top(); choice++) {
      addScaled(weights[choice], given, choices.pair(choice), y, row);
    }
  }

  private void addScaled(float weight, Matrix from, int row, Matrix y, int to) {
    kernels
        .activations()
        .addScaled(weight, from.data(), from.at(row), y.data(), y.at(to), y.cols());
  }

  /**
   * The type {@code moe}: the settings of a {@link Router}, {@code inner}, {@code activation}, and
   * for a shared expert {@code sharedInner} and {@code sharedGated}.
   */
  public static final class Type implements ChannelType {

    @Override
    public String name() {
      return "moe";
    }

    @Override
    public ChannelMixer build(Config settings, Site site) {
      Router router = Router.read(settings);
      Activation activation = Mlp.activation(settings);
      int inner = settings.positive("inner");
      if ((long) router.experts() * inner > Integer.MAX_VALUE) {
        throw settings.error(
            "experts=%d of inner=%d values are more than 2^31 − 1 values", router.experts(), inner);
      }
      int sharedInner = settings.count("sharedInner", 0);
      boolean sharedGated = settings.flag("sharedGated", false);
      if (sharedGated && sharedInner == 0) {
        throw settings.errorAt(
            "sharedGated", "sharedGated=true needs sharedInner: there is no shared expert to gate");
      }
      int width = site.width();
      WeightScope weights = site.weights();
      Projection scores = weights.projection("router", router.experts(), width);
      List<Mlp> experts = new ArrayList<>();
      for (int e = 0; e < router.experts(); e++) {
        WeightScope expert = weights.scope("expert").expert(e);
        experts.add(Mlp.gated(activation, width, inner, false, expert));
      }
      Mlp shared =
          sharedInner == 0
              ? null
              : Mlp.gated(activation, width, sharedInner, false, weights.scope("shared"));
      Projection gate = sharedGated ? weights.projection("shared.gating", 1, width) : null;
      return new MixtureOfExperts(
          router, site.kernels(), scores, List.copyOf(experts), shared, gate);
    }
  }
}
