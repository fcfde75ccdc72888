package dev.apus.ssm.structured;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HippoTest {

  /** The matrix as it is defined. */
  private static double[][] legs(int size) {
    double[][] a = new double[size][size];
    for (int n = 0; n < size; n++) {
      for (int k = 0; k < n; k++) {
        a[n][k] = -Math.sqrt((2.0 * n + 1) * (2.0 * k + 1));
      }
      a[n][n] = -(n + 1);
    }
    return a;
  }

  private static double[] input(int size) {
    double[] b = new double[size];
    for (int n = 0; n < size; n++) {
      b[n] = Math.sqrt(2.0 * n + 1);
    }
    return b;
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4, 6, 16, 64})
  void isTheSystemInAnotherBasis(int size) {
    Hippo hippo = Hippo.legs(size);
    double[][] a = legs(size);
    double[] b = input(size);
    for (int n = 0; n < size; n++) {
      double inputs = 0;
      for (int k = 0; k < size; k++) {
        double unit = 0;
        double entry = 0;
        double left = 0;
        double right = 0;
        for (int i = 0; i < size / 2; i++) {
          Complex row = hippo.basis()[n][i];
          Complex column = hippo.basis()[k][i].conjugate();
          unit += 2 * row.times(column).re();
          entry += 2 * row.times(hippo.lambda()[i]).times(column).re();
          left += 2 * row.times(hippo.p()[i]).re();
          right += 2 * hippo.p()[i].conjugate().times(column).re();
        }
        assertEquals(n == k ? 1 : 0, unit, 1e-9);
        assertEquals(a[n][k], entry - left * right, 1e-9 * size);
      }
      for (int i = 0; i < size / 2; i++) {
        inputs += 2 * hippo.basis()[n][i].times(hippo.b()[i]).re();
        assertTrue(hippo.b()[i].re() > 0 && hippo.b()[i].im() == 0);
      }
      assertEquals(b[n], inputs, 1e-9);
    }
  }

  /** The real, dense system and the diagonal with a matrix of rank one answer alike. */
  @ParameterizedTest
  @ValueSource(ints = {2, 16, 64})
  void answersAsTheDenseSystemDoes(int size) {
    Hippo hippo = Hippo.legs(size);
    double step = 0.05;
    double[] dense = new double[size];
    for (int n = 0; n < size; n++) {
      for (int i = 0; i < size / 2; i++) {
        Complex c = new Complex(Math.cos(i), Math.sin(3 * i));
        dense[n] += 2 * c.times(hippo.basis()[n][i].conjugate()).re();
      }
    }
    double[] expected = Dense.bilinear(legs(size), input(size), dense, step, 200);
    int pairs = size / 2;
    double[] c = new double[size];
    double[] b = new double[size];
    for (int i = 0; i < pairs; i++) {
      c[i] = 2 * Math.cos(i);
      c[pairs + i] = -2 * Math.sin(3 * i);
      b[i] = hippo.b()[i].re();
    }
    double[][] a =
        Dense.of(
            size,
            h -> {
              double held = 0;
              for (int i = 0; i < pairs; i++) {
                held += 2 * hippo.p()[i].re() * h[i];
              }
              double[] out = new double[size];
              for (int i = 0; i < pairs; i++) {
                double omega = hippo.lambda()[i].im();
                out[i] = -0.5 * h[i] - omega * h[pairs + i] - hippo.p()[i].re() * held;
                out[pairs + i] = -0.5 * h[pairs + i] + omega * h[i];
              }
              return out;
            });
    assertArrayEquals(expected, Dense.bilinear(a, b, c, step, 200), 1e-8);
  }
}
