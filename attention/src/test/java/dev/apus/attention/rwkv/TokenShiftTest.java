package dev.apus.attention.rwkv;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerState;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.Kernels;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TokenShiftTest {

  /** Wide enough for two threads. */
  private static final int WIDTH = 4099;

  private static final int REGION = 1;

  private final Workers workers = Workers.of(2);
  private final Pass pass = new Pass(workers, Kernels.chosen());
  private final TokenShift shift = new TokenShift(WIDTH);
  private final RecurrentState first = state();
  private final RecurrentState second = state();

  private RecurrentState state() {
    return RecurrentState.of(new Region(2, 3), shift.region());
  }

  @AfterEach
  void close() {
    first.close();
    second.close();
    workers.close();
  }

  /** A row for each number: that many times the columns, counted from 1. */
  private static Matrix rows(float... numbers) {
    Matrix x = Matrix.zeros(numbers.length, WIDTH);
    for (int row = 0; row < x.rows(); row++) {
      for (int i = 0; i < WIDTH; i++) {
        x.data()[x.at(row) + i] = numbers[row] * (i + 1);
      }
    }
    return x;
  }

  private Matrix differences(List<Run<RecurrentState>> runs, Matrix x) {
    Matrix delta = new Matrix(poisoned(x.rows()), x.rows(), WIDTH);
    shift.differences(pass, new Batch<>(runs), REGION, x, delta);
    runs.forEach(run -> run.state().changed());
    return delta;
  }

  private static float[] poisoned(int rows) {
    float[] data = new float[rows * WIDTH];
    Arrays.fill(data, Float.NaN);
    return data;
  }

  @Test
  void everyRunGoesOnFromItsOwnLastRow() {
    Matrix delta =
        differences(
            List.of(new Run<>(first, 0, 3, 0), new Run<>(second, 3, 4, 0)), rows(5, 2, 9, 40));
    assertArrayEquals(rows(-5, 3, -7, -40).data(), delta.data());
    delta =
        differences(List.of(new Run<>(second, 0, 2, 1), new Run<>(first, 2, 3, 3)), rows(1, 8, 6));
    assertArrayEquals(rows(39, -7, 3).data(), delta.data());
  }

  @Test
  void aMarkBringsTheLastRowBack() {
    differences(List.of(new Run<>(first, 0, 1, 0)), rows(5));
    MixerState.Mark mark = first.mark(null);
    differences(List.of(new Run<>(first, 0, 2, 1)), rows(7, 100));
    mark.rewind();
    Matrix delta = differences(List.of(new Run<>(first, 0, 1, 1)), rows(7));
    assertArrayEquals(rows(-2).data(), delta.data());
  }

  @Test
  void sharesAreTheSameForEveryRowOrEachRowsOwn() {
    float[] half = new float[WIDTH];
    Arrays.fill(half, 0.5f);
    Matrix x = rows(1, 2, 3);
    Matrix delta = rows(2, 4, 8);
    Matrix y = new Matrix(poisoned(3), 3, WIDTH);
    shift.mix(pass, x, half, delta, y);
    assertArrayEquals(rows(2, 4, 7).data(), y.data());
    Matrix shares = Matrix.zeros(3, WIDTH);
    Arrays.fill(shares.data(), shares.at(1), shares.at(2), 1);
    Arrays.fill(shares.data(), shares.at(2), shares.at(3), -0.25f);
    shift.mix(pass, x, shares, delta, delta);
    assertArrayEquals(rows(1, 6, 1).data(), delta.data());
  }
}
