package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.RowTable;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;

/**
 * What makes rows of tokens.
 *
 * @param positions rows to add by position, or null
 * @param meta rows that come before the first token, or null
 * @param types rows to add by the kinds of the tokens, or null
 * @param norm of the sum, or null
 */
record BuiltEmbedding(
    Architecture.Embedding spec,
    RowTable tokens,
    RowTable positions,
    RowTable meta,
    RowTable types,
    Normalization norm) {

  /** The largest vocabularies times this are below a float's rounding. */
  private static final double LEAST_SHARE = 0x1p-44;

  /** Taking a value of a row out of its panel takes about as long as computing so many. */
  private static final int READ_VALUES = 32;

  /**
   * Writes the rows of tokens, which are not normalised yet.
   *
   * @param kinds of the tokens; null if all are of kind 0
   */
  void embed(Pass pass, Batch<SequenceState> batch, int[] ids, int[] kinds, Matrix x) {
    pass.eachRow(
        ids.length,
        READ_VALUES * x.cols(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            tokens.read(ids[row], x.data(), x.at(row));
            scale(x.data(), x.at(row), x.cols());
          }
        });
    if (types != null) {
      addRows(pass, types, 0, x.rows(), row -> kinds == null ? 0 : kinds[row], x);
    }
    if (positions != null) {
      for (Run<SequenceState> run : batch.runs()) {
        int shift = spec.skipped() + run.position() - run.from();
        addRows(pass, positions, run.from(), run.to(), row -> row + shift, x);
      }
    }
  }

  /** As {@link Network#expect}. */
  void expect(Pass pass, int worker, double[] weights, float[] row, int rowAt) {
    int width = tokens.cols();
    double sum = 0;
    for (int token = 0; token < tokens.rows(); token++) {
      sum += weights[token];
    }
    float[] one = pass.scratch(worker, width);
    Arrays.fill(row, rowAt, rowAt + width, 0);
    for (int token = 0; token < tokens.rows(); token++) {
      double share = weights[token] / sum;
      if (share >= LEAST_SHARE) {
        tokens.read(token, one, 0);
        pass.kernels().activations().addScaled((float) share, one, 0, row, rowAt, width);
      }
    }
    scale(row, rowAt, width);
  }

  private void scale(float[] row, int at, int width) {
    for (int i = at; spec.scale() != 1 && i < at + width; i++) {
      row[i] *= spec.scale();
    }
  }

  private static void addRows(
      Pass pass, RowTable table, int from, int to, IntUnaryOperator which, Matrix x) {
    try (Pass.Frame frame = pass.frame()) {
      float[] added = frame.floats(x.cols());
      for (int row = from; row < to; row++) {
        table.read(which.applyAsInt(row), added, 0);
        pass.kernels().activations().addScaled(1, added, 0, x.data(), x.at(row), x.cols());
      }
    }
  }
}
