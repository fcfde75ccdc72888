package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;

/** A layer's way of mixing the values of each row; it remembers nothing of the rows before. */
public interface ChannelMixer {

  /** Writes a row of {@code y} for each row of {@code x}. */
  void forward(Pass pass, Matrix x, Matrix y);
}
