package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;

/**
 * Multiplies rows of activations by a weight matrix that is stored in one format: {@code y = x ·
 * Wᵀ}.
 *
 * <p>Weights are packed once, at load, into panels of {@link #PANEL_ROWS} rows, so that a vector's
 * lanes are output rows and a thread reads one long stream. Every implementation computes each
 * output as one chain of fused multiply-adds over the decoded weights, first column first:
 *
 * <pre>
 *   y[t][n] = fma(w[n][K−1], x[t][K−1], … fma(w[n][1], x[t][1], fma(w[n][0], x[t][0], 0)) …)
 * </pre>
 *
 * <p>An output therefore has the same bits whatever the vector width, the number of tokens in the
 * call and the split into panels: scalar and vector forms agree exactly.
 */
public interface Matmul {

  /**
   * Rows of the weight matrix that are packed side by side; the last panel is filled up with zeros.
   */
  int PANEL_ROWS = 32;

  /**
   * Panels that are best multiplied in one call: of any multiple of it no forms work on fewer at a
   * time than they could.
   */
  static int panelsTogether(int tokens) {
    return tokens < 3 ? 2 : 4;
  }

  /** The format whose blocks {@link #pack} reads. */
  WeightFormat format();

  /** Size of one packed panel of a matrix with {@code cols} columns; a multiple of 64. */
  long panelBytes(int cols);

  /**
   * Packs one panel.
   *
   * @param rows at most {@link #PANEL_ROWS} rows as stored, each exactly {@code
   *     format().rowBytes(cols)} long
   * @param cols columns of the matrix; a multiple of the format's block length
   * @param packed native and 64-byte aligned; the panel is written from {@code packedAt}
   */
  void pack(MemorySegment[] rows, int cols, MemorySegment packed, long packedAt);

  /**
   * Brings rows of one packed panel back into the form in which {@link #pack} met them, bit for
   * bit.
   *
   * @param packedAt of the panel
   * @param fromRow of the panel, the first of {@code rows}
   * @param stored native; the rows are written to it one after the other
   */
  void unpack(
      MemorySegment packed, long packedAt, int cols, int fromRow, int rows, MemorySegment stored);

  /** What rounds the inputs before they are multiplied; null if nothing does. */
  default Rounding rounding() {
    return null;
  }

  /** How many floats of scratch {@link #multiply} needs for this many columns and tokens. */
  int scratchFloats(int cols, int tokens);

  /**
   * Computes the outputs of panels {@code [fromPanel, toPanel)} for every token; without tokens it
   * does nothing. It reads no inputs and writes no outputs but those named here.
   *
   * @param packed all panels of the matrix, panel {@code p} at {@code p · panelBytes(cols)}
   * @param rows rows of the matrix; rows past it in the last panel are not written
   * @param x token {@code t}'s inputs begin at {@code xAt + t · xStride}
   * @param y token {@code t}'s outputs begin at {@code yAt + t · yStride}; row {@code n} is written
   *     at offset {@code n} from there
   * @param scratch at least {@link #scratchFloats} floats that no other thread uses; what they hold
   *     before does not matter, and afterwards means nothing
   */
  void multiply(
      MemorySegment packed,
      int rows,
      int cols,
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
}
