package dev.apus.core.weight;

import dev.apus.kernels.matmul.Rounding;

/** A weight matrix in panels of rows: packed beforehand, or whenever they are needed. */
interface Panels {

  /** Memory that the weights take, of their own or as pages of their file. */
  long bytes();

  /** What may round inputs for so many tokens before they are multiplied, or null. */
  Rounding rounding(int tokens);

  /** How many floats of scratch {@link #multiply} needs. */
  int scratchFloats(Inputs inputs);

  /**
   * Computes the outputs of panels {@code [fromPanel, toPanel)} for every token.
   *
   * @param y token {@code t}'s outputs, those of all panels, begin at {@code yAt + t · yStride}
   */
  void multiply(
      int fromPanel, int toPanel, Inputs inputs, float[] y, int yAt, int yStride, float[] scratch);

  /** Writes the values of one row of the weight matrix. */
  void read(int row, float[] values, int valuesAt);
}
