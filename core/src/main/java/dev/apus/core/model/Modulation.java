package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import java.util.Arrays;

/**
 * How a branch is told the noise level, of which {@link LevelEmbedding} makes c:
 *
 * <pre>
 *   [shift, scale, gate] = W c + b
 *   stream ← stream + gate ⊙ part(norm(stream) ⊙ (1 + scale) + shift)
 * </pre>
 *
 * <p>What comes before the head has no gate.
 */
final class Modulation {

  private final LevelEmbedding level;
  private final Projection matrix;
  private final int inputs;

  private Modulation(LevelEmbedding level, Projection matrix, int inputs) {
    this.level = level;
    this.matrix = matrix;
    this.inputs = inputs;
  }

  /**
   * @param level null for a model that is told nothing, which gives null
   * @param name of what is modulated
   * @param inputs values of the rows that are shifted and scaled
   * @param outputs values of the rows that have a gate; 0 for none
   */
  static Modulation of(
      LevelEmbedding level, String name, int inputs, int outputs, WeightScope scope) {
    if (level == null) {
      return null;
    }
    int rows = Math.addExact(Math.multiplyExact(2, inputs), outputs);
    String weight = name + ".modulation";
    return new Modulation(level, scope.projection(weight, rows, level.width(), true), inputs);
  }

  /** Shift, scale and gate of each run. */
  Matrix make(Pass pass, Pass.Frame frame, Batch<?> batch) {
    Matrix made = frame.matrix(batch.runs().size(), matrix.outputs());
    matrix.apply(pass, level.rows(pass, batch), made);
    return made;
  }

  /** Shifts and scales the rows of a batch. */
  void shift(Pass pass, Batch<?> batch, Matrix made, Matrix x) {
    eachRun(pass, batch, x, (run, row) -> shift(made, run, x, row));
  }

  /** Multiplies the rows of a batch by their gates. */
  void gate(Pass pass, Batch<?> batch, Matrix made, Matrix y) {
    eachRun(
        pass,
        batch,
        y,
        (run, row) -> {
          int gate = made.at(run) + 2 * inputs;
          for (int i = 0; i < y.cols(); i++) {
            y.data()[y.at(row) + i] *= made.data()[gate + i];
          }
        });
  }

  /**
   * Shifts and scales some rows of a batch.
   *
   * @param which the row of the batch that each is, ascending
   */
  void end(Pass pass, Batch<?> batch, int[] which, Matrix x) {
    try (Pass.Frame frame = pass.frame()) {
      Matrix made = make(pass, frame, batch);
      int run = 0;
      for (int i = 0; i < which.length; i++) {
        while (which[i] >= batch.runs().get(run).to()) {
          run++;
        }
        shift(made, run, x, i);
      }
    }
  }

  private void shift(Matrix made, int run, Matrix x, int row) {
    int shift = made.at(run);
    int scale = shift + inputs;
    for (int i = 0; i < inputs; i++) {
      int at = x.at(row) + i;
      x.data()[at] = x.data()[at] * (1 + made.data()[scale + i]) + made.data()[shift + i];
    }
  }

  @FunctionalInterface
  private interface RowWork {
    void run(int run, int row);
  }

  private static void eachRun(Pass pass, Batch<?> batch, Matrix x, RowWork work) {
    int[] ends = batch.runs().stream().mapToInt(Run::to).toArray();
    pass.eachRow(
        x.rows(),
        x.cols(),
        (from, to, worker) -> {
          int found = Arrays.binarySearch(ends, from + 1);
          int run = found < 0 ? -found - 1 : found;
          for (int row = from; row < to; row++) {
            run += row == ends[run] ? 1 : 0;
            work.run(run, row);
          }
        });
  }
}
