package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.block.WholeCodec;

/** What a {@link Matmul} multiplies. */
public enum Products {
  /** The inputs as they are with the weights as they decode, in floats. */
  EXACT,

  /**
   * Whole numbers, where weights have four to six bits (Q4_0, Q4_K, Q5_K, Q6_K and MXFP4): inputs
   * are rounded to −127 … 127 times a scale for every 32 of them, which is off by up to 1/254 of
   * the largest of the 32. Other formats multiply exactly.
   */
  INTEGER;

  /** Whether weights of this format meet whole numbers. */
  public boolean areInteger(WeightFormat format) {
    return this == INTEGER && format.codec() instanceof WholeCodec;
  }
}
