package dev.apus.attention.linear;

import dev.apus.core.config.Config;
import dev.apus.core.model.Mlp;
import dev.apus.core.model.NormSpec;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.memory.MatrixMemory;

/**
 * The settings of a linear attention layer.
 *
 * @param keyDim values of a head's query or key
 * @param activation the function of queries, keys and values
 * @param scale factor on queries
 * @param decay what heads forget, or null if nothing
 * @param norm how what was read is normalised, or null
 * @param normOver what has a mean of its own
 * @param gate the function of the output gate, or null if there is none
 */
record LinearSpec(
    int heads,
    int keyDim,
    int valueDim,
    Activation activation,
    float scale,
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

  static LinearSpec read(Config c) {
    int heads = c.positive("heads");
    int keyDim = c.positive("keyDim");
    int valueDim = c.positive("valueDim", keyDim);
    if ((double) heads * keyDim * valueDim > Integer.MAX_VALUE) {
      throw c.error(
          "heads=%d of keyDim=%d by valueDim=%d are more than 2^31 − 1 values",
          heads, keyDim, valueDim);
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
        keyDim,
        valueDim,
        c.has("activation") ? Mlp.activation(c) : Activation.IDENTITY,
        c.real("scale", (float) (1 / Math.sqrt(keyDim))),
        c.has("decay") ? Decay.read(c.section("decay")) : null,
        norm == null ? null : NormSpec.read(norm),
        over,
        switch (gate) {
          case "silu" -> Activation.SILU;
          case "sigmoid" -> Activation.SIGMOID;
          default -> null;
        });
  }

  MatrixMemory.Shape memory() {
    return new MatrixMemory.Shape(
        keyDim,
        valueDim,
        decay == null ? MatrixMemory.Decay.NONE : MatrixMemory.Decay.SCALAR,
        MatrixMemory.Write.ADD);
  }
}
