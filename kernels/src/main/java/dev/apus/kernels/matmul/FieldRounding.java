package dev.apus.kernels.matmul;

import dev.apus.kernels.math.Lanes;

/**
 * {@link VectorRounding}, and behind the numbers of all tokens what {@link FieldInputs} makes of
 * those that go one by one.
 */
final class FieldRounding implements Rounding {

  private static final Rounding NUMBERS = VectorRounding.SHARED;
  private static final int SPAN = RoundedInputs.SPAN;

  private final FieldInputs inputs;

  FieldRounding(Fields fields) {
    this.inputs = new FieldInputs(fields);
  }

  /** Where tokens are that go one by one: they take a vector more than {@link FieldInputs} say. */
  IntegerNumbers.Alone alone(int cols, int tokens, int roundedAt) {
    int at = Math.addExact(roundedAt, NUMBERS.floats(cols, tokens));
    int spans = Math.multiplyExact(cols / SPAN, inputs.spanFloats());
    return new IntegerNumbers.Alone(at, spans + Lanes.F32.length(), inputs.spanFloats());
  }

  @Override
  public int floats(int cols, int tokens) {
    IntegerNumbers.Alone alone = alone(cols, tokens, 0);
    return Math.addExact(alone.at(), VectorRounding.alone(tokens) * alone.stride());
  }

  @Override
  public void round(
      float[] x,
      int xAt,
      int xStride,
      int cols,
      int tokens,
      int from,
      int to,
      float[] rounded,
      int roundedAt) {
    NUMBERS.round(x, xAt, xStride, cols, tokens, from, to, rounded, roundedAt);
    IntegerNumbers.Alone alone = alone(cols, tokens, roundedAt);
    int first = tokens - VectorRounding.alone(tokens);
    for (int t = Math.max(from, first); t < to; t++) {
      inputs.prepare(
          rounded,
          roundedAt + VectorRounding.tokenAt(cols, t),
          VectorRounding.spanStride(tokens),
          cols / SPAN,
          rounded,
          alone.at() + (t - first) * alone.stride());
    }
  }
}
