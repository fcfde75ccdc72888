package dev.apus.attention.rwkv;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.activation.Activation;

/**
 * What comes out of a few values: {@code y = B f(A x) + b}.
 *
 * @param between f
 */
record LowRank(Projection down, Activation between, Projection up) {

  /** The weights {@code name.latent}, {@code name} and, if biased, {@code name.bias}. */
  static LowRank read(
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
   * The way through the few values for the rows of a pass: {@link #down} first, then {@link #bend},
   * then {@link #up}.
   */
  final class Way {

    private final Pass pass;
    private final Matrix x;
    private final Matrix latents;
    private final Matrix y;

    private Way(Pass pass, Pass.Frame frame, Matrix x) {
      this.pass = pass;
      this.x = x;
      this.latents = frame.matrix(x.rows(), down.outputs());
      this.y = frame.matrix(x.rows(), up.outputs());
    }

    Divisible down() {
      return down.task(pass, x, latents);
    }

    /** Applies f. */
    void bend() {
      if (between == Activation.IDENTITY) {
        return;
      }
      pass.eachRow(
          latents.rows(),
          16 * latents.cols(),
          (from, to, worker) ->
              pass.kernels()
                  .activations()
                  .apply(
                      between,
                      latents.data(),
                      latents.at(from),
                      latents.at(to) - latents.at(from)));
    }

    Divisible up() {
      return up.task(pass, latents, y);
    }

    Matrix y() {
      return y;
    }
  }

  Way of(Pass pass, Pass.Frame frame, Matrix x) {
    return new Way(pass, frame, x);
  }
}
