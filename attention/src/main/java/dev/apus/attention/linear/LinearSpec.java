package dev.apus.attention.linear;

import dev.apus.core.config.Config;
import dev.apus.core.model.Mlp;
import dev.apus.core.model.NormSpec;
import dev.apus.kernels.activation.Activation;

/**
 * The settings of a linear attention layer.
 *
 * @param kvHeads heads of keys and values, each shared by {@code heads / kvHeads} neighbours
 * @param keyDim values of a head's query or key
 * @param activation the function of queries, keys and values
 * @param features what becomes of queries and keys then, or null for nothing
 * @param scale factor on queries, or on their features
 * @param denominator what the sum of the weights is kept with and divided by, or null
 * @param decay what heads forget, or null if nothing
 * @param norm how what was read is normalised, or null
 * @param normOver what has a mean of its own
 * @param gate the function of the output gate, or null if there is none
 */
record LinearSpec(
    int heads,
    int kvHeads,
    int keyDim,
    int valueDim,
    Activation activation,
    FeatureSpec features,
    float scale,
    Denominator denominator,
    Decay decay,
    NormSpec norm,
    NormOver normOver,
    Activation gate) {

  /** What the norm of the output takes the mean over. */
  enum NormOver {
    /** Each head, with one weight for all heads. */
    HEAD,
    /** Each head, with a weight for each. */
    EACH_HEAD,
    /** All heads together. */
    ROW
  }

  /**
   * What each head forgets at every token.
   *
   * @param rates how heads differ
   * @param scale factor on the exponent
   */
  record Decay(Rates rates, float scale) {

    /** How heads differ, counted from 0. */
    enum Rates {
      /** {@code λ = e^(−scale · 2^(−8 (head + 1) / heads))}, as in ALiBi. */
      LIGHTNING,
      /** {@code λ = (1 − 2^(−5 − head))^scale}. */
      RETENTION
    }

    static Decay read(Config c) {
      Rates rates =
          c.choice("rates", null, "lightning", "retention").equals("lightning")
              ? Rates.LIGHTNING
              : Rates.RETENTION;
      float scale = c.real("scale", 1);
      if (scale < 0) {
        throw c.errorAt("scale", "scale=%s must not be negative: memories would grow", scale);
      }
      return new Decay(rates, scale);
    }

    /** The factor of each head; rates are rounded to single precision, as models were trained. */
    float[] factors(int heads) {
      float[] factors = new float[heads];
      float base = (float) (1 / StrictMath.pow(2, 8.0 / heads));
      for (int head = 0; head < heads; head++) {
        float rate =
            switch (rates) {
              case LIGHTNING -> (float) StrictMath.pow(base, head + 1);
              case RETENTION -> (float) -StrictMath.log1p(-StrictMath.pow(2, -5 - head));
            };
        factors[head] = (float) StrictMath.exp(-(rate * scale));
      }
      return factors;
    }
  }

  /**
   * @param context the longest sequence the model was made for
   */
  static LinearSpec read(Config c, int context) {
    int heads = c.positive("heads");
    int kvHeads = c.positive("kvHeads", heads);
    if (heads % kvHeads != 0) {
      throw c.error("heads=%d is not divisible by kvHeads=%d", heads, kvHeads);
    }
    int keyDim = c.positive("keyDim");
    int valueDim = c.positive("valueDim", keyDim);
    FeatureSpec features =
        c.has("features") ? FeatureSpec.read(c.section("features"), keyDim, context) : null;
    double memoryRows = features == null ? keyDim : features.features(keyDim);
    boolean divided = c.has("denominator");
    double memoryCols = divided ? valueDim + 1.0 : valueDim;
    if (heads * memoryRows * memoryCols > Integer.MAX_VALUE) {
      throw c.error(
          "heads=%d of %s by %s values are more than 2^31 − 1 values",
          heads,
          features == null ? "keyDim=" + keyDim : (long) memoryRows + " features",
          "valueDim=" + valueDim);
    }
    if (features != null && features.isScaled() && !divided) {
      throw c.errorAt(
          "features",
          "features of map=\"favor\" need a denominator: they are kept divided by the greatest");
    }
    if (features != null && features.weighted() && features.tied() && heads != kvHeads) {
      throw c.errorAt(
          "features",
          "tied=true needs as many heads of keys as of queries, found kvHeads=%d for heads=%d",
          kvHeads,
          heads);
    }
    Config norm = c.has("norm") ? c.section("norm") : null;
    NormOver over =
        norm == null
            ? NormOver.HEAD
            : switch (norm.choice("over", "head", "head", "each-head", "row")) {
              case "head" -> NormOver.HEAD;
              case "each-head" -> NormOver.EACH_HEAD;
              default -> NormOver.ROW;
            };
    String gate = c.choice("gate", "none", "none", "silu", "sigmoid");
    return new LinearSpec(
        heads,
        kvHeads,
        keyDim,
        valueDim,
        c.has("activation") ? Mlp.activation(c) : Activation.IDENTITY,
        features,
        c.real("scale", features == null ? (float) (1 / Math.sqrt(keyDim)) : 1),
        divided
            ? new Denominator(heads, valueDim, c.section("denominator").real("epsilon", 0))
            : null,
        c.has("decay") ? Decay.read(c.section("decay")) : null,
        norm == null ? null : NormSpec.read(norm),
        over,
        switch (gate) {
          case "silu" -> Activation.SILU;
          case "sigmoid" -> Activation.SIGMOID;
          default -> null;
        });
  }

  /** Whether keys come with factors that could overflow. */
  boolean isScaled() {
    return features != null && features.isScaled();
  }

  /** Values of a head's query or key in the memory. */
  int memoryRows() {
    return features == null ? keyDim : (int) features.features(keyDim);
  }

  /** Values of a head's value in the memory. */
  int memoryCols() {
    return denominator == null ? valueDim : valueDim + 1;
  }
}
