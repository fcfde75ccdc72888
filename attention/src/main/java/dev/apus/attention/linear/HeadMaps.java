package dev.apus.attention.linear;

import dev.apus.attention.linear.HeadFeatures.HeadMap;
import dev.apus.kernels.activation.Activation;

/** The formulas of feature maps, for one head's n values x. */
final class HeadMaps {

  private HeadMaps() {}

  /** {@code elu(x) + 1 = e^min(x, 0) + max(x, 0)}. */
  static HeadMap elu(int n) {
    return (kernels, x, other, y) -> {
      for (int i = 0; i < n; i++) {
        y.data()[y.at() + i] = Math.min(x.data()[x.at() + i], 0);
      }
      kernels.activations().apply(Activation.EXP, y.data(), y.at(), n);
      for (int i = 0; i < n; i++) {
        y.data()[y.at() + i] += Math.max(x.data()[x.at() + i], 0);
      }
    };
  }

  /** {@code f(x)}. */
  static HeadMap each(Activation f, int n) {
    return (kernels, x, other, y) -> {
      System.arraycopy(x.data(), x.at(), y.data(), y.at(), n);
      kernels.activations().apply(f, y.data(), y.at(), n);
    };
  }

  /** {@code softmax(x)}. */
  static HeadMap softmax(int n) {
    return (kernels, x, other, y) -> {
      System.arraycopy(x.data(), x.at(), y.data(), y.at(), n);
      kernels.activations().softmax(y.data(), y.at(), n);
    };
  }

  /**
   * {@code [softmax(c x), softmax(−c x)]}, or one softmax over both.
   *
   * @param parts 2, or 1 for one softmax
   */
  static HeadMap hedgehog(int n, float c, int parts) {
    return (kernels, x, other, y) -> {
      for (int i = 0; i < n; i++) {
        float value = c * x.data()[x.at() + i];
        y.data()[y.at() + i] = value;
        y.data()[y.at() + n + i] = -value;
      }
      int size = 2 * n / parts;
      for (int part = 0; part < parts; part++) {
        kernels.activations().softmax(y.data(), y.at() + part * size, size);
      }
    };
  }

  /** {@code x ⊙ other}. */
  static HeadMap product(int n) {
    return (kernels, x, other, y) -> {
      for (int i = 0; i < n; i++) {
        y.data()[y.at() + i] = x.data()[x.at() + i] * other.data()[other.at() + i];
      }
    };
  }

  /**
   * With {@code r = [max(x, 0), max(−x, 0)]}: r times r turned on by 1, 2, …, {@code turns}.
   *
   * @param signed whether the second half of r is {@code −max(x, 0)} instead
   */
  static HeadMap dpfp(int n, int turns, boolean signed) {
    return (kernels, x, other, y) -> {
      float[] r = new float[2 * n];
      for (int i = 0; i < n; i++) {
        float value = x.data()[x.at() + i];
        r[i] = Math.max(value, 0);
        r[n + i] = signed ? -r[i] : Math.max(-value, 0);
      }
      int at = y.at();
      for (int turn = 1; turn <= turns; turn++) {
        for (int i = 0; i < 2 * n; i++) {
          y.data()[at++] = r[i] * r[Math.floorMod(i - turn, 2 * n)];
        }
      }
    };
  }

  /** The {@code n (n + 1) / 2} features of {@code (s q·k)²}. */
  static HeadMap squared(int n, float s) {
    return (kernels, x, other, y) ->
        pairs(x.data(), x.at(), n, s, (float) (s * Math.sqrt(2)), y.data(), y.at());
  }

  /** The features of {@code 1 + s q·k + (s q·k)² / 2}, the beginning of {@code e^(s q·k)}. */
  static HeadMap taylor(int n, float s) {
    float root = (float) Math.sqrt(s);
    return (kernels, x, other, y) -> {
      y.data()[y.at()] = 1;
      for (int i = 0; i < n; i++) {
        y.data()[y.at() + 1 + i] = root * x.data()[x.at() + i];
      }
      pairs(x.data(), x.at(), n, (float) (s * Math.sqrt(0.5)), s, y.data(), y.at() + 1 + n);
    };
  }

  /** Squares times one factor, then the products of each two values times another one. */
  private static void pairs(
      float[] x, int xAt, int n, float ofSquares, float ofProducts, float[] y, int yAt) {
    for (int i = 0; i < n; i++) {
      float value = x[xAt + i];
      y[yAt + i] = value * value * ofSquares;
    }
    int at = yAt + n;
    for (int i = 0; i < n; i++) {
      float value = x[xAt + i] * ofProducts;
      int rest = n - 1 - i;
      for (int j = 0; j < rest; j++) {
        y[at + j] = value * x[xAt + i + 1 + j];
      }
      at += rest;
    }
  }
}
