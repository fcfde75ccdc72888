package dev.apus.attention.linear;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.activation.Activation;

/** What is done to every value of some rows. */
final class Elementwise {

  private Elementwise() {}

  /** {@code x ← f(x)}. */
  static void apply(Pass pass, Activation f, Matrix x) {
    if (f == Activation.IDENTITY) {
      return;
    }
    pass.eachRow(
        x.rows(),
        Pass.cost(f) * x.cols(),
        (from, to, worker) ->
            pass.kernels().activations().apply(f, x.data(), x.at(from), x.at(to) - x.at(from)));
  }

  /** {@code x ← factor · x}. */
  static void scale(Pass pass, float factor, Matrix x) {
    if (factor == 1) {
      return;
    }
    pass.eachRow(
        x.rows(),
        x.cols(),
        (from, to, worker) -> {
          for (int i = x.at(from); i < x.at(to); i++) {
            x.data()[i] *= factor;
          }
        });
  }

  /** {@code y ← f(gate) · y}. */
  static void gate(Pass pass, Activation f, Matrix gate, Matrix y) {
    pass.eachRow(
        y.rows(),
        8 * y.cols(),
        (from, to, worker) -> {
          int at = y.at(from);
          pass.kernels().activations().gate(f, gate.data(), at, y.data(), at, y.at(to) - at);
        });
  }
}
