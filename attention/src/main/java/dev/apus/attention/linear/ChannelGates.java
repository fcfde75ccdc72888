package dev.apus.attention.linear;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import java.util.Arrays;

/**
 * The gates of Gated DeltaNet 2: a token erases each key and writes each value by strengths of
 * their own, {@code u = σ(W_w x) ⊙ v − (α ⊙ S)ᵀ (b ⊙ k)} with {@code b = betaScale · σ(W_b x)}.
 *
 * <p>That is {@code u = v' − Sᵀp} for {@code v' = σ(W_w x) ⊙ v} and {@code p = α ⊙ b ⊙ k}, which
 * reads the memory before it decays.
 */
record ChannelGates(DeltaSpec spec) {

  /**
   * Makes keys to read with, and shrinks values.
   *
   * @param tokens keys of unit length, decays, and gates as they were projected
   * @param p receives a key for each key of the row
   * @param ones receives what scales the correction of each head
   */
  void apply(Pass pass, DeltaHeads.Tokens tokens, Matrix p, Matrix ones) {
    Kernels kernels = pass.kernels();
    pass.eachRow(
        p.rows(),
        8 * (p.cols() + spec.valueCols()),
        (from, to, worker) -> {
          Matrix erase = tokens.beta();
          Matrix write = tokens.write();
          var activations = kernels.activations();
          activations.apply(
              Activation.SIGMOID, erase.data(), erase.at(from), erase.at(to) - erase.at(from));
          activations.apply(
              Activation.SIGMOID, write.data(), write.at(from), write.at(to) - write.at(from));
          Arrays.fill(ones.data(), ones.at(from), ones.at(to), 1);
          for (int row = from; row < to; row++) {
            read(tokens, row, p);
            int value = tokens.mixed().at(row) + spec.firstValue();
            for (int j = 0; j < spec.valueCols(); j++) {
              tokens.mixed().data()[value + j] *= write.data()[write.at(row) + j];
            }
          }
        });
  }

  private void read(DeltaHeads.Tokens tokens, int row, Matrix p) {
    int key = tokens.mixed().at(row) + spec.keyCols();
    int erase = tokens.beta().at(row);
    Matrix alpha = tokens.alpha();
    for (int i = 0; i < spec.keyCols(); i++) {
      float kept = 1;
      if (alpha != null) {
        int head = i / spec.keyDim();
        kept =
            alpha.data()[alpha.at(row) + head * spec.decays() + i % spec.keyDim() % spec.decays()];
      }
      float strength = spec.betaScale() * tokens.beta().data()[erase + i];
      p.data()[p.at(row) + i] = kept * strength * tokens.mixed().data()[key + i];
    }
  }
}
