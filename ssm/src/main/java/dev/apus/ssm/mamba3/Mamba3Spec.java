package dev.apus.ssm.mamba3;

import dev.apus.core.config.Config;
import dev.apus.kernels.memory.MatrixMemory;

/**
 * The settings of {@link Mamba3}.
 *
 * @param groups heads share the queries and keys of {@code heads / groups} neighbours
 * @param angles pairs of a key's values, from its first on, that turn
 * @param decayFloor the least rate at which a memory decays
 * @param outputNorm whether each head's output is normalised before its gate
 * @param biased whether the projections of a token and the output have a bias
 */
record Mamba3Spec(
    int heads,
    int headDim,
    int stateSize,
    int groups,
    int angles,
    float decayFloor,
    boolean outputNorm,
    boolean biased,
    float epsilon) {

  static Mamba3Spec read(Config c) {
    int heads = c.positive("heads");
    int headDim = c.positive("headDim", 64);
    int stateSize = c.positive("stateSize", 128);
    int groups = c.positive("groups", 1);
    if (heads % groups != 0) {
      throw c.error("heads=%d is not divisible by groups=%d", heads, groups);
    }
    int angles = c.positive("angles", Math.max(1, stateSize / 4));
    if (2L * angles > stateSize) {
      throw c.errorAt(
          "angles", "angles=%d turn pairs of values, and stateSize=%d", angles, stateSize);
    }
    if ((double) heads * (headDim + 4) * (stateSize + 4) > Integer.MAX_VALUE) {
      throw c.error(
          "heads=%d of headDim=%d by stateSize=%d are more than 2^31 − 1 values",
          heads, headDim, stateSize);
    }
    return new Mamba3Spec(
        heads,
        headDim,
        stateSize,
        groups,
        angles,
        c.real("decayFloor", 1e-4f),
        c.flag("outputNorm", false),
        c.flag("biased", false),
        c.real("epsilon", 1e-5f));
  }

  int inner() {
    return heads * headDim;
  }

  MatrixMemory.Shape memory() {
    return new MatrixMemory.Shape(
        stateSize, headDim, MatrixMemory.Decay.SCALAR, MatrixMemory.Write.ADD);
  }

  /** What a head remembers of its last token: its key, its value, γ, and the angles. */
  int lastFloats() {
    return stateSize + headDim + 1 + angles;
  }
}
