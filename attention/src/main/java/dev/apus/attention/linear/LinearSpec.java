package dev.apus.attention.linear;

import dev.apus.core.config.Config;
import dev.apus.kernels.memory.MatrixMemory.Decay;

/**
 * The settings of a linear attention layer.
 *
 * @param denominator what the sum of the weights is kept with and divided by, or null
 */
record LinearSpec(
    HeadSpec heads, Denominator denominator, Forgetting.Spec forgetting, Readout.Spec readout) {

  /**
   * @param context the longest sequence the model was made for
   */
  static LinearSpec read(Config c, int context) {
    HeadSpec heads = HeadSpec.read(c, context);
    boolean divided = c.has("denominator");
    double memoryCols = divided ? heads.valueDim() + 1.0 : heads.valueDim();
    FeatureSpec features = heads.features();
    if (heads.heads() * (double) heads.memoryRows() * memoryCols > Integer.MAX_VALUE) {
      throw c.error(
          "heads=%d of %s by %s values are more than 2^31 − 1 values",
          heads.heads(),
          features == null ? "keyDim=" + heads.keyDim() : heads.memoryRows() + " features",
          "valueDim=" + heads.valueDim());
    }
    Forgetting.Spec forgetting = Forgetting.Spec.read(c);
    if (features != null && features.isScaled()) {
      checkFavor(c, divided, forgetting);
    }
    if (forgetting.makesKeys() && (features != null || heads.rope() != null)) {
      throw c.error(
          "%s is not supported beside decay.keys, which makes the keys of what they forget",
          features != null ? "features" : "rope");
    }
    if (divided && forgetting.decay() == Decay.PER_VALUE) {
      throw c.error("decay.gate=\"value\" is not supported with a denominator: values have one");
    }
    if (forgetting instanceof ForgetGates.Spec gates
        && gates.rest()
        && heads.heads() != heads.kvHeads()) {
      throw c.errorAt(
          "decay",
          "decay.rest=true needs keys for each head, found kvHeads=%d for heads=%d",
          heads.kvHeads(),
          heads.heads());
    }
    return new LinearSpec(
        heads,
        divided
            ? new Denominator(
                heads.heads(), heads.valueDim(), c.section("denominator").real("epsilon", 0))
            : null,
        forgetting,
        Readout.Spec.read(c));
  }

  private static void checkFavor(Config c, boolean divided, Forgetting.Spec forgetting) {
    if (!divided) {
      throw c.errorAt(
          "features",
          "features of map=\"favor\" need a denominator: they are kept divided by the greatest");
    }
    if (forgetting.factors(1) == null) {
      throw c.errorAt(
          "decay", "features of map=\"favor\" are supported with constant rates of decay only");
    }
  }

  /** Whether keys come with factors that could overflow. */
  boolean isScaled() {
    return heads.features() != null && heads.features().isScaled();
  }

  /** Values of a head's value in the memory. */
  int memoryCols() {
    return denominator == null ? heads.valueDim() : heads.valueDim() + 1;
  }
}
