package dev.apus.kernels.levels;

import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.MemorySegment;

/**
 * What a head does with memories of {@code keyDim × valueDim} that each hold a stretch of its past
 * and are read many times before they change:
 *
 * <pre>
 *   meet:   o ← w (q · k) v           a token's own part, before it is in any memory
 *   read:   o ← o + w Sᵀ q
 *   write:  S ← k ⊗ v
 *   merge:  S ← S + c R               R another memory
 * </pre>
 *
 * <p>Value {@code j} of {@code Sᵀ q} is a chain of fused multiply-adds down column {@code j}, first
 * key first; {@code q · k} keeps sixteen partial sums and adds them as a tree. What is then
 * multiplied and added is one fused multiply-add. A token's bits are the same whether it is taken
 * alone or among others.
 */
public interface LevelMemory {

  /** How large a memory is. */
  record Shape(int keyDim, int valueDim) {

    public long floats() {
      return (long) keyDim * valueDim;
    }
  }

  /**
   * @param w 1 value a token
   * @param o receives {@code valueDim} values a token
   */
  void meet(Shape shape, int tokens, Rows q, Rows k, Rows v, Rows w, Rows o);

  /**
   * @param w 1 value a token
   * @param s native; row-major {@code keyDim × valueDim} floats from byte {@code at}
   * @param o {@code valueDim} values a token
   */
  void read(Shape shape, int tokens, Rows q, Rows w, MemorySegment s, long at, Rows o);

  /** Whatever S held before is gone. */
  void write(Shape shape, float[] k, int kAt, float[] v, int vAt, MemorySegment s, long at);

  void merge(Shape shape, float c, MemorySegment r, long rAt, MemorySegment s, long at);
}
