package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;

/** The matmul of each weight format. */
public final class Matmuls {

  private Matmuls() {}

  public static Matmul scalar(WeightFormat format) {
    throw new UnsupportedOperationException("no scalar matmul of " + format);
  }

  public static Matmul vector(WeightFormat format) {
    throw new UnsupportedOperationException("no vector matmul of " + format);
  }
}
