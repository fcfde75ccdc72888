package dev.apus.kernels.memory;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.apus.kernels.memory.MatrixMemory.Shape;
import java.lang.foreign.MemorySegment;

/**
 * The state of a memory: the matrix as it was some tokens ago, and behind it what the tokens since
 * then bring to it. A token has a place by its number, and stays in it as it came: so whoever goes
 * back to an earlier token of the same chunk finds what was there, and only counts anew.
 *
 * @param at where the matrix begins, in bytes
 */
record Pending(Shape shape, MemorySegment state, long at) {

  /** Floats of a line of the cache: matrices of neighbouring heads begin at one. */
  private static final long LINE = 16;

  /** Floats of a state. */
  static long floats(Shape shape) {
    Pending layout = new Pending(shape, MemorySegment.NULL, 0);
    long end = layout.heldAt() / Float.BYTES + 1;
    return Math.ceilDiv(end, LINE) * LINE;
  }

  /** Where the key of write s lies, in bytes. */
  long keyAt(int s) {
    return at + Float.BYTES * ((long) shape.keyDim() * shape.valueDim() + s * shape.keyDim());
  }

  /** Where the value of write s lies. */
  long valueAt(int s) {
    return keyAt(Chunk.WRITES) + (long) Float.BYTES * s * shape.valueDim();
  }

  private long decayAt(int t) {
    return valueAt(Chunk.WRITES) + (long) Float.BYTES * t * Chunk.decays(shape);
  }

  private long heldAt() {
    return decayAt(Chunk.tokens(shape));
  }

  /** How many tokens the matrix holds. */
  int held() {
    return state.get(JAVA_INT_UNALIGNED, heldAt());
  }

  void hold(int tokens) {
    state.set(JAVA_INT_UNALIGNED, heldAt(), tokens);
  }

  /** Keeps what a write brings. */
  void putKey(int s, float[] x, int from) {
    MemorySegment.copy(x, from, state, JAVA_FLOAT_UNALIGNED, keyAt(s), shape.keyDim());
  }

  void putValue(int s, float[] x, int from) {
    MemorySegment.copy(x, from, state, JAVA_FLOAT_UNALIGNED, valueAt(s), shape.valueDim());
  }

  void putValue(int s, int j, float value) {
    state.set(JAVA_FLOAT_UNALIGNED, valueAt(s) + (long) Float.BYTES * j, value);
  }

  /** Value j of write s. */
  float value(int s, int j) {
    return state.get(JAVA_FLOAT_UNALIGNED, valueAt(s) + (long) Float.BYTES * j);
  }

  /** Keeps what a token decays the memory with. */
  void putDecay(int t, float[] x, int from) {
    MemorySegment.copy(x, from, state, JAVA_FLOAT_UNALIGNED, decayAt(t), Chunk.decays(shape));
  }

  /** Brings back the keys of the first writes. */
  void getKeys(int writes, float[] x, int to) {
    MemorySegment.copy(state, JAVA_FLOAT_UNALIGNED, keyAt(0), x, to, writes * shape.keyDim());
  }

  /** Brings back the values of the first writes. */
  void getValues(int writes, float[] x, int to) {
    MemorySegment.copy(state, JAVA_FLOAT_UNALIGNED, valueAt(0), x, to, writes * shape.valueDim());
  }

  /** Brings back what a token decayed the memory with. */
  void getDecay(int t, float[] x, int to) {
    MemorySegment.copy(state, JAVA_FLOAT_UNALIGNED, decayAt(t), x, to, Chunk.decays(shape));
  }
}
