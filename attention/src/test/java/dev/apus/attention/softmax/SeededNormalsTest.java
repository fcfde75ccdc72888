package dev.apus.attention.softmax;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Numbers from seeds against those that {@code torch.randn} gives on a CPU. */
class SeededNormalsTest {

  /** The build that gave the numbers approximates logarithms and cosines in single precision. */
  private static final float TOLERANCE = 5e-7f;

  @Test
  void wholeGroupsAreThoseOfTheReference() {
    float[] expected = {
      -0.51079756f, 1.02827179f, -0.35315159f, 0.122991316f, -0.181554466f, -1.49722815f,
      0.142104536f, -0.524282455f, -0.248737112f, -0.52523762f, 2.89221358f, -0.59471339f,
      1.31183314f, 0.352179378f, -1.31512427f, -0.00799220521f
    };
    assertArrayEquals(expected, SeededNormals.draw(11, 16), TOLERANCE);
  }

  /** The last sixteen are drawn again if the number is not a multiple of it. */
  @Test
  void theRestIsDrawnAnew() {
    float[] drawn = SeededNormals.draw(11, 37);
    float[] last = {
      -0.724457979f, 0.769076586f, -1.13963807f, -0.134665698f, -0.687115669f, -0.256943256f,
      -0.683797359f, 1.06211865f, -0.430130541f, 1.77983487f, 0.0572894178f, -0.641932011f,
      0.186399981f
    };
    assertArrayEquals(SeededNormals.draw(11, 16), Arrays.copyOf(drawn, 16));
    assertArrayEquals(last, Arrays.copyOfRange(drawn, 24, 37), TOLERANCE);
  }

  @Test
  void fewAreDrawnOneByOne() {
    float[] expected = {0.803276062f, 0.174833387f, 0.0889780968f, -0.613718033f, 0.0461824499f};
    assertArrayEquals(expected, SeededNormals.draw(3, 5), TOLERANCE);
  }

  /** A seed counts by its last 32 bits, and there are more numbers than the twister's state has. */
  @Test
  void theStateIsTwistedAgainAndAgain() {
    assertArrayEquals(SeededNormals.draw(7, 33), SeededNormals.draw((1L << 40) + 7, 33));
    float[] many = SeededNormals.draw(5, 4096);
    double sum = 0;
    double squares = 0;
    for (float x : many) {
      sum += x;
      squares += (double) x * x;
    }
    assertEquals(0, sum / many.length, 0.05);
    assertEquals(1, squares / many.length, 0.1);
    float[] expected = {0.237618715f, -0.675654411f, 0.710134864f, -1.05075073f};
    assertArrayEquals(expected, Arrays.copyOfRange(many, 2000, 2004), TOLERANCE);
  }
}
