package dev.apus.attention.linear;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Batch;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;

/**
 * cosFormer's features, whose products fade with the distance between two tokens:
 *
 * <pre>
 *   φ(x, i) = [max(x, 0) cos(πi / 2M), max(x, 0) sin(πi / 2M)]
 *   φ(q, i)·φ(k, j) = max(q, 0)·max(k, 0) cos(π(i − j) / 2M)
 * </pre>
 *
 * @param dim values of a head
 * @param longest M: farther apart, products would be negative
 * @see <a href="https://arxiv.org/abs/2202.08791">cosFormer</a>
 */
record TurnedFeatures(int dim, int longest) implements FeatureMap {

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
          2 * y.cols(),
          (from, to, worker) -> {
            for (int i = from; i < to; i++) {
              double angle = Math.PI / 2 * (run.position() + i) / longest;
              turn(
                  x,
                  run.from() + i,
                  (float) StrictMath.cos(angle),
                  (float) StrictMath.sin(angle),
                  y);
            }
          });
    }
    return new Features(y, null);
  }

  private void turn(Matrix x, int row, float cos, float sin, Matrix y) {
    for (int at = 0; at < x.cols(); at += dim) {
      int xAt = x.at(row) + at;
      int yAt = y.at(row) + 2 * at;
      for (int i = 0; i < dim; i++) {
        float value = Math.max(x.data()[xAt + i], 0);
        y.data()[yAt + i] = value * cos;
        y.data()[yAt + dim + i] = value * sin;
      }
    }
  }
}
