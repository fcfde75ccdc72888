package dev.apus.core.weight;

import dev.apus.core.tensor.Matrix;

/** A weight matrix in panels of rows: packed beforehand, or whenever they are needed. */
interface Panels {

  /** Memory that the weights take, of their own or as pages of their file. */
  long bytes();

  /** How many floats of scratch {@link #multiply} needs for so many tokens. */
  int scratchFloats(int tokens);

  /**
   * Computes the outputs of panels {@code [fromPanel, toPanel)} for rows {@code [fromRow, toRow)}
   * of {@code x}.
   */
  void multiply(
      int fromPanel, int toPanel, Matrix x, Matrix y, int fromRow, int toRow, float[] scratch);

  /** Writes the values of one row of the weight matrix. */
  void read(int row, float[] values, int valuesAt);
}
