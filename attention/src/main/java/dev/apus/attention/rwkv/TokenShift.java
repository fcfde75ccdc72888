package dev.apus.attention.rwkv;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Batch;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import java.lang.foreign.MemorySegment;

/**
 * Token shift: the way from each row to the row before it, {@code δ_t = x_{t−1} − x_t}, of which a
 * mixer adds shares, {@code x + μ ⊙ δ}. A sequence remembers its last row, in a region of one piece
 * of its state; before the first row there are zeros.
 *
 * @param width values of a row
 */
record TokenShift(int width) {

  /** What a sequence remembers for it. */
  Region region() {
    return new Region(1, width);
  }

  /**
   * Computes δ of every row of a batch and moves the states forward.
   *
   * @param region which region of the states is this shift's
   */
  void differences(Pass pass, Batch<RecurrentState> batch, int region, Matrix x, Matrix delta) {
    pass.eachRow(
        x.rows(),
        width,
        (from, to, worker) -> {
          for (Run<RecurrentState> run : batch.runs()) {
            int first = Math.max(from, run.from());
            int last = Math.min(to, run.to());
            for (int row = first; row < last; row++) {
              before(run, region, row, x, delta);
              for (int i = 0; i < width; i++) {
                delta.data()[delta.at(row) + i] -= x.data()[x.at(row) + i];
              }
            }
          }
        });
    for (Run<RecurrentState> run : batch.runs()) {
      RecurrentState state = run.state();
      state.keep(region);
      int last = x.at(run.to() - 1);
      MemorySegment.copy(x.data(), last, state.segment(), JAVA_FLOAT, state.at(region), width);
    }
  }

  /** Copies the row before {@code row} to its place in {@code delta}. */
  private void before(Run<RecurrentState> run, int region, int row, Matrix x, Matrix delta) {
    if (row > run.from()) {
      System.arraycopy(x.data(), x.at(row - 1), delta.data(), delta.at(row), width);
    } else {
      RecurrentState state = run.state();
      MemorySegment.copy(
          state.segment(), JAVA_FLOAT, state.at(region), delta.data(), delta.at(row), width);
    }
  }

  /** {@code y ← x + μ ⊙ δ}, with the same shares for every row; {@code y} may be either. */
  void mix(Pass pass, Matrix x, float[] shares, Matrix delta, Matrix y) {
    mix(pass, x, shares, 0, delta, y);
  }

  /** {@code y ← x + μ ⊙ δ}, with a row of shares for each row; {@code y} may be any of them. */
  void mix(Pass pass, Matrix x, Matrix shares, Matrix delta, Matrix y) {
    mix(pass, x, shares.data(), shares.cols(), delta, y);
  }

  private void mix(Pass pass, Matrix x, float[] shares, int sharesStride, Matrix delta, Matrix y) {
    pass.eachRow(
        x.rows(),
        width,
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            int sharesAt = row * sharesStride;
            for (int i = 0; i < width; i++) {
              float shifted = shares[sharesAt + i] * delta.data()[delta.at(row) + i];
              y.data()[y.at(row) + i] = x.data()[x.at(row) + i] + shifted;
            }
          }
        });
  }
}
