package dev.apus.core.weight;

/** A weight matrix in panels of rows: packed beforehand, or whenever they are needed. */
interface Panels {

  /** Memory that the weights take, of their own or as pages of their file. */
  long bytes();

  /** How many floats of scratch {@link #multiply} needs for so many tokens. */
  int scratchFloats(int tokens);

  /**
   * Computes the outputs of panels {@code [fromPanel, toPanel)} for every token.
   *
   * @param x token {@code t}'s inputs begin at {@code xAt + t · xStride}
   * @param y token {@code t}'s outputs, those of all panels, begin at {@code yAt + t · yStride}
   */
  void multiply(
      int fromPanel,
      int toPanel,
      float[] x,
      int xAt,
      int xStride,
      int tokens,
      float[] y,
      int yAt,
      int yStride,
      float[] scratch);

  /** Writes the values of one row of the weight matrix. */
  void read(int row, float[] values, int valuesAt);
}
