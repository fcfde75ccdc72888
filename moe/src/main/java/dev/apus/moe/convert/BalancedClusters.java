package dev.apus.moe.convert;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Vectors in clusters of one size, by how they point: k-means on the sphere, in which whoever fits
 * a cluster best comes in first, until it is full.
 *
 * @see <a href="https://arxiv.org/abs/2110.01786">MoEfication, section 3.2</a>
 */
final class BalancedClusters {

  private static final int ROUNDS = 8;

  private final float[][] vectors;
  private final float[][] centers;
  private final int size;

  private BalancedClusters(float[][] vectors, int count, long seed) {
    this.vectors = vectors;
    this.size = vectors.length / count;
    int[] order = shuffled(vectors.length, seed);
    centers =
        IntStream.range(0, count).mapToObj(i -> vectors[order[i]].clone()).toArray(float[][]::new);
  }

  private static int[] shuffled(int count, long seed) {
    int[] order = IntStream.range(0, count).toArray();
    var random = new SplittableRandom(seed);
    for (int i = count - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int swapped = order[i];
      order[i] = order[j];
      order[j] = swapped;
    }
    return order;
  }

  /**
   * What was found.
   *
   * @param members the vectors of each cluster, ascending
   * @param centers the directions that clusters point to, of length 1, or 0 where vectors cancel
   */
  record Found(int[][] members, float[][] centers) {}

  /**
   * Finds clusters; the same for the same vectors and seed.
   *
   * @param vectors which are normalised in place; a multiple of {@code count} of them
   */
  static Found find(float[][] vectors, int count, long seed) {
    for (float[] vector : vectors) {
      normalize(vector);
    }
    BalancedClusters clusters = new BalancedClusters(vectors, count, seed);
    int[][] members = clusters.assign();
    for (int round = 1; round < ROUNDS; round++) {
      clusters.center(members);
      int[][] next = clusters.assign();
      if (Arrays.deepEquals(members, next)) {
        break;
      }
      members = next;
    }
    clusters.center(members);
    return new Found(members, clusters.centers);
  }

  private static void normalize(float[] vector) {
    double squares = 0;
    for (float value : vector) {
      squares += (double) value * value;
    }
    for (int i = 0; squares > 0 && i < vector.length; i++) {
      vector[i] /= (float) Math.sqrt(squares);
    }
  }

  /** Pairs of a vector and a cluster, the closest first, as far as clusters have room. */
  private int[][] assign() {
    int count = centers.length;
    float[] closeness = new float[vectors.length * count];
    IntStream.range(0, vectors.length)
        .forEach(
            i -> {
              for (int c = 0; c < count; c++) {
                closeness[i * count + c] = dot(vectors[i], centers[c]);
              }
            });
    Integer[] pairs = IntStream.range(0, closeness.length).boxed().toArray(Integer[]::new);
    Arrays.sort(pairs, (a, b) -> Float.compare(closeness[b], closeness[a]));
    int[][] members = new int[count][size];
    int[] taken = new int[count];
    boolean[] placed = new boolean[vectors.length];
    for (int pair : pairs) {
      int vector = pair / count;
      int cluster = pair % count;
      if (!placed[vector] && taken[cluster] < size) {
        members[cluster][taken[cluster]++] = vector;
        placed[vector] = true;
      }
    }
    for (int[] of : members) {
      Arrays.sort(of);
    }
    return members;
  }

  private static float dot(float[] a, float[] b) {
    float sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private void center(int[][] members) {
    for (int c = 0; c < centers.length; c++) {
      Arrays.fill(centers[c], 0);
      for (int member : members[c]) {
        for (int i = 0; i < centers[c].length; i++) {
          centers[c][i] += vectors[member][i];
        }
      }
      normalize(centers[c]);
    }
  }
}
