package dev.apus.kernels.rope;

/** Rotates pairs of a head's values by an angle that grows with the position (RoPE). */
public interface Rotary {

  /** Which values of a head make a pair. */
  enum Layout {
    /** Value {@code i} with value {@code i + dims / 2}. */
    HALVES,
    /** Value {@code 2i} with value {@code 2i + 1}. */
    INTERLEAVED
  }

  /**
   * Rotates the first {@code dims} values of each head of one token in place.
   *
   * <pre>
   *   (a, b) ← (a · cos − b · sin, b · cos + a · sin)
   * </pre>
   *
   * <p>Products are rounded before they are added, as the reference implementations do.
   *
   * @param heads how many heads follow one another at {@code x[xAt]}, each {@code headDim} long
   * @param dims rotated values of a head, even, at most {@code headDim}
   * @param cos {@code dims / 2} cosines from {@code tableAt}; {@code sin} likewise
   */
  void rotate(
      Layout layout,
      float[] x,
      int xAt,
      int heads,
      int headDim,
      int dims,
      float[] cos,
      float[] sin,
      int tableAt);

  /**
   * Turns angles that depend on the tokens, and writes their cosines and sines for {@link #rotate}.
   *
   * <pre>
   *   angle ← angle + step · rate, less a multiple of 2π
   * </pre>
   *
   * <p>The angle is one fused multiply-add and is brought to between −π and π by two; cosine and
   * sine have an absolute error below 1.2e-7. The new angle must be smaller than 2²⁰.
   */
  void turn(
      float step,
      float[] rate,
      int rateAt,
      float[] angle,
      int angleAt,
      int count,
      float[] cos,
      float[] sin,
      int tableAt);
}
