package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Hashes that near vectors share: which of some random directions, and of the opposite ones, a
 * vector points to most.
 *
 * @see <a href="https://arxiv.org/abs/1509.02897">Andoni et al.</a>
 */
final class Hashes {

  private final HashSpec spec;

  /** The directions {@code [head][coordinate][round][factor · direction]} by the factors. */
  private final Map<List<Integer>, float[]> rotations = new ConcurrentHashMap<>();

  Hashes(HashSpec spec) {
    this.spec = spec;
  }

  private static int directions(List<Integer> factors) {
    return factors.stream().mapToInt(factor -> factor / 2).sum();
  }

  private float[] rotations(List<Integer> factors) {
    return rotations.computeIfAbsent(
        factors,
        f -> {
          int each = Math.multiplyExact(spec.rounds(), directions(f));
          return SeededNormals.draw(spec.seed(), Math.multiplyExact(spec.cols(), each));
        });
  }

  /**
   * The buckets of some rows.
   *
   * @param factors of the number of buckets
   * @return of each row those of each head, in each round
   */
  int[] of(Pass pass, Matrix x, int from, int rows, List<Integer> factors) {
    float[] directions = rotations(factors);
    int each = spec.rounds() * directions(factors);
    int[] buckets = new int[Math.multiplyExact(rows, spec.hashes())];
    pass.eachRow(
        rows,
        spec.cols() * each,
        (first, end, worker) -> {
          float[] found = pass.scratch(worker, each);
          for (int row = first; row < end; row++) {
            for (int head = 0; head < spec.heads(); head++) {
              int at = x.at(from + row) + head * spec.headDim();
              project(pass, x.data(), at, directions, head * spec.headDim() * each, found, each);
              int to = row * spec.hashes() + head * spec.rounds();
              choose(found, factors, buckets, to);
            }
          }
        });
    return buckets;
  }

  private void project(
      Pass pass, float[] x, int xAt, float[] directions, int at, float[] found, int count) {
    Arrays.fill(found, 0, count, 0);
    for (int i = 0; i < spec.headDim(); i++) {
      pass.kernels()
          .activations()
          .addScaled(x[xAt + i], directions, at + i * count, found, 0, count);
    }
  }

  private void choose(float[] found, List<Integer> factors, int[] buckets, int to) {
    int at = 0;
    for (int round = 0; round < spec.rounds(); round++) {
      int bucket = 0;
      int unit = 1;
      for (int factor : factors) {
        bucket += unit * most(found, at, factor / 2);
        unit *= factor;
        at += factor / 2;
      }
      buckets[to + round] = bucket;
    }
  }

  /** The first of the greatest among some values, and these with the other sign behind them. */
  private static int most(float[] values, int at, int count) {
    int best = 0;
    for (int i = 1; i < 2 * count; i++) {
      if (signed(values, at, count, i) > signed(values, at, count, best)) {
        best = i;
      }
    }
    return best;
  }

  private static float signed(float[] values, int at, int count, int i) {
    return i < count ? values[at + i] : -values[at + i - count];
  }
}
