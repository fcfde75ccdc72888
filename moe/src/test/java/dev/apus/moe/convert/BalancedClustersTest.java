package dev.apus.moe.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BalancedClustersTest {

  private static final int COUNT = 4;
  private static final int SIZE = 13;
  private static final int WIDTH = 24;

  /** Vectors that point about to one of a few directions, in no order, and of any length. */
  private static float[][] planted(long seed) {
    var random = new SplittableRandom(seed);
    float[][] directions = new float[COUNT][WIDTH];
    for (float[] direction : directions) {
      for (int i = 0; i < WIDTH; i++) {
        direction[i] = (float) random.nextGaussian();
      }
    }
    float[][] vectors = new float[COUNT * SIZE][WIDTH];
    for (int v = 0; v < vectors.length; v++) {
      float length = 0.1f + 3 * random.nextFloat();
      for (int i = 0; i < WIDTH; i++) {
        vectors[v][i] = length * (directions[v % COUNT][i] + 0.2f * (float) random.nextGaussian());
      }
    }
    return vectors;
  }

  @Test
  void whatPointsTheSameWayIsTogether() {
    for (long seed = 0; seed < 10; seed++) {
      BalancedClusters.Found found = BalancedClusters.find(planted(seed), COUNT, seed);
      int pure = 0;
      for (int[] members : found.members()) {
        pure += Arrays.stream(members).map(v -> v % COUNT).distinct().count() == 1 ? 1 : 0;
      }
      // Two centers may begin in one direction, and then share two clusters.
      assertTrue(pure >= 2, "seed " + seed + ": " + Arrays.deepToString(found.members()));
    }
  }

  @Test
  void everyVectorIsInOneOfClustersOfOneSize() {
    BalancedClusters.Found found = BalancedClusters.find(planted(5), COUNT, 1);
    int[] all = Arrays.stream(found.members()).flatMapToInt(Arrays::stream).sorted().toArray();
    assertArrayEquals(IntStream.range(0, COUNT * SIZE).toArray(), all);
    for (int c = 0; c < COUNT; c++) {
      assertEquals(SIZE, found.members()[c].length);
      double length = 0;
      for (float value : found.centers()[c]) {
        length += value * value;
      }
      assertEquals(1, length, 1e-5);
    }
  }
}
