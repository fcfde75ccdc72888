package dev.apus.attention.linear;

import dev.apus.core.config.Config;
import dev.apus.core.model.NormSpec;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.memory.MatrixMemory;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Write;

/**
 * The settings of a {@link MesaNet}.
 *
 * @param headDim values of a head's query, key or value
 * @param taps length of the short convolution of queries and keys
 * @param steps of conjugate gradients for each token
 * @param leastRidge what the ridge is kept above; at 0 a memory may be too near to singular
 * @param norm of what each head reads
 * @param gate the function of the output gate; null for none
 */
record MesaSpec(
    int heads, int headDim, int taps, int steps, float leastRidge, NormSpec norm, Activation gate) {

  static MesaSpec read(Config c) {
    int heads = c.positive("heads");
    int headDim = c.positive("headDim");
    int taps = c.positive("taps");
    if ((double) heads * headDim * Math.max(headDim, 2.0 * taps) > Integer.MAX_VALUE) {
      throw c.error(
          "heads=%d of headDim=%d by headDim, or by taps=%d for queries and keys, are more than"
              + " 2^31 − 1 values",
          heads, headDim, taps);
    }
    float leastRidge = c.real("leastRidge", 0.25f);
    if (leastRidge < 0) {
      throw c.errorAt(
          "leastRidge",
          "leastRidge=%s must not be negative: some queries have no answer",
          leastRidge);
    }
    boolean gated = c.choice("gate", "none", "none", "silu").equals("silu");
    return new MesaSpec(
        heads,
        headDim,
        taps,
        c.positive("steps", 30),
        leastRidge,
        NormSpec.read(c.section("norm")),
        gated ? Activation.SILU : null);
  }

  /** Values of all heads. */
  int inner() {
    return heads * headDim;
  }

  /** Of keys by keys, and of keys by values. */
  MatrixMemory.Shape memory() {
    return new MatrixMemory.Shape(headDim, headDim, Decay.SCALAR, Write.ADD);
  }
}
