package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.kernels.activation.Activation;

/** What heads keep of everything before a token: {@code f = σ(W x + b)}. */
final class ForgetGate {

  private ForgetGate() {}

  /** The logarithms of the gates of all rows: {@code log σ(z) = −softplus(−z)}. */
  static Matrix logarithms(Pass pass, Pass.Frame frame, Projection gates, Matrix x) {
    Matrix kept = frame.matrix(x.rows(), gates.outputs());
    gates.apply(pass, x, kept);
    int count = x.rows() * kept.cols();
    negate(kept.data(), kept.at(0), count);
    pass.kernels().activations().apply(Activation.SOFTPLUS, kept.data(), kept.at(0), count);
    negate(kept.data(), kept.at(0), count);
    return kept;
  }

  private static void negate(float[] x, int at, int count) {
    for (int i = at; i < at + count; i++) {
      x[i] = -x[i];
    }
  }
}
