package dev.apus.attention.rwkv;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Batch;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.activation.Activation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The rows that several projections read, each some way from a row {@code x} to the row before it,
 * δ away:
 *
 * <pre>
 *   x_n = x + μ_n ⊙ δ                                            constant shares
 *   x_n = x + (μ_n + B_n tanh(A_n (x + μ ⊙ δ))) ⊙ δ              shares that follow from the data
 * </pre>
 *
 * <p>The second, "ddlerp", has one matrix A of all A_n, one below the other, and one matrix B of
 * all B_n, side by side.
 *
 * @see <a href="https://arxiv.org/abs/2404.05892">Eagle and Finch</a>
 */
final class ShiftedRows {

  private final TokenShift shift;
  private final int count;
  private final float[][] shares;

  /** Where the shares are learned from; null if they are constant. */
  private final float[] common;

  private final Projection latent;
  private final Projection up;

  /**
   * @param names a letter for each projection; a matrix of all has them in this order
   * @param rank columns of each B_n; 0 for constant shares
   */
  ShiftedRows(WeightScope weights, int width, String names, int rank) {
    Typical typical = new Typical(0.5f, 0.5f);
    this.shift = new TokenShift(width);
    this.count = names.length();
    this.shares = new float[count][];
    for (int n = 0; n < count; n++) {
      shares[n] = weights.vector("shares." + names.charAt(n), width, typical);
    }
    this.common = rank == 0 ? null : weights.vector("shares.x", width, typical);
    this.latent = rank == 0 ? null : weights.projection("shares.latent", count * rank, width);
    this.up = rank == 0 ? null : weights.projection("shares.up", width, count * rank);
  }

  /** What a sequence remembers. */
  Region region() {
    return shift.region();
  }

  /**
   * The rows for each projection; moves the states forward.
   *
   * @param region which region of the states is {@link #region}
   */
  List<Matrix> of(Pass pass, Pass.Frame frame, Batch<RecurrentState> batch, int region, Matrix x) {
    int rows = x.rows();
    Matrix delta = frame.matrix(rows, x.cols());
    shift.differences(pass, batch, region, x, delta);
    List<Matrix> all = new ArrayList<>();
    Matrix learned = up == null ? null : learned(pass, frame, x, delta);
    for (int n = 0; n < count; n++) {
      Matrix y = frame.matrix(rows, x.cols());
      if (learned == null) {
        shift.mix(pass, x, shares[n], delta, y);
      } else {
        shares(pass, learned, n, y);
        shift.mix(pass, x, y, delta, y);
      }
      all.add(y);
    }
    return all;
  }

  /**
   * What is added to the constant shares: {@code count} rows for each row. A row of them is B times
   * a row that is zero but for the part that is to be multiplied by B_n, so that B is read once for
   * all.
   */
  private Matrix learned(Pass pass, Pass.Frame frame, Matrix x, Matrix delta) {
    int rows = x.rows();
    int cols = latent.outputs();
    int rank = cols / count;
    Matrix mixed = frame.matrix(rows, x.cols());
    shift.mix(pass, x, common, delta, mixed);
    Matrix latents = frame.matrix(rows, cols);
    latent.apply(pass, mixed, latents);
    Matrix apart = frame.matrix(rows * count, cols);
    pass.eachRow(
        rows,
        (count + 8) * cols,
        (from, to, worker) -> {
          int values = (to - from) * cols;
          pass.kernels()
              .activations()
              .apply(Activation.TANH, latents.data(), latents.at(from), values);
          Arrays.fill(apart.data(), apart.at(from * count), apart.at(to * count), 0);
          for (int row = from; row < to; row++) {
            for (int n = 0; n < count; n++) {
              int at = apart.at(row * count + n) + n * rank;
              System.arraycopy(latents.data(), latents.at(row) + n * rank, apart.data(), at, rank);
            }
          }
        });
    Matrix learned = frame.matrix(rows * count, x.cols());
    up.apply(pass, apart, learned);
    return learned;
  }

  /** The shares of projection {@code n} for each row. */
  private void shares(Pass pass, Matrix learned, int n, Matrix y) {
    pass.eachRow(
        y.rows(),
        y.cols(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            int at = learned.at(row * count + n);
            for (int i = 0; i < y.cols(); i++) {
              y.data()[y.at(row) + i] = shares[n][i] + learned.data()[at + i];
            }
          }
        });
  }
}
