package dev.apus.kernels.rope;

import static dev.apus.kernels.Guarded.AT;
import static dev.apus.kernels.Guarded.assertGuardsHold;
import static dev.apus.kernels.Guarded.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.kernels.Guarded;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.VectorApi;
import dev.apus.kernels.rope.Rotary.Layout;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

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

  /** Angles of every size that a token may turn by, past several turns, both ways. */
  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void turnedAnglesAndTheirSinesAreAsPreciseAsTheySay(Kernels kernels) {
    int count = 4099;
    float[] rate = Guarded.uniform(new SplittableRandom(3), count, -30, 30);
    float[] start = Guarded.uniform(new SplittableRandom(4), count, -3.14f, 3.14f);
    float[] angle = start.clone();
    float[] cos = Guarded.poisoned(count);
    float[] sin = Guarded.poisoned(count);
    kernels.rotary().turn(0.75f, rate, AT, angle, AT, count, cos, sin, AT);
    for (int i = AT; i < AT + count; i++) {
      double exact = 0.75 * rate[i] + start[i];
      double turned = exact - 2 * Math.PI * Math.rint(exact / (2 * Math.PI));
      // One rounding of the sum and two on the way back, of numbers up to 32.
      assertEquals(0, Math.sin((turned - angle[i]) / 2), 0x1p-20, "angle of " + exact);
      assertTrue(Math.abs(angle[i]) < 3.1416f);
      assertEquals(Math.cos(angle[i]), cos[i], 1.2e-7, "cosine of " + angle[i]);
      assertEquals(Math.sin(angle[i]), sin[i], 1.2e-7, "sine of " + angle[i]);
    }
    assertGuardsHold(cos);
    assertGuardsHold(sin);
    assertGuardsHold(angle);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 8, 15, 16, 17, 33})
  void turnsAgreeWithTheDefinition(int count) {
    Kernels vector = VectorApi.kernels();
    float[] rate = Guarded.normal(new SplittableRandom(count), count);
    float[][] tables = new float[6][];
    for (int set = 0; set < 2; set++) {
      tables[set] = Guarded.normal(new SplittableRandom(7), count);
      tables[2 + set] = Guarded.poisoned(count);
      tables[4 + set] = Guarded.poisoned(count);
      Kernels kernels = set == 0 ? Kernels.scalar() : vector;
      kernels
          .rotary()
          .turn(1.5f, rate, AT, tables[set], AT, count, tables[2 + set], tables[4 + set], AT);
    }
    assertSameBits(tables[0], tables[1], "angles");
    assertSameBits(tables[2], tables[3], "cosines");
    assertSameBits(tables[4], tables[5], "sines");
  }
}
