package dev.apus.attention.linear;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;

/**
 * A projection, by way of fewer values where it has a rank.
 *
 * @param down to these values; null if there is no such way
 */
record LowRank(Projection down, Projection up) {

  /**
   * @param rank how many values there are between; 0 for a plain projection
   */
  static LowRank read(WeightScope weights, String name, int outputs, int inputs, int rank) {
    return rank == 0
        ? new LowRank(null, weights.projection(name, outputs, inputs))
        : new LowRank(
            weights.projection(name + ".latent", rank, inputs),
            weights.projection(name, outputs, rank));
  }

  /** What has to be done, the one after the other; there may be no second. */
  record Steps(Divisible first, Divisible second) {}

  Steps steps(Pass pass, Pass.Frame frame, Matrix x, Matrix y) {
    if (down == null) {
      return new Steps(up.task(pass, x, y), null);
    }
    Matrix latent = frame.matrix(x.rows(), down.outputs());
    return new Steps(down.task(pass, x, latent), up.task(pass, latent, y));
  }
}
