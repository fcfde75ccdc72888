package dev.apus.moe;

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
 * <p>Tokens are gathered by expert, so an expert's weights are read once for all its tokens. What a
 * token's experts give is added in the order of the experts, whoever else is in the batch.
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
    int top = router.top();
    int[] chosen = new int[rows * top];
    try (Pass.Frame frame = pass.frame()) {
      float[] weights = frame.floats(rows * top);
      Matrix logits = frame.matrix(rows, router.experts());
      scores.apply(pass, x, logits);
      for (int row = 0; row < rows; row++) {
        router.choose(kernels, logits.data(), logits.at(row), chosen, weights, row * top);
      }
      Arrays.fill(y.data(), 0, rows * y.cols(), 0);
      for (int expert = 0; expert < experts.size(); expert++) {
        add(pass, expert, chosen, weights, x, y);
      }
      if (shared != null) {
        addShared(pass, x, y);
      }
    }
  }

  private void add(Pass pass, int expert, int[] chosen, float[] weights, Matrix x, Matrix y) {
    int tokens = 0;
    for (int e : chosen) {
      tokens += e == expert ? 1 : 0;
    }
    if (tokens == 0) {
      return;
    }
    int width = x.cols();
    try (Pass.Frame frame = pass.frame()) {
      Matrix gathered = frame.matrix(tokens, width);
      Matrix output = frame.matrix(tokens, width);
      int[] choices = new int[tokens];
      for (int choice = 0, next = 0; choice < chosen.length; choice++) {
        if (chosen[choice] == expert) {
          int row = choice / router.top();
          System.arraycopy(x.data(), x.at(row), gathered.data(), gathered.at(next), width);
          choices[next++] = choice;
        }
      }
      experts.get(expert).forward(pass, gathered, output);
      for (int i = 0; i < tokens; i++) {
        int row = choices[i] / router.top();
        kernels
            .activations()
            .addScaled(
                weights[choices[i]], output.data(), output.at(i), y.data(), y.at(row), width);
      }
    }
  }

  private void addShared(Pass pass, Matrix x, Matrix y) {
    int rows = x.rows();
    int width = x.cols();
    try (Pass.Frame frame = pass.frame()) {
      Matrix output = frame.matrix(rows, width);
      shared.forward(pass, x, output);
      Matrix gate = frame.matrix(rows, 1);
      if (sharedGate == null) {
        Arrays.fill(gate.data(), 0, rows, 1);
      } else {
        sharedGate.apply(pass, x, gate);
        kernels.activations().apply(Activation.SIGMOID, gate.data(), 0, rows);
      }
      for (int row = 0; row < rows; row++) {
        kernels
            .activations()
            .addScaled(gate.data()[row], output.data(), output.at(row), y.data(), y.at(row), width);
      }
    }
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
