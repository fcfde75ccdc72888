package dev.apus.moe;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.activation.Activations;

/**
 * Experts that are no networks, and that a router may choose like others: copies, which give x, and
 * constants, which give {@code a · x + b · v} with {@code [a, b] = softmax(W x)} and a learned v.
 * They come after the experts that are networks, the copies first.
 *
 * @see <a href="https://arxiv.org/abs/2410.07348">MoE++</a>
 */
final class PlainExperts {

  private final int first;
  private final int copies;
  private final int constants;
  private final Projection mix;
  private final float[] values;

  private PlainExperts(int first, int copies, int constants, int width, WeightScope weights) {
    this.first = first;
    this.copies = copies;
    this.constants = constants;
    this.mix = constants == 0 ? null : weights.projection("constant.mix", 2 * constants, width);
    this.values =
        constants == 0 ? null : weights.table("constant.value", constants, width, Typical.BIAS);
  }

  /** The settings {@code copyExperts} and {@code constantExperts}; null if there are none. */
  static PlainExperts read(Config c, int width, WeightScope weights) {
    int copies = c.count("copyExperts", 0);
    int constants = c.count("constantExperts", 0);
    if (constants > Integer.MAX_VALUE / Math.max(2, width)) {
      throw c.errorAt("constantExperts", "constantExperts=%d are too many values", constants);
    }
    return copies + constants == 0
        ? null
        : new PlainExperts(c.positive("experts"), copies, constants, width, weights);
  }

  /** Where {@link #mixing} writes; null if there are no constants. */
  Matrix mixes(Pass.Frame frame, int rows) {
    return mix == null ? null : frame.matrix(rows, mix.outputs());
  }

  /** What reads x, to be done together with other work. */
  Divisible mixing(Pass pass, Matrix x, Matrix mixes) {
    return mix.task(pass, x, mixes);
  }

  /**
   * Adds to {@code y} what the chosen of these experts give.
   *
   * @param chosen {@code top} experts of each row
   * @param mixes what {@link #mixing} wrote, overwritten
   */
  void add(Pass pass, int[] chosen, float[] weights, int top, Matrix x, Matrix mixes, Matrix y) {
    pass.eachRow(
        y.rows(),
        y.cols(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            for (int i = row * top; i < (row + 1) * top; i++) {
              int expert = chosen[i] - first;
              if (expert >= 0 && expert < copies + constants) {
                add(pass, expert, weights[i], x, mixes, y, row);
              }
            }
          }
        });
  }

  private void add(Pass pass, int expert, float weight, Matrix x, Matrix mixes, Matrix y, int row) {
    Activations kernel = pass.kernels().activations();
    float share = weight;
    if (expert >= copies) {
      int constant = expert - copies;
      int at = mixes.at(row) + 2 * constant;
      kernel.softmax(mixes.data(), at, 2);
      share = weight * mixes.data()[at];
      float rest = weight * mixes.data()[at + 1];
      kernel.addScaled(rest, values, constant * y.cols(), y.data(), y.at(row), y.cols());
    }
    kernel.addScaled(share, x.data(), x.at(row), y.data(), y.at(row), y.cols());
  }
}
