package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.RowTable;
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

  /**
   * Writes the row of each token, which is not normalised yet.
   *
   * @param kinds the kind of each row's token; null if all are of kind 0
   */
  void embed(Pass pass, Batch<SequenceState> batch, int[] ids, int[] kinds, Matrix x) {
    float scale = spec.scale();
    for (int row = 0; row < ids.length; row++) {
      tokens.read(ids[row], x.data(), x.at(row));
      for (int i = x.at(row); scale != 1 && i < x.at(row) + x.cols(); i++) {
        x.data()[i] *= scale;
      }
    }
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
