package dev.apus.attention.linear;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import java.util.Arrays;

/**
 * What a batch brings to the memories, by steps: a token that writes n times is n rows, of which
 * the first alone decays the memory and the last alone reads it.
 *
 * @param q rows of queries; {@code k} has keys from column {@code firstKey}, {@code v} values from
 *     column {@code firstValue}
 * @param p keys that are read with before the memory decays, or null
 * @param alpha decays, or null
 * @param o receives what was read
 */
record MemorySteps(
    DeltaSpec spec,
    Matrix q,
    Matrix k,
    int firstKey,
    Matrix v,
    int firstValue,
    Matrix p,
    Matrix alpha,
    Matrix beta,
    Matrix o) {

  /**
   * Tokens of one step each are taken from where they are.
   *
   * @param o what tokens of one step read into
   */
  static MemorySteps of(
      DeltaSpec spec,
      Pass pass,
      Pass.Frame frame,
      Matrix mixed,
      Matrix p,
      Matrix alpha,
      Matrix beta,
      Matrix o) {
    int rows = mixed.rows();
    if (spec.steps() == 1) {
      return new MemorySteps(
          spec, mixed, mixed, spec.keyCols(), mixed, spec.firstValue(), p, alpha, beta, o);
    }
    int steps = rows * spec.steps();
    MemorySteps spread =
        new MemorySteps(
            spec,
            frame.matrix(steps, spec.keyCols()),
            frame.matrix(steps, spec.keyCols()),
            0,
            frame.matrix(steps, spec.valueCols()),
            0,
            null,
            alpha == null ? null : frame.matrix(steps, alpha.cols()),
            new Matrix(beta.data(), steps, spec.valueHeads()),
            frame.matrix(steps, spec.valueCols()));
    pass.eachRow(
        rows,
        mixed.cols(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            spread.take(row, mixed, alpha);
          }
        });
    return spread;
  }

  /** Spreads a row out. */
  private void take(int row, Matrix mixed, Matrix decays) {
    int steps = spec.steps();
    int first = row * steps;
    int last = first + steps - 1;
    int keys = spec.keyCols();
    int at = mixed.at(row);
    Arrays.fill(q.data(), q.at(first), q.at(last), 0);
    System.arraycopy(mixed.data(), at, q.data(), q.at(last), keys);
    System.arraycopy(mixed.data(), at + keys, k.data(), k.at(first), steps * keys);
    System.arraycopy(
        mixed.data(), at + spec.firstValue(), v.data(), v.at(first), steps * spec.valueCols());
    if (decays != null) {
      System.arraycopy(decays.data(), decays.at(row), alpha.data(), alpha.at(first), alpha.cols());
      Arrays.fill(alpha.data(), alpha.at(first + 1), alpha.at(last + 1), 1);
    }
  }

  /** Hands over what the last step of each token has read. */
  void read(Pass pass, Matrix read) {
    int steps = spec.steps();
    if (steps == 1) {
      return;
    }
    pass.eachRow(
        read.rows(),
        read.cols(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            int last = o.at(row * steps + steps - 1);
            System.arraycopy(o.data(), last, read.data(), read.at(row), read.cols());
          }
        });
  }
}
