package dev.apus.attention.softmax;

import dev.apus.core.config.Config;
import dev.apus.kernels.rope.Rotary;
import java.util.List;

/**
 * Rotary position embedding: for each position, the angles by which pairs of a head's values turn.
 *
 * <p>Every published way of stretching the angles to longer contexts is a rule for the frequencies
 * and a factor on queries and keys. Two of the rules depend on how long a sequence may become; they
 * go by its limit, so that all keys of a sequence are turned alike, however it is cut into calls.
 *
 * @see <a href="https://arxiv.org/abs/2104.09864">RoFormer</a>
 */
final class Rope {

  private final Rotary.Layout layout;
  private final int dims;
  private final float[] frequencies;
  private final float factor;

  private Rope(Rotary.Layout layout, int dims, float[] frequencies, float factor) {
    this.layout = layout;
    this.dims = dims;
    this.frequencies = frequencies;
    this.factor = factor;
  }

  /**
   * The settings of a layer's rotary embedding, as the architecture document has them.
   *
   * @param dims how many values of a head turn
   */
  record Spec(
      Rotary.Layout layout,
      int dims,
      int headDim,
      double theta,
      String type,
      double factor,
      int original,
      int context,
      double lowFrequency,
      double highFrequency,
      double betaFast,
      double betaSlow,
      boolean truncate,
      double attentionFactor,
      List<Double> shortFactors,
      List<Double> longFactors,
      List<Double> factors) {

    static Spec read(Config c, int headDim, int context) {
      int dims = c.positive("dims", headDim);
      if (dims % 2 != 0 || dims > headDim) {
        throw c.error("dims=%d must be even and at most headDim=%d", dims, headDim);
      }
      String type =
          c.choice(
              "type",
              "default",
              "default",
              "linear",
              "dynamic",
              "llama3",
              "yarn",
              "longrope",
              "factors",
              "proportional");
      var spec =
          new Spec(
              c.choice("layout", "halves", "halves", "interleaved").equals("halves")
                  ? Rotary.Layout.HALVES
                  : Rotary.Layout.INTERLEAVED,
              dims,
              headDim,
              c.number("theta", 10_000),
              type,
              c.number("factor", 1),
              c.positive("original", context),
              context,
              c.number("lowFrequency", 1),
              c.number("highFrequency", 4),
              c.number("betaFast", 32),
              c.number("betaSlow", 1),
              c.flag("truncate", true),
              c.number("attentionFactor", 0),
              c.has("shortFactors") ? c.numbers("shortFactors") : List.of(),
              c.has("longFactors") ? c.numbers("longFactors") : List.of(),
              c.has("factors") ? c.numbers("factors") : List.of());
      spec.check(c);
      return spec;
    }

    private void check(Config c) {
      if (!(theta > 0)) {
        throw c.error("theta=%s must be above 0", theta);
      }
      if (!(factor > 0)) {
        throw c.error("factor=%s must be above 0", factor);
      }
      if (attentionFactor < 0) {
        throw c.error("attentionFactor=%s must not be negative", attentionFactor);
      }
      switch (type) {
        case "llama3" -> checkBand(c);
        case "yarn" -> checkRamp(c);
        case "longrope" -> checkLongRope(c);
        case "factors" -> checkFactors(c);
        default -> {}
      }
    }

    private void checkBand(Config c) {
      if (!(lowFrequency > 0)) {
        throw c.error("lowFrequency=%s must be above 0", lowFrequency);
      }
      if (!(highFrequency > lowFrequency)) {
        throw c.error(
            "highFrequency=%s must be above lowFrequency=%s", highFrequency, lowFrequency);
      }
    }

    private void checkRamp(Config c) {
      if (!(theta > 1)) {
        throw c.error("theta=%s must be above 1", theta);
      }
      if (!(betaSlow > 0)) {
        throw c.error("betaSlow=%s must be above 0", betaSlow);
      }
      if (!(betaFast >= betaSlow)) {
        throw c.error("betaFast=%s must not be below betaSlow=%s", betaFast, betaSlow);
      }
    }

    private void checkLongRope(Config c) {
      if (shortFactors.size() != dims / 2 || longFactors.size() != dims / 2) {
        throw c.error(
            "shortFactors and longFactors must hold dims / 2 = %d numbers, found %d and %d",
            dims / 2, shortFactors.size(), longFactors.size());
      }
      if (!shortFactors.stream().allMatch(f -> f > 0)
          || !longFactors.stream().allMatch(f -> f > 0)) {
        throw c.error(
            "shortFactors and longFactors must be above 0, found %s and %s",
            shortFactors, longFactors);
      }
      if (original < 2) {
        throw c.error("original=%d must be above 1", original);
      }
    }

    private void checkFactors(Config c) {
      if (factors.size() != dims / 2 || !factors.stream().allMatch(f -> f > 0)) {
        throw c.error(
            "factors must hold dims / 2 = %d numbers above 0, found %s", dims / 2, factors);
      }
    }

    boolean dependsOnLimit() {
      return type.equals("dynamic") || type.equals("longrope");
    }
  }

  /** The angles of a sequence that will have at most {@code limit} tokens. */
  static Rope of(Spec spec, int limit) {
    float[] frequencies = Frequencies.of(spec, limit);
    return new Rope(
        spec.layout, 2 * frequencies.length, frequencies, Frequencies.attentionFactor(spec));
  }

  /** Values of a head that are turned. */
  int dims() {
    return dims;
  }

  /**
   * Writes the cosines and sines of consecutive positions, {@code dims / 2} each.
   *
   * <p>Angles are single-precision products, like those of the models' reference implementations:
   * far into a sequence the rounding of the angle is part of what a model was trained with.
   */
  void tables(int position, int rows, float[] cos, float[] sin) {
    int pairs = dims / 2;
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < pairs; i++) {
        float angle = (float) (position + row) * frequencies[i];
        cos[row * pairs + i] = (float) StrictMath.cos(angle) * factor;
        sin[row * pairs + i] = (float) StrictMath.sin(angle) * factor;
      }
    }
  }

  /** Turns all heads of one row; {@code tableRow} says which row of the tables is its position. */
  void rotate(
      Rotary kernel,
      float[] x,
      int xAt,
      int heads,
      int headDim,
      float[] cos,
      float[] sin,
      int tableRow) {
    kernel.rotate(layout, x, xAt, heads, headDim, dims, cos, sin, tableRow * (dims / 2));
  }
}
