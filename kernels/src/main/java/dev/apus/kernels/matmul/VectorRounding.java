package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.MAX;

import dev.apus.kernels.math.Lanes;
import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link RoundedInputs} with the Vector API, for nibbles that are shifted down and not masked.
 *
 * <p>A unit of the weights is {@code u = n₀ + 16 n₁ + 256 n₂ + 4096 n₃}, and modulo 2¹⁶
 *
 * <pre>
 *   n₀ x₀ + n₁ x₁ + n₂ x₂ + n₃ x₃  =  u x₀ + (u ≫ 4) (x₁ − 16 x₀) + (u ≫ 8) (x₂ − 16 x₁) + (u ≫ 12) (x₃ − 16 x₂)
 * </pre>
 *
 * <p>so that a column's input here is its number less 16 times that of the column before it in its
 * unit.
 *
 * <p>{@link #TOKENS} tokens make a block, in which a span of all of them comes before the next one,
 * because a tile reads a few tokens' span.
 */
final class VectorRounding implements Rounding {

  /** The one of all formats. */
  static final Rounding SHARED = new VectorRounding();

  /** Tokens of a block, which are summed together. */
  static final int TOKENS = 256;

  /** Fewer tokens than this are taken one by one. */
  static final int FEW = 3;

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int L = F.length();
  private static final int SPAN = RoundedInputs.SPAN;
  private static final int UNIT = NibbleFilling.UNIT_COLUMNS;

  /** The lanes of the columns before, and what of them a column's input loses. */
  private static final VectorShuffle<Integer> BEFORE =
      VectorShuffle.fromOp(I, lane -> Math.max(lane - 1, 0));

  private static final IntVector OF_BEFORE =
      IntVector.fromArray(
          I, IntStream.range(0, L).map(lane -> lane % UNIT == 0 ? 0 : 16).toArray(), 0);

  private static final int TILE = IntegerTiles.TILE;
  private static final int MAGNITUDE = 0x7fffffff;

  private VectorRounding() {}

  /** As many tokens of a block as tiles hold, if the last of them is one. */
  static int padded(int tokens) {
    return tokens % TILE >= FEW ? tokens + TILE - tokens % TILE : tokens;
  }

  /** How many of these tokens go one by one: the last ones. */
  static int alone(int tokens) {
    return tokens % TILE < FEW ? tokens % TILE : 0;
  }

  /** Where the block that begins with a token begins. */
  static int blockAt(int cols, int token) {
    return cols / SPAN * token * RoundedInputs.FLOATS;
  }

  /** Where a token's first span is. */
  static int tokenAt(int cols, int token) {
    return blockAt(cols, token - token % TOKENS) + token % TOKENS * RoundedInputs.FLOATS;
  }

  /** Floats from a span to the next one, of tokens of the last block, if that is not full. */
  static int spanStride(int tokens) {
    return padded(tokens % TOKENS) * RoundedInputs.FLOATS;
  }

  @Override
  public int floats(int cols, int tokens) {
    int last = tokens % TOKENS;
    return Math.multiplyExact(tokens - last + padded(last), blockAt(cols, 1));
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
    for (int t = from; t < to; t++) {
      int block = t - t % TOKENS;
      int room = padded(Math.min(TOKENS, tokens - block));
      // What fills the last tile up is the last token again.
      int end = t + 1 == tokens ? block + room : t + 1;
      for (int i = t; i < end; i++) {
        int at = roundedAt + blockAt(cols, block) + (i - block) * RoundedInputs.FLOATS;
        token(x, xAt + t * xStride, cols, rounded, at, room * RoundedInputs.FLOATS);
      }
    }
  }

  private static void token(float[] x, int xAt, int cols, float[] to, int toAt, int toStride) {
    for (int from = 0; from < cols; from += SPAN) {
      span(x, xAt + from, NibbleFilling.ZERO, to, toAt);
      toAt += toStride;
    }
  }

  private static void span(float[] x, int xAt, int zero, float[] to, int toAt) {
    // As words, floats without a sign are ordered like their values, with NaN above all.
    IntVector most = FloatVector.fromArray(F, x, xAt).reinterpretAsInts().and(MAGNITUDE);
    for (int i = L; i < SPAN; i += L) {
      most = most.max(FloatVector.fromArray(F, x, xAt + i).reinterpretAsInts().and(MAGNITUDE));
    }
    float largest = Float.intBitsToFloat(most.reduceLanes(MAX));
    FloatVector perScale = FloatVector.broadcast(F, RoundedInputs.perScale(largest));
    FloatVector rounding = FloatVector.broadcast(F, RoundedInputs.ROUNDING);
    IntVector sum = IntVector.zero(I);
    for (int i = 0; i < SPAN; i += L) {
      IntVector bits =
          FloatVector.fromArray(F, x, xAt + i).mul(perScale).add(rounding).reinterpretAsInts();
      sum = sum.add(bits);
      bits = bits.sub(bits.rearrange(BEFORE).mul(OF_BEFORE));
      bits.and(0xffff)
          .or(bits.lanewise(LSHL, Short.SIZE))
          .reinterpretAsFloats()
          .intoArray(to, toAt + i);
    }
    int total = sum.reduceLanes(ADD) - SPAN * RoundedInputs.ROUNDING_BITS;
    RoundedInputs.finish(largest, total, zero, to, toAt);
  }
}
