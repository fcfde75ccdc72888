package dev.apus.attention.rwkv;

import dev.apus.core.config.Config;
import dev.apus.kernels.memory.MatrixMemory;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Write;
import java.util.Locale;

/**
 * The settings of a {@link Rwkv7TimeMix}.
 *
 * @param keyDim values of a head's key
 * @param values where a token's values come from
 * @param decayRank values that the decays come out of; likewise the others
 * @param rateRank of the rates at which keys are replaced
 * @param valueRank of the shares of the first layer's values; 0 unless values are mixed
 * @param gateRank of the output gate
 * @param epsilon of the norm of what a head has read
 */
record Rwkv7Spec(
    int heads,
    int keyDim,
    int valueDim,
    Values values,
    int decayRank,
    int rateRank,
    int valueRank,
    int gateRank,
    double epsilon) {

  /** Where a token's values come from. */
  enum Values {
    /** A projection. */
    OWN,
    /** The first layer's, which the rows end with: a layer that is the first. */
    GIVEN,
    /** A projection and the first layer's, which the rows end with, by shares from the data. */
    MIXED
  }

  static Rwkv7Spec read(Config c) {
    int heads = c.positive("heads");
    int keyDim = c.positive("keyDim");
    int valueDim = c.positive("valueDim", keyDim);
    if ((double) heads * keyDim * valueDim > Integer.MAX_VALUE) {
      throw c.error(
          "heads=%d of keyDim=%d by valueDim=%d are more than 2^31 − 1 values",
          heads, keyDim, valueDim);
    }
    String from = c.choice("values", "own", "own", "given", "mixed");
    Values values = Values.valueOf(from.toUpperCase(Locale.ROOT));
    return new Rwkv7Spec(
        heads,
        keyDim,
        valueDim,
        values,
        c.positive("decayRank"),
        c.positive("rateRank"),
        values == Values.MIXED ? c.positive("valueRank") : 0,
        c.positive("gateRank"),
        c.number("epsilon", 64e-5));
  }

  int keyCols() {
    return heads * keyDim;
  }

  int valueCols() {
    return heads * valueDim;
  }

  /** Which shifted rows are needed, by a letter each. */
  String order() {
    return values == Values.GIVEN ? "rwkag" : "rwkvag";
  }

  MatrixMemory.Shape memory() {
    return new MatrixMemory.Shape(keyDim, valueDim, Decay.PER_KEY, Write.ERASE);
  }
}
