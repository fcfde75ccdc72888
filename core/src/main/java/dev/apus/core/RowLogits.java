package dev.apus.core;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;

/** Logits of rows, some rows at a time. */
final class RowLogits {

  /** Logits that are there at a time, unless those of one row are more. */
  private static final int MOST = 1 << 22;

  private RowLogits() {}

  /** As {@link Evaluator#logits}. */
  static void read(Model model, Pass pass, Matrix rows, Evaluator.LogitsReader reader) {
    int vocabulary = model.architecture().vocabulary();
    int most = Math.max(1, MOST / vocabulary);
    Lifetime lifetime = model.lifetime();
    for (int from = 0; from < rows.rows(); from += most) {
      int first = from;
      int count = Math.min(most, rows.rows() - from);
      Matrix some = part(rows, from, count);
      Matrix logits = Matrix.zeros(count, vocabulary);
      lifetime.enter();
      try {
        pass.begin();
        model.network().predict(pass, some, logits);
        pass.workers()
            .run(
                count,
                (row, worker) -> reader.read(first + row, worker, logits.data(), logits.at(row)));
      } catch (RuntimeException | Error e) {
        throw Step.explained(model, "a text", e);
      } finally {
        lifetime.leave();
      }
    }
  }

  private static Matrix part(Matrix rows, int from, int count) {
    float[] data = new float[count * rows.cols()];
    System.arraycopy(rows.data(), rows.at(from), data, 0, data.length);
    return new Matrix(data, count, rows.cols());
  }
}
