package dev.apus.attention.linear;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Batch;
import dev.apus.core.tensor.Matrix;

/**
 * What queries and keys become before they meet: φ, whose products {@code φ(q)·φ(k)} stand for the
 * {@code e^(q·k)} of softmax attention, so that the sum over all keys can be kept as a matrix.
 */
public interface FeatureMap {

  /** Values that a head's query or key becomes. */
  int features();

  /** The most tokens that a sequence may have. */
  default int longest() {
    return Integer.MAX_VALUE;
  }

  /**
   * The features of each head of some rows.
   *
   * @param x rows of heads of values, which may be overwritten
   */
  Features apply(Pass pass, Pass.Frame frame, Batch<?> batch, Matrix x);

  /**
   * Rows of heads of features.
   *
   * @param logarithms of a factor that the features of each row and head have to be multiplied by,
   *     and which is left out because it could overflow; null if all are 1
   */
  record Features(Matrix values, Matrix logarithms) {}
}
