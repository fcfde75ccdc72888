package dev.apus.moe;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Mlp;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.activation.Activation;
import java.util.Locale;

/**
 * A router that is more than one matrix, and that goes on from the router of the layer before:
 *
 * <pre>
 *   s = W x + b + carry ⊙ s of the layer before
 *   logits = W_out f(W_second f(W_first rms(s)))
 * </pre>
 *
 * @see <a href="https://arxiv.org/abs/2511.17127">ZAYA1</a>
 */
final class RouterNetwork {

  /** What the routers of a pass tell each other from layer to layer. */
  private static final class Told {
    private static final Object KEY = new Object();
    private Matrix states;
  }

  private final int layer;
  private final Activation activation;
  private final Projection state;
  private final float[] carry;
  private final Normalization norm;
  private final Projection first;
  private final Projection second;
  private final Projection out;

  /**
   * @param c the settings {@code hidden}, {@code activation}, {@code epsilon} of the norm, and
   *     {@code carried}: whether it goes on from the layer before
   */
  RouterNetwork(Config c, int experts, Site site) {
    int hidden = c.positive("hidden");
    boolean carried = c.flag("carried", false);
    if (carried && site.layer() == 0) {
      throw c.errorAt("carried", "carried=true needs a layer before, and this is the first");
    }
    WeightScope weights = site.weights().scope("router");
    this.layer = site.layer();
    this.activation = Mlp.activation(c);
    this.state = weights.projection("state", hidden, site.width(), true);
    this.carry = carried ? weights.vector("carry", hidden, Typical.NORM) : null;
    NormSpec rms = NormSpec.rms(c.number("epsilon", 1e-6));
    this.norm = Normalization.of(rms, "norm", hidden, weights);
    this.first = weights.projection("first", hidden, hidden, true);
    this.second = weights.projection("second", hidden, hidden, true);
    this.out = weights.projection("out", experts, hidden);
  }

  /** What reads x, to be done together with other work: {@code W x + b}. */
  Projection state() {
    return state;
  }

  /**
   * Writes the logits of all rows.
   *
   * @param states what {@link #state} gives, overwritten
   */
  void forward(Pass pass, Matrix states, Matrix logits) {
    Told told = pass.once(Told.KEY, Told::new);
    if (carry != null) {
      add(told.states, states);
    }
    int count = states.rows() * states.cols();
    // The layer after reads them when the scratch of this one is gone.
    told.states = Matrix.zeros(states.rows(), states.cols());
    System.arraycopy(states.data(), 0, told.states.data(), 0, count);
    try (Pass.Frame frame = pass.frame()) {
      Matrix inner = frame.matrix(states.rows(), states.cols());
      norm.rows(pass, states, states);
      apply(pass, first, states, inner);
      apply(pass, second, inner, states);
      out.apply(pass, states, logits);
    }
  }

  private void add(Matrix before, Matrix states) {
    if (before == null || before.cols() != states.cols()) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "the router of layer %d goes on from a router of %d values in a layer before, found"
                  + " %s; set carried=false",
              layer,
              states.cols(),
              before == null ? "none" : "one of " + before.cols()));
    }
    float[] data = states.data();
    for (int row = 0; row < states.rows(); row++) {
      for (int i = 0; i < carry.length; i++) {
        data[states.at(row) + i] += before.data()[before.at(row) + i] * carry[i];
      }
    }
  }

  private void apply(Pass pass, Projection projection, Matrix x, Matrix y) {
    projection.apply(pass, x, y);
    int cols = y.cols();
    pass.eachRow(
        y.rows(),
        16 * cols,
        (from, to, worker) ->
            pass.kernels()
                .activations()
                .apply(activation, y.data(), from * cols, (to - from) * cols));
  }
}
