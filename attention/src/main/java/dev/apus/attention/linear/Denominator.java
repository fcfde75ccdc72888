package dev.apus.attention.linear;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;

/**
 * The sum of the weights with which values were added up. It is what the weights make of one more
 * value that is always 1, so that a memory of one more column keeps it, decays and all.
 *
 * @param heads of values
 * @param valueDim values of a head, without the 1
 * @param epsilon is added to the sum
 */
public record Denominator(int heads, int valueDim, float epsilon) {

  /** Rows in which each head's values are followed by a 1. */
  public Matrix widened(Pass pass, Pass.Frame frame, Matrix v) {
    int valueHeads = v.cols() / valueDim;
    Matrix wide = frame.matrix(v.rows(), valueHeads * (valueDim + 1));
    pass.eachRow(
        v.rows(),
        wide.cols(),
        (from, to, worker) -> {
          for (int head = from * valueHeads; head < to * valueHeads; head++) {
            int at = head * (valueDim + 1);
            System.arraycopy(v.data(), head * valueDim, wide.data(), at, valueDim);
            wide.data()[at + valueDim] = 1;
          }
        });
    return wide;
  }

  /** Divides each head's values by the value behind them. */
  void divide(Pass pass, Matrix wide, Matrix o) {
    pass.eachRow(
        o.rows(),
        2 * o.cols(),
        (from, to, worker) -> {
          for (int head = from * heads; head < to * heads; head++) {
            int at = head * (valueDim + 1);
            float sum = wide.data()[at + valueDim] + epsilon;
            for (int j = 0; j < valueDim; j++) {
              o.data()[head * valueDim + j] = wide.data()[at + j] / sum;
            }
          }
        });
  }
}
