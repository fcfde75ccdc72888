package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.WeightScope;
import java.util.function.BiConsumer;

/**
 * What a matrix of BitNet multiplies: rows that are normalised, and then rounded to 255 steps of
 * their own greatest value.
 *
 * <pre>
 *   n = norm(x)      s = max|n| / 127      y = (W · round(n / s)) · s
 * </pre>
 *
 * <p>Halves are rounded away from zero. The matrix multiplies whole numbers.
 *
 * @see <a href="https://arxiv.org/abs/2402.17764">The Era of 1-bit LLMs</a>
 */
public final class RoundedInputs {

  private static final float STEPS = 127;

  /** No greatest value is taken to be smaller. */
  private static final float LEAST = 1e-5f;

  private final Normalization norm;

  private RoundedInputs(Normalization norm) {
    this.norm = norm;
  }

  /**
   * The rows before the matrix called {@code name}, whose norm's weight is {@code name.input}.
   *
   * @param norm null where rows are multiplied as they are, which gives null
   * @param size values of a row
   */
  public static RoundedInputs of(NormSpec norm, String name, int size, WeightScope weights) {
    return norm == null
        ? null
        : new RoundedInputs(Normalization.of(norm, name + ".input", size, weights));
  }

  /**
   * Writes the product of the rounded rows to {@code y}.
   *
   * @param product by a matrix without biases: writes its second argument for the rows in its first
   */
  public void apply(Pass pass, Matrix x, Matrix y, BiConsumer<Matrix, Matrix> product) {
    int rows = x.rows();
    try (Pass.Frame frame = pass.frame()) {
      Matrix rounded = frame.matrix(rows, x.cols());
      float[] scales = frame.floats(rows);
      norm.rows(pass, x, rounded);
      pass.eachRow(
          rows,
          4 * x.cols(),
          (from, to, worker) -> {
            for (int row = from; row < to; row++) {
              scales[row] = round(rounded.data(), rounded.at(row), x.cols());
            }
          });
      product.accept(rounded, y);
      pass.eachRow(
          rows,
          y.cols(),
          (from, to, worker) -> {
            for (int row = from; row < to; row++) {
              int at = y.at(row);
              for (int i = at; i < at + y.cols(); i++) {
                y.data()[i] /= scales[row];
              }
            }
          });
    }
  }

  /** Rounds a row and returns by what it was multiplied. */
  private static float round(float[] x, int at, int count) {
    float greatest = LEAST;
    for (int i = at; i < at + count; i++) {
      greatest = Math.max(greatest, Math.abs(x[i]));
    }
    float scale = STEPS / greatest;
    for (int i = at; i < at + count; i++) {
      float value = x[i] * scale;
      x[i] = (float) Math.copySign(Math.floor(Math.abs((double) value) + 0.5), value);
    }
    return scale;
  }
}
