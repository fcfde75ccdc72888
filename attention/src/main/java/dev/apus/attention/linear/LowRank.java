package dev.apus.attention.linear;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.activation.Activation;
import java.util.List;

/**
 * A projection, by way of fewer values where it has a rank: {@code y = B f(A x) + b}.
 *
 * @param down to these values; null if there is no such way
 * @param between f
 */
public record LowRank(Projection down, Activation between, Projection up) {

  /** What is left of a way when the fewer values are there. */
  public record Rest(Activation between, Matrix latents, Divisible up) {

    private void bend(Pass pass) {
      if (between == Activation.IDENTITY) {
        return;
      }
      var activations = pass.kernels().activations();
      float[] data = latents.data();
      pass.eachRow(
          latents.rows(),
          16 * latents.cols(),
          (from, to, worker) ->
              activations.apply(
                  between, data, latents.at(from), latents.at(to) - latents.at(from)));
    }
  }

  /**
   * Without f.
   *
   * @param rank how many values there are between; 0 for a plain projection
   * @param biased whether the outputs have biases
   */
  static LowRank read(
      WeightScope weights, String name, int outputs, int inputs, int rank, boolean biased) {
    return rank == 0
        ? new LowRank(null, Activation.IDENTITY, weights.projection(name, outputs, inputs, biased))
        : read(weights, name, outputs, inputs, rank, Activation.IDENTITY, biased);
  }

  /** The weights {@code name.latent}, {@code name} and, if biased, {@code name.bias}. */
  public static LowRank read(
      WeightScope weights,
      String name,
      int outputs,
      int inputs,
      int rank,
      Activation between,
      boolean biased) {
    return new LowRank(
        weights.projection(name + ".latent", rank, inputs),
        between,
        weights.projection(name, outputs, rank, biased));
  }

  /**
   * Adds what has to be done to one list, and what is left after that to another.
   *
   * @param projection null if there is nothing to do
   */
  public static void add(
      LowRank projection,
      Pass pass,
      Pass.Frame frame,
      Matrix x,
      Matrix y,
      List<Divisible> first,
      List<Rest> second) {
    if (projection == null) {
      return;
    }
    if (projection.down == null) {
      first.add(projection.up.task(pass, x, y));
      return;
    }
    Matrix latents = frame.matrix(x.rows(), projection.down.outputs());
    first.add(projection.down.task(pass, x, latents));
    second.add(new Rest(projection.between, latents, projection.up.task(pass, latents, y)));
  }

  /** Does what is on one list, then what is on the other. */
  public static void run(Pass pass, List<Divisible> first, List<Rest> second) {
    pass.run(first.toArray(Divisible[]::new));
    if (!second.isEmpty()) {
      second.forEach(rest -> rest.bend(pass));
      pass.run(second.stream().map(Rest::up).toArray(Divisible[]::new));
    }
  }
}
