package dev.apus.moe;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.ChannelMixer;
import dev.apus.core.model.ChannelType;
import dev.apus.core.model.Mlp;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.RowTable;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.activation.Activations;
import java.util.Arrays;

/**
 * Very many experts of one neuron each, which are found by keys that are sums: of n² experts,
 * expert {@code i · n + j} has the logit {@code xᵢ + yⱼ}, so that the best are among the best of x
 * and of y.
 *
 * <pre>
 *   [x; y] = W input          w = softmax of the logits of the best
 *   output = Σ_best w · f(down · input) · up
 * </pre>
 *
 * @see <a href="https://arxiv.org/abs/2407.04153">Mixture of A Million Experts</a>
 */
public final class ProductKeyExperts implements ChannelMixer {

  private final int keys;
  private final int top;
  private final Activation activation;
  private final Projection router;
  private final RowTable down;
  private final RowTable up;

  private ProductKeyExperts(Config settings, Site site) {
    int experts = settings.positive("experts");
    keys = (int) Math.sqrt(experts);
    top = settings.positive("top");
    if (top > (long) keys * keys) {
      throw settings.errorAt(
          "top", "top=%d is more than the %d × %d experts that have keys", top, keys, keys);
    }
    activation = Mlp.activation(settings);
    int width = site.width();
    router = site.weights().projection("router", 2 * keys, width);
    down = site.weights().lookup("down", experts, width);
    up = site.weights().lookup("up", experts, width);
  }

  @Override
  public void forward(Pass pass, Matrix x, Matrix y) {
    int width = x.cols();
    try (Pass.Frame frame = pass.frame()) {
      Matrix logits = frame.matrix(x.rows(), 2 * keys);
      router.apply(pass, x, logits);
      pass.eachRow(
          x.rows(),
          8 * top * width,
          (from, to, worker) -> {
            float[] scratch = pass.scratch(worker, width + 2 * top);
            for (int row = from; row < to; row++) {
              forward(pass, logits, x, y, row, scratch);
            }
          });
    }
  }

  /**
   * @param scratch a row of a table, and for each chosen expert its weight and what it is asked for
   */
  private void forward(Pass pass, Matrix logits, Matrix x, Matrix y, int row, float[] scratch) {
    Activations kernel = pass.kernels().activations();
    int width = x.cols();
    int asked = width + top;
    int[] chosen = BestSums.of(logits.data(), logits.at(row), keys, top, scratch, width);
    kernel.softmax(scratch, width, top);
    for (int i = 0; i < top; i++) {
      down.read(chosen[i], scratch, 0);
      scratch[asked + i] = kernel.dot(x.data(), x.at(row), scratch, 0, width);
    }
    kernel.apply(activation, scratch, asked, top);
    Arrays.fill(y.data(), y.at(row), y.at(row + 1), 0);
    for (int i = 0; i < top; i++) {
      up.read(chosen[i], scratch, 0);
      float weight = scratch[width + i] * scratch[asked + i];
      kernel.addScaled(weight, scratch, 0, y.data(), y.at(row), width);
    }
  }

  /** The type {@code product-key-experts}: {@code experts}, {@code top} and {@code activation}. */
  public static final class Type implements ChannelType {

    @Override
    public String name() {
      return "product-key-experts";
    }

    @Override
    public ChannelMixer build(Config settings, Site site) {
      return new ProductKeyExperts(settings, site);
    }
  }
}
