package dev.apus.attention.linear;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Batch;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;

/**
 * Linearised relative positions: each value turned by an angle that it has learned, so that
 * products depend on the distance between two tokens:
 *
 * <pre>
 *   φ(x, i) = [x cos(iθ), x sin(iθ)]      φ(q, i)·φ(k, j) = Σ q k cos((i − j) θ)
 * </pre>
 *
 * <p>Angles are single-precision products, like those of the reference implementation.
 *
 * @param dim values of a head
 * @param theta the angles of all heads' values
 * @see <a href="https://arxiv.org/abs/2307.09270">Linearized Relative Positional Encoding</a>
 */
record LearnedTurns(int dim, float[] theta) implements FeatureMap {

  /** A cosine takes about as long as so many values of a kernel. */
  private static final int ANGLE_VALUES = 16;

  @Override
  public int features() {
    return 2 * dim;
  }

  @Override
  public Features apply(Pass pass, Pass.Frame frame, Batch<?> batch, Matrix x) {
    Matrix y = frame.matrix(x.rows(), 2 * x.cols());
    for (Run<?> run : batch.runs()) {
      pass.eachRow(
          run.length(),
          ANGLE_VALUES * y.cols(),
          (from, to, worker) -> {
            for (int i = from; i < to; i++) {
              turn(x, run.from() + i, run.position() + i, y);
            }
          });
    }
    return new Features(y, null);
  }

  private void turn(Matrix x, int row, int position, Matrix y) {
    for (int at = 0; at < x.cols(); at += dim) {
      int xAt = x.at(row) + at;
      int yAt = y.at(row) + 2 * at;
      for (int i = 0; i < dim; i++) {
        float value = x.data()[xAt + i];
        float angle = theta[at + i] * position;
        y.data()[yAt + i] = value * (float) StrictMath.cos(angle);
        y.data()[yAt + dim + i] = value * (float) StrictMath.sin(angle);
      }
    }
  }
}
