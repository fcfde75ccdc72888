package dev.apus.attention.softmax;

import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The last rows of a matrix that a sequence's tokens left, in a region of one piece of its state;
 * the oldest first.
 *
 * @param region which region of the states it is
 */
public record RecentRows(int region, int rows, int cols) {

  /** What a sequence remembers for it. */
  public Region memory() {
    return new Region(1, (long) rows * cols);
  }

  private long at(RecurrentState state, int row) {
    return state.at(region) + (long) row * cols * Float.BYTES;
  }

  /** Makes tokens that were not there have left these values, and zeros after them. */
  void begin(RecurrentState state, float[] values) {
    for (int row = 0; row < rows; row++) {
      write(state, row, values, 0, values.length);
    }
  }

  private void write(RecurrentState state, int row, float[] values, int valuesAt, int count) {
    MemorySegment.copy(
        values, valuesAt, state.segment(), ValueLayout.JAVA_FLOAT, at(state, row), count);
  }

  /** Copies columns of a run's row {@code row}, or of one before the run if it is negative. */
  public void copy(
      Run<RecurrentState> run, int row, Matrix x, int col, int count, float[] to, int toAt) {
    if (row >= 0) {
      System.arraycopy(x.data(), x.at(run.from() + row) + col, to, toAt, count);
    } else {
      long at = at(run.state(), rows + row) + (long) col * Float.BYTES;
      MemorySegment.copy(run.state().segment(), ValueLayout.JAVA_FLOAT, at, to, toAt, count);
    }
  }

  /** Moves a state past a run, whose rows have been copied; it must have been kept. */
  public void advance(Run<RecurrentState> run, Matrix x) {
    RecurrentState state = run.state();
    for (int row = 0; row < rows; row++) {
      int from = run.length() - rows + row;
      if (from >= 0) {
        write(state, row, x.data(), x.at(run.from() + from), cols);
      } else {
        MemorySegment memory = state.segment();
        long bytes = (long) cols * Float.BYTES;
        MemorySegment.copy(memory, at(state, rows + from), memory, at(state, row), bytes);
      }
    }
  }
}
