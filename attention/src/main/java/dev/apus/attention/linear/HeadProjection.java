package dev.apus.attention.linear;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import java.util.List;

/**
 * A projection of each head's values: the same for all heads, or one for each.
 *
 * @param each one projection for all heads, or as many as heads are given
 */
record HeadProjection(List<Projection> each) {

  /** Values that a head is projected to. */
  int outputs() {
    return each.getFirst().outputs();
  }

  /** How many heads are given for so many. */
  int heads(int heads) {
    return each.size() == 1 ? heads : each.size();
  }

  /** Where the heads of some rows are projected to. */
  Matrix result(Pass.Frame frame, Matrix x) {
    return frame.matrix(x.rows(), heads(x.cols() / each.getFirst().inputs()) * outputs());
  }

  /** Adds what has to be done; where there are fewer heads than projections, neighbours share. */
  void addTo(List<Divisible> tasks, Pass pass, Matrix x, Matrix y) {
    int inputs = each.getFirst().inputs();
    int heads = x.cols() / inputs;
    if (each.size() == 1) {
      Matrix from = new Matrix(x.data(), x.rows() * heads, inputs);
      Matrix to = new Matrix(y.data(), y.rows() * heads, outputs());
      tasks.add(each.getFirst().task(pass, from, to));
      return;
    }
    int group = each.size() / heads;
    for (int i = 0; i < each.size(); i++) {
      tasks.add(each.get(i).task(pass, x, i / group * inputs, y, i * outputs()));
    }
  }
}
