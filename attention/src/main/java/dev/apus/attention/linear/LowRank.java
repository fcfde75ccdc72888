package dev.apus.attention.linear;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import java.util.List;

/**
 * A projection, by way of fewer values where it has a rank.
 *
 * @param down to these values; null if there is no such way
 */
record LowRank(Projection down, Projection up) {

  /**
   * @param rank how many values there are between; 0 for a plain projection
   * @param biased whether the outputs have biases
   */
  static LowRank read(
      WeightScope weights, String name, int outputs, int inputs, int rank, boolean biased) {
    return rank == 0
        ? new LowRank(null, weights.projection(name, outputs, inputs, biased))
        : new LowRank(
            weights.projection(name + ".latent", rank, inputs),
            weights.projection(name, outputs, rank, biased));
  }

  /**
   * Adds what has to be done to one list, and what has to be done after that to another.
   *
   * @param projection null if there is nothing to do
   */
  static void add(
      LowRank projection,
      Pass pass,
      Pass.Frame frame,
      Matrix x,
      Matrix y,
      List<Divisible> first,
      List<Divisible> second) {
    if (projection == null) {
      return;
    }
    if (projection.down == null) {
      first.add(projection.up.task(pass, x, y));
      return;
    }
    Matrix latent = frame.matrix(x.rows(), projection.down.outputs());
    first.add(projection.down.task(pass, x, latent));
    second.add(projection.up.task(pass, latent, y));
  }

  /** Does what is on one list, then what is on the other. */
  static void run(Pass pass, List<Divisible> first, List<Divisible> second) {
    pass.run(first.toArray(Divisible[]::new));
    if (!second.isEmpty()) {
      pass.run(second.toArray(Divisible[]::new));
    }
  }
}
