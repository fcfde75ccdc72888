package dev.apus.kernels.memory;

import static jdk.incubator.vector.FloatVector.fromArray;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.math.ScalarSums;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products of a token's query, or of its key as well, with keys before it, for vectors of as many
 * lanes as {@link ScalarSums} has partial sums. On the way the token's key is put beside the
 * others.
 *
 * <p>The tree of partial sums is climbed by all products together: at each level two vectors become
 * one, of which every other block of lanes belongs to either.
 */
final class PairSums {

  private static final VectorSpecies<Float> LANES = Lanes.F32;
  private static final int LENGTH = LANES.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private static final VectorMask<Float> ODD_8 = odd(8);
  private static final VectorMask<Float> ODD_4 = odd(4);
  private static final VectorMask<Float> ODD_2 = odd(2);
  private static final VectorShuffle<Float> SWAP_8 = swap(8);
  private static final VectorShuffle<Float> SWAP_4 = swap(4);
  private static final VectorShuffle<Float> SWAP_2 = swap(2);
  private static final VectorShuffle<Float> SWAP_1 = swap(1);
  private static final VectorShuffle<Float> EVERY_4TH = every(4);
  private static final VectorShuffle<Float> EVERY_2ND = every(2);

  private PairSums() {}

  /** Whether keys of so many values fill vectors of the right length. */
  static boolean fit(int keyDim) {
    return LENGTH == 16 && keyDim % LENGTH == 0;
  }

  /**
   * {@code y ← q · k[0], q · k[1], q · k[2], q · k}; twelve more values of y are overwritten.
   *
   * @param keys where three keys lie, from byte {@code keysAt} on
   * @param putAt where the token's key is put
   */
  static void ofQuery(
      float[] q,
      int qAt,
      float[] k,
      int kAt,
      MemorySegment keys,
      long keysAt,
      long putAt,
      int keyDim,
      float[] y,
      int yAt) {
    FloatVector s0 = FloatVector.zero(LANES);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector own = s0;
    long row = keyDim * 4L;
    for (int i = 0; i < keyDim; i += LENGTH) {
      FloatVector query = fromArray(LANES, q, qAt + i);
      FloatVector key = fromArray(LANES, k, kAt + i);
      long at = keysAt + i * 4L;
      s0 = query.fma(fromMemorySegment(LANES, keys, at, ORDER), s0);
      s1 = query.fma(fromMemorySegment(LANES, keys, at + row, ORDER), s1);
      s2 = query.fma(fromMemorySegment(LANES, keys, at + 2 * row, ORDER), s2);
      own = query.fma(key, own);
      key.intoMemorySegment(keys, putAt + i * 4L, ORDER);
    }
    s0 = s0.blend(s2, ODD_8).add(s2.blend(s0, ODD_8).rearrange(SWAP_8));
    s1 = s1.blend(own, ODD_8).add(own.blend(s1, ODD_8).rearrange(SWAP_8));
    s0 = s0.blend(s1, ODD_4).add(s1.blend(s0, ODD_4).rearrange(SWAP_4));
    s0 = s0.add(s0.rearrange(SWAP_2));
    s0 = s0.add(s0.rearrange(SWAP_1));
    s0.rearrange(EVERY_4TH).intoArray(y, yAt);
  }

  /** The same, and then {@code k · k[0], k · k[1], k · k[2]}; nine more values are overwritten. */
  static void ofBoth(
      float[] q,
      int qAt,
      float[] k,
      int kAt,
      MemorySegment keys,
      long keysAt,
      long putAt,
      int keyDim,
      float[] y,
      int yAt) {
    FloatVector s0 = FloatVector.zero(LANES);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector own = s0;
    FloatVector k0 = s0;
    FloatVector k1 = s0;
    FloatVector k2 = s0;
    long row = keyDim * 4L;
    for (int i = 0; i < keyDim; i += LENGTH) {
      FloatVector query = fromArray(LANES, q, qAt + i);
      FloatVector key = fromArray(LANES, k, kAt + i);
      long at = keysAt + i * 4L;
      FloatVector past = fromMemorySegment(LANES, keys, at, ORDER);
      s0 = query.fma(past, s0);
      k0 = key.fma(past, k0);
      past = fromMemorySegment(LANES, keys, at + row, ORDER);
      s1 = query.fma(past, s1);
      k1 = key.fma(past, k1);
      past = fromMemorySegment(LANES, keys, at + 2 * row, ORDER);
      s2 = query.fma(past, s2);
      k2 = key.fma(past, k2);
      own = query.fma(key, own);
      key.intoMemorySegment(keys, putAt + i * 4L, ORDER);
    }
    s0 = s0.blend(k0, ODD_8).add(k0.blend(s0, ODD_8).rearrange(SWAP_8));
    s1 = s1.blend(k1, ODD_8).add(k1.blend(s1, ODD_8).rearrange(SWAP_8));
    s2 = s2.blend(k2, ODD_8).add(k2.blend(s2, ODD_8).rearrange(SWAP_8));
    own = own.add(own.rearrange(SWAP_8));
    s0 = s0.blend(s2, ODD_4).add(s2.blend(s0, ODD_4).rearrange(SWAP_4));
    s1 = s1.blend(own, ODD_4).add(own.blend(s1, ODD_4).rearrange(SWAP_4));
    s0 = s0.blend(s1, ODD_2).add(s1.blend(s0, ODD_2).rearrange(SWAP_2));
    s0 = s0.add(s0.rearrange(SWAP_1));
    s0.rearrange(EVERY_2ND).intoArray(y, yAt);
  }

  /** The second, fourth … block of so many lanes. */
  private static VectorMask<Float> odd(int block) {
    boolean[] odd = new boolean[LENGTH];
    for (int lane = 0; lane < LENGTH; lane++) {
      odd[lane] = (lane & block) != 0;
    }
    return VectorMask.fromArray(LANES, odd, 0);
  }

  /** Neighbouring blocks of so many lanes in each other's place. */
  private static VectorShuffle<Float> swap(int block) {
    return VectorShuffle.fromOp(LANES, lane -> (lane ^ block) % LENGTH);
  }

  private static VectorShuffle<Float> every(int step) {
    return VectorShuffle.fromOp(LANES, lane -> lane * step % LENGTH);
  }
}
