package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.apus.kernels.math.Lanes;
import java.util.function.IntUnaryOperator;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Makes of a token's rounded inputs what {@link FieldTiles#one} multiplies {@link Fields} by.
 *
 * <p>A part takes one value for what its sum begins with, and one for each field; parts follow one
 * another, and after two of them come the scale, and the scale times the sum.
 */
final class FieldInputs {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int L = F.length();
  private static final int SPAN = RoundedInputs.SPAN;
  private static final int UNIT = NibbleFilling.UNIT_COLUMNS;
  private static final int NIBBLE = 4;

  /** Columns whose values are two vectors, if vectors are wide. */
  private static final int WIDE = 16;

  /** Values behind the parts of a step. */
  private static final int ENDING = 2;

  private final Fields fields;
  private final int values;
  private final int[] column;
  private final int[] factor;
  private final int[] before;
  private final int[] beforeFactor;
  private final Pair first;
  private final Pair second;

  FieldInputs(Fields fields) {
    this.fields = fields;
    this.values = 1 + fields.column().length;
    this.column = new int[values];
    this.factor = new int[values];
    this.before = new int[values];
    this.beforeFactor = new int[values];
    for (int i = 1; i < values; i++) {
      int field = (i - 1) % Fields.COUNT;
      column[i] = fields.column()[i - 1];
      factor[i] = 1 << fields.exponent()[i - 1];
      if (field > 0 && fields.above(field) > 0) {
        before[i] = column[i - 1];
        beforeFactor[i] = -factor[i - 1] << fields.above(field);
      }
    }
    this.first = L == WIDE ? new Pair(0) : null;
    this.second = L == WIDE ? new Pair(1) : null;
  }

  /** Floats of a span. */
  int spanFloats() {
    int parts = SPAN / fields.columns();
    return parts * values + parts / FieldTiles.PARTS * ENDING;
  }

  /**
   * Prepares some spans of a token, and may write a vector too much.
   *
   * @param xStride floats from a span to the next
   */
  void prepare(float[] x, int xAt, int xStride, int spans, float[] to, int toAt) {
    for (int span = 0; span < spans; span++) {
      if (L == WIDE) {
        wide(x, xAt, to, toAt);
      } else {
        narrow(x, xAt, to, toAt);
      }
      int steps = SPAN / fields.columns() / FieldTiles.PARTS;
      for (int step = 0; step < steps; step++) {
        toAt += FieldTiles.PARTS * values;
        to[toAt] = x[xAt + RoundedInputs.SCALE];
        to[toAt + 1] = x[xAt + RoundedInputs.TOTAL];
        toAt += ENDING;
      }
      xAt += xStride;
    }
  }

  /** The parts of a span. */
  private void narrow(float[] x, int xAt, float[] to, int toAt) {
    int[] numbers = new int[SPAN];
    int number = 0;
    for (int k = 0; k < SPAN; k++) {
      // Takes back what nibbles want changed.
      number = k % UNIT == 0 ? 0 : number << NIBBLE;
      number = (short) (number + Float.floatToRawIntBits(x[xAt + k]));
      numbers[k] = number;
    }
    for (int col = 0, part = 0; col < SPAN; col += fields.columns(), part++) {
      part(numbers, col, to, toAt + part * values + part / FieldTiles.PARTS * ENDING);
    }
  }

  private void part(int[] numbers, int col, float[] to, int toAt) {
    int sum = 0;
    for (int k = 0; k < fields.columns(); k++) {
      sum += numbers[col + k];
    }
    int start = -fields.zero() * sum;
    to[toAt] =
        Float.intBitsToFloat(start + RoundedInputs.LOWER_ZERO & 0xffff | start << Short.SIZE);
    for (int i = 1; i < values; i++) {
      int number = numbers[col + column[i]] * factor[i];
      to[toAt + i] = RoundedInputs.twice(number + numbers[col + before[i]] * beforeFactor[i]);
    }
  }

  /** The same, 16 columns at a time. */
  private void wide(float[] x, int xAt, float[] to, int toAt) {
    boolean narrowParts = fields.columns() < WIDE;
    int apart = narrowParts ? values : WIDE;
    int next = narrowParts ? FieldTiles.PARTS * values + ENDING : values;
    for (int k = 0; k < SPAN; k += WIDE) {
      IntVector numbers = FloatVector.fromArray(F, x, xAt + k).reinterpretAsInts();
      numbers = numbers.add(numbers.rearrange(Unit.BEFORE).mul(Unit.OF_BEFORE));
      numbers = numbers.add(numbers.rearrange(Unit.TWO_BEFORE).mul(Unit.OF_TWO_BEFORE));
      numbers = numbers.lanewise(LSHL, Short.SIZE).lanewise(ASHR, Short.SIZE);
      IntVector sums = numbers.add(numbers.rearrange(Unit.BY_1));
      sums = sums.add(sums.rearrange(Unit.BY_2));
      sums = sums.add(sums.rearrange(Unit.BY_4));
      if (!narrowParts) {
        sums = sums.add(sums.rearrange(Unit.BY_8));
      }
      first.of(numbers, sums, to, toAt);
      second.of(numbers, sums, to, toAt + apart);
      toAt += next;
    }
  }

  /** Lanes of 16 columns. */
  private static final class Unit {

    static final VectorShuffle<Integer> BEFORE = shuffle(lane -> Math.max(lane - 1, 0));
    static final VectorShuffle<Integer> TWO_BEFORE = shuffle(lane -> Math.max(lane - 2, 0));
    static final IntVector OF_BEFORE = vector(lane -> lane % UNIT < 1 ? 0 : 1 << NIBBLE);
    static final IntVector OF_TWO_BEFORE = vector(lane -> lane % UNIT < 2 ? 0 : 1 << 2 * NIBBLE);
    static final VectorShuffle<Integer> BY_1 = shuffle(lane -> lane ^ 1);
    static final VectorShuffle<Integer> BY_2 = shuffle(lane -> lane ^ 2);
    static final VectorShuffle<Integer> BY_4 = shuffle(lane -> lane ^ 4);
    static final VectorShuffle<Integer> BY_8 = shuffle(lane -> lane ^ 8);
  }

  private static VectorShuffle<Integer> shuffle(IntUnaryOperator of) {
    return VectorShuffle.fromOp(I, of);
  }

  private static IntVector vector(IntUnaryOperator of) {
    int[] lanes = new int[L];
    for (int lane = 0; lane < L; lane++) {
      lanes[lane] = of.applyAsInt(lane);
    }
    return IntVector.fromArray(I, lanes, 0);
  }

  /** One of the two vectors of values that 16 columns have. */
  private final class Pair {

    private final VectorShuffle<Integer> columns;
    private final IntVector factors;
    private final VectorShuffle<Integer> befores;
    private final IntVector beforeFactors;
    private final VectorShuffle<Integer> part;
    private final IntVector zeros;
    private final IntVector start;

    Pair(int which) {
      int firstColumn = fields.columns() < WIDE ? which * fields.columns() : 0;
      int firstValue = fields.columns() < WIDE ? 0 : which * WIDE;
      columns = shuffle(lane -> firstColumn + of(column, firstValue + lane));
      factors = vector(lane -> of(factor, firstValue + lane));
      befores = shuffle(lane -> firstColumn + of(before, firstValue + lane));
      beforeFactors = vector(lane -> of(beforeFactor, firstValue + lane));
      part = shuffle(lane -> firstColumn);
      zeros = vector(lane -> firstValue + lane == 0 ? -fields.zero() : 0);
      start = vector(lane -> firstValue + lane == 0 ? RoundedInputs.LOWER_ZERO : 0);
    }

    private static int of(int[] values, int i) {
      return i < values.length ? values[i] : 0;
    }

    void of(IntVector numbers, IntVector sums, float[] to, int toAt) {
      IntVector value =
          numbers
              .rearrange(columns)
              .mul(factors)
              .add(numbers.rearrange(befores).mul(beforeFactors))
              .add(sums.rearrange(part).mul(zeros));
      value
          .add(start)
          .and(0xffff)
          .or(value.lanewise(LSHL, Short.SIZE))
          .reinterpretAsFloats()
          .intoArray(to, toAt);
    }
  }
}
