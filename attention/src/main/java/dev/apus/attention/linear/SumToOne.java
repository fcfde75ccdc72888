package dev.apus.attention.linear;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Batch;
import dev.apus.core.tensor.Matrix;

/** The features of another map, divided by their sum. */
record SumToOne(FeatureMap of) implements FeatureMap {

  /** Keeps features that are all 0 from being divided by it. */
  private static final float EPSILON = 1e-4f;

  @Override
  public int features() {
    return of.features();
  }

  @Override
  public int longest() {
    return of.longest();
  }

  @Override
  public Features apply(Pass pass, Pass.Frame frame, Batch<?> batch, Matrix x) {
    Matrix y = of.apply(pass, frame, batch, x).values();
    int size = features();
    pass.eachRow(
        y.rows(),
        2 * y.cols(),
        (from, to, worker) -> {
          for (int at = y.at(from); at < y.at(to); at += size) {
            float sum = 0;
            for (int i = at; i < at + size; i++) {
              sum += y.data()[i];
            }
            sum += EPSILON;
            for (int i = at; i < at + size; i++) {
              y.data()[i] /= sum;
            }
          }
        });
    return new Features(y, null);
  }
}
