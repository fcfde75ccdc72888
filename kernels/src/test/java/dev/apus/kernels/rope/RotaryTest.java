package dev.apus.kernels.rope;

import static dev.apus.kernels.Guarded.AT;
import static dev.apus.kernels.Guarded.assertGuardsHold;
import static dev.apus.kernels.Guarded.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.kernels.Guarded;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.VectorApi;
import dev.apus.kernels.rope.Rotary.Layout;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class RotaryTest {

  private static final int HEADS = 3;
  private static final int TABLE_AT = 5;

  @ParameterizedTest(name = "{1} of {0}")
  @CsvSource({
    "2, 2",
    "3, 2",
    "7, 6",
    "8, 8",
    "15, 8",
    "16, 16",
    "17, 16",
    "32, 32",
    "34, 34",
    "64, 64",
    "66, 66",
    "80, 32",
    "96, 96",
    "128, 128",
    "130, 100",
    "5, 0"
  })
  void agreesWithTheDefinition(int headDim, int dims) {
    Rotary vector = VectorApi.kernels().rotary();
    for (Layout layout : Layout.values()) {
      var random = new SplittableRandom(headDim);
      float[] expected = Guarded.normal(random, HEADS * headDim);
      float[] actual = expected.clone();
      float[] angles = angles(random, dims / 2);
      float[] cos = cosines(angles);
      float[] sin = sines(angles);
      Kernels.scalar()
          .rotary()
          .rotate(layout, expected, AT, HEADS, headDim, dims, cos, sin, TABLE_AT);
      vector.rotate(layout, actual, AT, HEADS, headDim, dims, cos, sin, TABLE_AT);
      assertSameBits(expected, actual, layout.name());
    }
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void rotatesEachPairByItsAngle(Kernels kernels) {
    int headDim = 71;
    int dims = 66;
    for (Layout layout : Layout.values()) {
      var random = new SplittableRandom(11);
      float[] x = Guarded.normal(random, HEADS * headDim);
      float[] y = x.clone();
      float[] angles = angles(random, dims / 2);
      kernels
          .rotary()
          .rotate(layout, y, AT, HEADS, headDim, dims, cosines(angles), sines(angles), TABLE_AT);
      assertGuardsHold(y);
      for (int h = 0; h < HEADS; h++) {
        int head = AT + h * headDim;
        for (int i = 0; i < dims / 2; i++) {
          int a = head + (layout == Layout.HALVES ? i : 2 * i);
          int b = layout == Layout.HALVES ? a + dims / 2 : a + 1;
          double c = Math.cos(angles[TABLE_AT + i]);
          double s = Math.sin(angles[TABLE_AT + i]);
          // Three roundings of a, b, cos or sin, each at most half an ulp of a number below 8.
          assertEquals(x[a] * c - x[b] * s, y[a], 2e-6, layout + " first of pair " + i);
          assertEquals(x[b] * c + x[a] * s, y[b], 2e-6, layout + " second of pair " + i);
        }
        for (int i = head + dims; i < head + headDim; i++) {
          assertEquals(x[i], y[i], "values past the rotated ones stay");
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void positionAMillionKeepsThePairsLength(Kernels kernels) {
    int dims = 64;
    float[] x = Guarded.normal(new SplittableRandom(3), dims);
    float[] y = x.clone();
    float[] angles = new float[TABLE_AT + dims / 2];
    for (int i = 0; i < dims / 2; i++) {
      angles[TABLE_AT + i] = (float) ((1 << 20) * Math.pow(1e4, -2.0 * i / dims));
    }
    kernels
        .rotary()
        .rotate(Layout.HALVES, y, AT, 1, dims, dims, cosines(angles), sines(angles), TABLE_AT);
    for (int i = AT; i < AT + dims / 2; i++) {
      assertEquals(Math.hypot(x[i], x[i + 32]), Math.hypot(y[i], y[i + 32]), 2e-6);
    }
  }

  private static float[] angles(SplittableRandom random, int pairs) {
    float[] angles = new float[TABLE_AT + pairs];
    for (int i = 0; i < pairs; i++) {
      angles[TABLE_AT + i] = random.nextFloat(-100, 100);
    }
    return angles;
  }

  private static float[] cosines(float[] angles) {
    float[] cos = new float[angles.length];
    for (int i = 0; i < cos.length; i++) {
      cos[i] = (float) Math.cos(angles[i]);
    }
    return cos;
  }

  private static float[] sines(float[] angles) {
    float[] sin = new float[angles.length];
    for (int i = 0; i < sin.length; i++) {
      sin[i] = (float) Math.sin(angles[i]);
    }
    return sin;
  }
}
