package dev.apus.ssm.structured;

import java.util.Arrays;

/**
 * The HiPPO-LegS system in the basis in which it is a diagonal and a matrix of rank one:
 *
 * <pre>
 *   A = V (diag(λ) − p p*) V*      A[n][k] = −√(2n + 1) √(2k + 1) for n &gt; k, −(n + 1) for n = k, else 0
 *   p = V* P,  P[n] = √(n + 1/2)   b = V* B,  B[n] = √(2n + 1)
 * </pre>
 *
 * <p>A + P Pᵀ is −1/2 and a skew-symmetric matrix S, so V is unitary and λ = −1/2 ± iω. Only ω &gt;
 * 0 is kept, in falling order; the columns of V are turned so that b is real and positive.
 *
 * @param basis the columns of V that are kept, as {@code [n][column]}
 * @see <a href="https://arxiv.org/abs/2111.00396">S4</a>
 */
record Hippo(Complex[] lambda, Complex[] b, Complex[] p, Complex[][] basis) {

  private static final int MOST_SWEEPS = 60;

  static Hippo legs(int size) {
    double[][] skew = new double[size][size];
    for (int n = 0; n < size; n++) {
      for (int k = 0; k < n; k++) {
        skew[n][k] = -0.5 * Math.sqrt((2.0 * n + 1) * (2.0 * k + 1));
        skew[k][n] = -skew[n][k];
      }
    }
    double[][] squares = new double[size][size];
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        for (int k = 0; k < size; k++) {
          squares[i][j] += skew[k][i] * skew[k][j];
        }
      }
    }
    double[][] vectors = eigenvectors(squares);
    Integer[] order = new Integer[size];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, (i, j) -> Double.compare(squares[j][j], squares[i][i]));
    int pairs = size / 2;
    var hippo =
        new Hippo(
            new Complex[pairs], new Complex[pairs], new Complex[pairs], new Complex[size][pairs]);
    for (int pair = 0; pair < pairs; pair++) {
      hippo.setPair(pair, skew, vectors, order[2 * pair]);
    }
    return hippo;
  }

  /**
   * Of a pair of equal eigenvalues ω² of SᵀS, one eigenvector u gives {@code (u − i S u / ω) / √2},
   * which S multiplies by iω.
   */
  private void setPair(int pair, double[][] skew, double[][] vectors, int column) {
    int size = skew.length;
    double[] turned = new double[size];
    double squares = 0;
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        turned[i] += skew[i][j] * vectors[j][column];
      }
      squares += turned[i] * turned[i];
    }
    double omega = Math.sqrt(squares);
    Complex sum = new Complex(0, 0);
    for (int n = 0; n < size; n++) {
      basis[n][pair] = new Complex(vectors[n][column], -turned[n] / omega).times(Math.sqrt(0.5));
      sum = sum.plus(basis[n][pair].conjugate().times(Math.sqrt(2.0 * n + 1)));
    }
    Complex turn = sum.times(1 / Math.sqrt(sum.squares()));
    for (int n = 0; n < size; n++) {
      basis[n][pair] = basis[n][pair].times(turn);
    }
    lambda[pair] = new Complex(-0.5, omega);
    b[pair] = new Complex(Math.sqrt(sum.squares()), 0);
    p[pair] = b[pair].times(Math.sqrt(0.5));
  }

  /** Jacobi's method; leaves the eigenvalues on the diagonal of the symmetric matrix. */
  private static double[][] eigenvectors(double[][] a) {
    int size = a.length;
    double[][] vectors = new double[size][size];
    for (int i = 0; i < size; i++) {
      vectors[i][i] = 1;
    }
    boolean turned = true;
    for (int sweep = 0; turned && sweep < MOST_SWEEPS; sweep++) {
      turned = false;
      for (int p = 0; p < size; p++) {
        for (int q = p + 1; q < size; q++) {
          if (Math.abs(a[p][q]) > 1e-16 * Math.sqrt(Math.abs(a[p][p] * a[q][q]))) {
            rotate(a, vectors, p, q);
            turned = true;
          }
        }
      }
    }
    return vectors;
  }

  private static void rotate(double[][] a, double[][] vectors, int p, int q) {
    double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
    double t = Math.copySign(1, theta) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
    double c = 1 / Math.sqrt(t * t + 1);
    double s = t * c;
    for (int k = 0; k < a.length; k++) {
      double x = a[k][p];
      double y = a[k][q];
      a[k][p] = c * x - s * y;
      a[k][q] = s * x + c * y;
    }
    for (int k = 0; k < a.length; k++) {
      double x = a[p][k];
      double y = a[q][k];
      a[p][k] = c * x - s * y;
      a[q][k] = s * x + c * y;
      x = vectors[k][p];
      y = vectors[k][q];
      vectors[k][p] = c * x - s * y;
      vectors[k][q] = s * x + c * y;
    }
    a[p][q] = 0;
    a[q][p] = 0;
  }
}
