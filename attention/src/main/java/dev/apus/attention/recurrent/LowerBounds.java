package dev.apus.attention.recurrent;

import dev.apus.core.config.Config;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;

/**
 * The least that forget gates keep, which grows from layer to layer so that later layers remember
 * longer. For each channel, of one table of logits that all layers have together:
 *
 * <pre>
 *   p = softmax(logits) over the layers      bound of layer l = p₁ + … + p_l, that of the first is 0
 *   f = bound + (1 − bound) ⊙ σ(W_f x)
 * </pre>
 *
 * @param layers how many layers the table has, at least one more than bounds
 * @param layer whose bounds these are, counted from 0
 * @see <a href="https://arxiv.org/abs/2311.04823">Hierarchically Gated Recurrent Neural Network</a>
 */
public record LowerBounds(int layers, int layer) {

  /** The section {@code bounds}, or null if there is none: {@code layers} and {@code layer}. */
  public static LowerBounds read(Config settings) {
    if (!settings.has("bounds")) {
      return null;
    }
    Config c = settings.section("bounds");
    int layers = c.positive("layers");
    int layer = c.positive("layer");
    if (layer >= layers) {
      throw c.errorAt(
          "layer", "bounds.layer=%d of layers=%d; layers are counted from 0", layer, layers);
    }
    return new LowerBounds(layers, layer);
  }

  /**
   * The bound of each channel, in [0, 1).
   *
   * @param weights of the part, whose common weights have {@code bounds}: {@code layers} rows of
   *     {@code channels} logits
   */
  public float[] of(WeightScope weights, int channels) {
    float[] logits = weights.common().table("bounds", layers, channels, new Typical(0, 1));
    float[] bounds = new float[channels];
    for (int channel = 0; channel < channels; channel++) {
      double most = Double.NEGATIVE_INFINITY;
      for (int l = 0; l < layers; l++) {
        most = Math.max(most, logits[l * channels + channel]);
      }
      double below = 0;
      double all = 0;
      for (int l = 0; l < layers; l++) {
        double weight = StrictMath.exp(logits[l * channels + channel] - most);
        all += weight;
        below += l > 0 && l <= layer ? weight : 0;
      }
      bounds[channel] = (float) (below / all);
    }
    return bounds;
  }
}
