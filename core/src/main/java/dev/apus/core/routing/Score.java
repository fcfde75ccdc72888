package dev.apus.core.routing;

import dev.apus.core.config.Config;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import java.util.Arrays;
import java.util.Locale;

/** What turns a token's router logits into the scores of the experts. */
public enum Score {
  /** A softmax over all experts. */
  SOFTMAX,
  /** A sigmoid of each logit. */
  SIGMOID,
  /** {@code √ln(1 + eˣ)} of each logit. */
  SQRT_SOFTPLUS,
  /**
   * {@code max(x, 0)} of each logit; experts whose score is 0 are not chosen.
   *
   * @see <a href="https://arxiv.org/abs/2412.14711">ReMoE</a>
   */
  RELU,
  /** 1, whatever the logits are: none are needed. */
  EVEN,
  /**
   * For each choice anew, a softmax over the experts that are left and whose logits are near the
   * best of these: {@code (best − x) / max(|x|, best) ≤ 2 · jitter}.
   *
   * @see <a href="https://arxiv.org/abs/2409.12136">GRIN</a>
   */
  SPARSE_MIXER;

  /** The setting {@code score}, as {@code sqrt-softplus} names {@link #SQRT_SOFTPLUS}. */
  static Score read(Config c) {
    String[] names = Arrays.stream(values()).map(Score::spelled).toArray(String[]::new);
    String name = c.choice("score", spelled(SOFTMAX), names);
    return valueOf(name.toUpperCase(Locale.ROOT).replace('-', '_'));
  }

  private static String spelled(Score score) {
    return score.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Turns logits into scores, in place. */
  void apply(Kernels kernels, float[] logits, int at, int experts) {
    switch (this) {
      case SOFTMAX -> kernels.activations().softmax(logits, at, experts);
      case SIGMOID -> kernels.activations().apply(Activation.SIGMOID, logits, at, experts);
      case RELU -> kernels.activations().apply(Activation.RELU, logits, at, experts);
      case EVEN -> Arrays.fill(logits, at, at + experts, 1);
      case SQRT_SOFTPLUS -> {
        kernels.activations().apply(Activation.SOFTPLUS, logits, at, experts);
        for (int i = at; i < at + experts; i++) {
          logits[i] = (float) Math.sqrt(logits[i]);
        }
      }
      case SPARSE_MIXER -> throw new IllegalStateException("its scores depend on the choice");
    }
  }
}
