package dev.apus.core.routing;

import dev.apus.kernels.Kernels;

/** Choices one after the other, each weighed among the experts near it that are left. */
final class SparseMixer {

  private SparseMixer() {}

  /** As {@link Router#choose}; {@code scratch} has a value for each expert. */
  static void choose(
      Kernels kernels,
      Router router,
      float[] logits,
      int logitsAt,
      float[] scratch,
      int[] chosen,
      float[] weights,
      int at) {
    for (int i = 0; i < router.top(); i++) {
      int best = router.best(logits, logitsAt, chosen, at, i);
      float most = logits[logitsAt + best];
      for (int expert = 0; expert < router.experts(); expert++) {
        float logit = logits[logitsAt + expert];
        boolean far = (most - logit) / Math.max(Math.abs(logit), most) > 2 * router.cut().jitter();
        scratch[expert] =
            far || Router.isTaken(chosen, at, i, expert) ? Float.NEGATIVE_INFINITY : logit;
      }
      kernels.activations().softmax(scratch, 0, router.experts());
      insert(best, router.shares().scale() * scratch[best], chosen, weights, at, at + i);
    }
  }

  /** Puts a choice among those before it, which are in the order of the experts. */
  private static void insert(
      int expert, float weight, int[] chosen, float[] weights, int from, int to) {
    int place = to;
    while (place > from && chosen[place - 1] > expert) {
      chosen[place] = chosen[place - 1];
      weights[place] = weights[place - 1];
      place--;
    }
    chosen[place] = expert;
    weights[place] = weight;
  }
}
