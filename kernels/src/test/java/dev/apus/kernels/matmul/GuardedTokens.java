package dev.apus.kernels.matmul;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.SplittableRandom;

/** Inputs of tokens with guards before, between and after them. */
record GuardedTokens(float[] x, int stride) {

  static final int GAP = 3;
  static final float GUARD = Float.NaN;

  static GuardedTokens random(SplittableRandom random, int cols, int tokens) {
    int stride = cols + GAP;
    float[] x = new float[GAP + tokens * stride];
    Arrays.fill(x, GUARD);
    for (int t = 0; t < tokens; t++) {
      for (int k = 0; k < cols; k++) {
        x[GAP + t * stride + k] = (float) random.nextGaussian();
      }
    }
    return new GuardedTokens(x, stride);
  }

  /** The first tokens, rounded in two parts, the latter one first, with guards around them. */
  float[] rounded(Rounding rounding, int cols, int tokens) {
    int floats = rounding.floats(cols, tokens);
    float[] rounded = new float[GAP + floats + GAP];
    Arrays.fill(rounded, GUARD);
    int cut = tokens / 3;
    rounding.round(x, GAP, stride, cols, tokens, cut, tokens, rounded, GAP);
    rounding.round(x, GAP, stride, cols, tokens, 0, cut, rounded, GAP);
    for (int i = 0; i < GAP; i++) {
      assertEquals(GUARD, rounded[i]);
      assertEquals(GUARD, rounded[GAP + floats + i]);
    }
    return rounded;
  }
}
