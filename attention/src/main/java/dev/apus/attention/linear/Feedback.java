package dev.apus.attention.linear;

import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;

/**
 * The keys that Comba reads its memories with before it writes: {@code p = σ(δ) k}, of unit length,
 * and what is taken of them from the queries, {@code q ← q − η σ(δ) k}.
 *
 * @param shrinking σ(δ) of each key head; null for 1
 * @param correction η of each key head; null for 0
 * @see <a href="https://arxiv.org/abs/2506.02475">Comba</a>
 */
record Feedback(int keyDim, int heads, float[] shrinking, float[] correction) {

  static Feedback read(DeltaSpec spec, Kernels kernels, WeightScope weights) {
    int heads = spec.keyHeads();
    float[] shrinking = null;
    if (spec.innerDecay()) {
      shrinking = weights.vector("innerDecay", heads, new Typical(0, 1)).clone();
      kernels.activations().apply(Activation.SIGMOID, shrinking, 0, heads);
    }
    float[] correction =
        spec.correction() ? weights.vector("correction", heads, new Typical(0.5f, 0.4f)) : null;
    return new Feedback(spec.keyDim(), heads, shrinking, correction);
  }

  /**
   * Makes a row's keys and corrects its queries, before any of them has unit length.
   *
   * @param x the queries are at {@code qAt}, the keys at {@code kAt}
   */
  void apply(Kernels kernels, float[] x, int qAt, int kAt, float[] p, int pAt, float epsilon) {
    for (int head = 0; head < heads; head++) {
      float shrunk = shrinking == null ? 1 : shrinking[head];
      float taken = correction == null ? 0 : correction[head];
      for (int i = head * keyDim; i < (head + 1) * keyDim; i++) {
        p[pAt + i] = shrunk * x[kAt + i];
        x[qAt + i] -= taken * p[pAt + i];
      }
    }
    kernels.norms().l2(p, pAt, heads, keyDim, 1, epsilon, p, pAt);
  }
}
