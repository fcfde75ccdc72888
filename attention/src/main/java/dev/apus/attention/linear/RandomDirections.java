package dev.apus.attention.linear;

import java.util.SplittableRandom;

/**
 * Random vectors from a seed, each normally distributed, that features are made with. Vectors that
 * are orthogonal to each other cover the directions more evenly than independent ones.
 *
 * @see <a href="https://arxiv.org/abs/1610.09072">Orthogonal Random Features</a>
 */
final class RandomDirections {

  private final SplittableRandom random;

  private RandomDirections(long seed) {
    this.random = new SplittableRandom(seed);
  }

  /** So many independent vectors, one behind the other. */
  static float[] independent(int count, int dim, long seed) {
    var directions = new RandomDirections(seed);
    float[] all = new float[Math.multiplyExact(count, dim)];
    for (int i = 0; i < all.length; i++) {
      all[i] = (float) directions.normal();
    }
    return all;
  }

  /** So many vectors, of which each {@code dim} are orthogonal to each other. */
  static float[] orthogonal(int count, int dim, long seed) {
    var directions = new RandomDirections(seed);
    float[] all = new float[Math.multiplyExact(count, dim)];
    double[][] block = new double[dim][];
    for (int i = 0; i < count; i++) {
      int member = i % dim;
      block[member] = directions.perpendicular(block, member, dim);
      double length = Math.sqrt(squares(directions.vector(dim)));
      for (int d = 0; d < dim; d++) {
        all[i * dim + d] = (float) (block[member][d] * length);
      }
    }
    return all;
  }

  /** A random vector of length 1 that is perpendicular to the first ones of some. */
  private double[] perpendicular(double[][] others, int count, int dim) {
    double[] vector = vector(dim);
    // Twice, because what rounding leaves after the first time is not small beside the rest.
    for (int time = 0; time < 2; time++) {
      for (int i = 0; i < count; i++) {
        double along = 0;
        for (int d = 0; d < dim; d++) {
          along += vector[d] * others[i][d];
        }
        for (int d = 0; d < dim; d++) {
          vector[d] -= along * others[i][d];
        }
      }
    }
    double length = Math.sqrt(squares(vector));
    for (int d = 0; d < dim; d++) {
      vector[d] /= length;
    }
    return vector;
  }

  private double[] vector(int dim) {
    double[] vector = new double[dim];
    for (int d = 0; d < dim; d++) {
      vector[d] = normal();
    }
    return vector;
  }

  private static double squares(double[] vector) {
    double sum = 0;
    for (double value : vector) {
      sum += value * value;
    }
    return sum;
  }

  /** By Box and Muller, in functions that give the same bits on every machine. */
  private double normal() {
    double radius = Math.sqrt(-2 * StrictMath.log(1 - random.nextDouble()));
    return radius * StrictMath.cos(2 * Math.PI * random.nextDouble());
  }
}
