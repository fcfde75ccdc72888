package dev.apus.kernels.matmul;

import java.lang.foreign.MemorySegment;

/** Reads the packed panels of one format with the Vector API; the part of a matmul that differs. */
interface PanelDecoder {

  /** Decoded columns are this far apart. */
  int STRIDE = VectorMatmul.STRIDE;

  /** Floats from the start of the scratch that a decoder may use for itself. */
  int OWN_FLOATS = Quants.FLOATS;

  PanelLayout layout();

  /**
   * Decodes columns {@code [from, from + width)}, exactly as the format's codec does.
   *
   * @param from a multiple of {@link VectorMatmul#COLUMNS}
   * @param width at most {@link VectorMatmul#COLUMNS}
   * @param scratch column k of a row goes to {@code weightsAt + k · STRIDE + row}
   */
  void decode(
      MemorySegment packed, long panelAt, int from, int width, float[] scratch, int weightsAt);
}
