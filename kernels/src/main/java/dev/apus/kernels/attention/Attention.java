package dev.apus.kernels.attention;

import java.lang.foreign.MemorySegment;

/**
 * Softmax attention of a tile of queries over the keys it visits, with an online softmax, so that
 * scores are never stored for more than a few blocks of keys.
 *
 * <p>One call serves the query heads that share one key–value head. Keys and values of that head
 * lie in two native segments whose layout {@link #storeKeys} and {@link #storeValues} own;
 * positions are slots {@code 0, 1, …} in them.
 *
 * <p>The unit of the online softmax is a block of sixteen slots, {@code 16 b … 16 b + 15}; blocks
 * that hold a slot which the row sees are taken in ascending order, whatever the ranges they came
 * in. For each,
 *
 * <pre>
 *   s_i = softcap((Σ_d k_i[d] · q[d]) · scale) + slope · (slot_i − position)
 *   m′ = max(m, max_i s_i)          c = e^(m − m′)          p_i = e^(s_i − m′)
 *   l_i ← l_i · c + p_i             o ← o · c + Σ_i p_i · v_i
 * </pre>
 *
 * <p>where sums are chains of fused multiply-adds, the first coordinate or slot first, and the
 * sixteen denominators l are added as a tree at the end. A row's result therefore has the same bits
 * whatever rows share its call. Slots that a row does not see are never used, whatever lies there.
 */
public interface Attention {

  /**
   * What is fixed for a layer.
   *
   * @param scale factor on {@code q·k}
   * @param softcap scores become {@code softcap · tanh(score / softcap)}; 0 for none
   */
  record Traits(int headDim, int valueDim, float scale, float softcap) {}

  /**
   * The queries of one tile: row {@code r}, head {@code g} of the group begins at {@code at + r ·
   * stride + g · headDim}; its outputs are laid out in the same way with {@code valueDim}.
   *
   * @param position the slot of row 0; row {@code r} stands at {@code position + r}
   */
  record Queries(float[] data, int at, int stride, int rows, int group, int position) {}

  /**
   * Which keys a row may see: of the visited slots, those with {@code rowPosition − window &lt;
   * slot} and, if causal, {@code slot ≤ rowPosition}.
   *
   * @param ranges ascending, disjoint visited slots as pairs {@code [from, to)}
   * @param count how many pairs
   * @param window 0 for no limit; a bidirectional window sees as far ahead as back
   */
  record Visited(int[] ranges, int count, boolean causal, int window) {}

  /**
   * Slots are allocated in multiples of this; memory that was never stored to may hold anything.
   */
  int slotGranularity();

  /**
   * Bytes of the keys of one key–value head for {@code slots} slots, a multiple of the granularity.
   */
  long keyBytes(int headDim, int slots);

  long valueBytes(int valueDim, int slots);

  /** Stores one token's key of one head at a slot. */
  void storeKeys(float[] k, int kAt, int headDim, MemorySegment keys, long keysAt, int slot);

  void storeValues(float[] v, int vAt, int valueDim, MemorySegment values, long valuesAt, int slot);

  /**
   * Writes each query's weighted mean of the values it sees; zeros if it sees none.
   *
   * @param slopes ALiBi: {@code slopes[headAt + g] · (slot − rowPosition)} is added to a score; or
   *     null
   * @param sinks {@code e^(sinks[headAt + g])} is added to a softmax's denominator; or null
   * @param scratch at least {@link #scratchFloats} floats that no other thread uses
   */
  void attend(
      Traits traits,
      Queries q,
      Visited visited,
      MemorySegment keys,
      long keysAt,
      MemorySegment values,
      long valuesAt,
      float[] slopes,
      float[] sinks,
      int headAt,
      float[] out,
      int outAt,
      int outStride,
      float[] scratch);

  int scratchFloats(Traits traits, int rows, int group);
}
