package dev.apus.attention.softmax;

import dev.apus.kernels.activation.Activations;
import java.util.Arrays;

/** Products of small matrices of activations, row by row. */
final class Dense {

  private Dense() {}

  /**
   * {@code C ← A · B}, where each value is a chain of fused multiply-adds.
   *
   * @param a {@code rows} rows of {@code inner} values
   * @param b {@code inner} rows of {@code cols} values, {@code bStride} apart
   * @param c {@code rows} rows of {@code cols} values, {@code cStride} apart
   */
  static void multiply(
      Activations kernel,
      int rows,
      int inner,
      int cols,
      float[] a,
      int aAt,
      float[] b,
      int bAt,
      int bStride,
      float[] c,
      int cAt,
      int cStride) {
    for (int i = 0; i < rows; i++) {
      int at = cAt + i * cStride;
      Arrays.fill(c, at, at + cols, 0);
      for (int k = 0; k < inner; k++) {
        kernel.addScaled(a[aAt + i * inner + k], b, bAt + k * bStride, c, at, cols);
      }
    }
  }
}
