package dev.apus.attention.linear;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.model.Batch;
import dev.apus.core.model.Normalization;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.Kernels;
import java.util.ArrayList;
import java.util.List;

/**
 * A feature map that looks at one head of one token at a time, by way of learned projections of it
 * if there are any.
 *
 * @param dim values of a head
 * @param norm of each head before all else; or null
 */
record HeadFeatures(
    int dim, int features, Normalization norm, List<HeadProjection> projections, HeadMap map)
    implements FeatureMap {

  /** About how many values' work a feature is. */
  private static final int COST = 8;

  /** A formula from a head's values to its features. */
  @FunctionalInterface
  interface HeadMap {

    /**
     * Writes the features of one head.
     *
     * @param x where the head's values begin, or what they were projected to first
     * @param other what they were projected to second, if they were
     */
    void map(Kernels kernels, Place x, Place other, Place y);
  }

  /** Values that begin somewhere in an array. */
  record Place(float[] data, int at) {}

  @Override
  public Features apply(Pass pass, Pass.Frame frame, Batch<?> batch, Matrix x) {
    if (norm != null) {
      norm.groups(pass, x, x, x.cols() / dim, dim, 0);
    }
    List<Matrix> inputs = new ArrayList<>();
    List<Divisible> tasks = new ArrayList<>();
    for (HeadProjection projection : projections) {
      Matrix projected = projection.result(frame, x);
      projection.addTo(tasks, pass, x, projected);
      inputs.add(projected);
    }
    if (projections.isEmpty()) {
      inputs.add(x);
    } else {
      pass.run(tasks.toArray(Divisible[]::new));
    }
    int values = projections.isEmpty() ? dim : projections.getFirst().outputs();
    Matrix first = inputs.getFirst();
    Matrix last = inputs.getLast();
    int heads = first.cols() / values;
    Matrix y = frame.matrix(x.rows(), heads * features);
    pass.eachRow(
        x.rows() * heads,
        COST * features,
        (from, to, worker) -> {
          for (int head = from; head < to; head++) {
            map.map(
                pass.kernels(),
                new Place(first.data(), head * values),
                new Place(last.data(), head * values),
                new Place(y.data(), head * features));
          }
        });
    return new Features(y, null);
  }
}
