package dev.apus.kernels.rope;

/** The definition of {@link Rotary}. */
public final class ScalarRotary implements Rotary {

  public ScalarRotary() {}

  @Override
  public void rotate(
      Layout layout,
      float[] x,
      int xAt,
      int heads,
      int headDim,
      int dims,
      float[] cos,
      float[] sin,
      int tableAt) {
    for (int at = xAt; at < xAt + heads * headDim; at += headDim) {
      rotatePairs(layout, x, at, 0, dims / 2, cos, sin, tableAt);
    }
  }

  /** Rotates pairs {@code [from, pairs)} of the head at {@code at}. */
  static void rotatePairs(
      Layout layout,
      float[] x,
      int at,
      int from,
      int pairs,
      float[] cos,
      float[] sin,
      int tableAt) {
    int step = layout == Layout.HALVES ? 1 : 2;
    int partner = layout == Layout.HALVES ? pairs : 1;
    for (int i = from; i < pairs; i++) {
      float c = cos[tableAt + i];
      float s = sin[tableAt + i];
      float a = x[at + i * step];
      float b = x[at + i * step + partner];
      x[at + i * step] = a * c - b * s;
      x[at + i * step + partner] = b * c + a * s;
    }
  }
}
