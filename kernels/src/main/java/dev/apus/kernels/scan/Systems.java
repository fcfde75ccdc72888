package dev.apus.kernels.scan;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * The coefficients of one linear system for each channel. They lie as they are read: channels in
 * blocks, in a block the states, and for each state its coefficients, each a row of real and a row
 * of imaginary parts of the block's channels. A last block that is not full is filled up with
 * systems of zeros.
 *
 * @param states complex numbers that a channel remembers
 * @param coupled whether a system is a diagonal and a matrix of rank one, or a diagonal alone
 * @param values native, {@link #bytes} of them, zero at first
 */
public record Systems(int channels, int states, boolean coupled, MemorySegment values) {

  /** Channels of a block, whatever the length of a vector. */
  public static final int BLOCK = 16;

  static final long ROW_BYTES = 4L * BLOCK;

  /** A complex coefficient of a state. */
  public enum Coefficient {
    /** λ. */
    DECAY,
    /** c, and b too where the systems are not coupled: only their product matters. */
    OUTPUT,
    /** b. */
    INPUT,
    /** p, by which the sum over the states comes back to them. */
    COUPLING,
    /** w, by which it is taken. */
    SUM
  }

  /** What the coefficients take. */
  public static long bytes(int channels, int states, boolean coupled) {
    return Math.ceilDiv(channels, BLOCK) * states * stateBytes(coupled);
  }

  /** The bytes of all coefficients of one state of a block. */
  private static long stateBytes(boolean coupled) {
    return 2 * ROW_BYTES * (coupled ? 5 : 2);
  }

  long stateBytes() {
    return stateBytes(coupled);
  }

  /** Where the first coefficient of a channel's first state is. */
  long at(int channel) {
    return channel / BLOCK * (states * stateBytes()) + 4L * (channel % BLOCK);
  }

  /** Where a channel's first state is in a sequence's memory. */
  static long stateAt(int channel, int states) {
    return channel / BLOCK * (2 * ROW_BYTES * states) + 4L * (channel % BLOCK);
  }

  /** How many blocks the channels make. */
  public int blocks() {
    return Math.ceilDiv(channels, BLOCK);
  }

  /** What a block of channels remembers of a sequence. */
  public long stateFloats() {
    return 2L * BLOCK * states;
  }

  /** Sets one coefficient. */
  public void set(int channel, int state, Coefficient which, double re, double im) {
    if (!coupled && which.ordinal() > Coefficient.OUTPUT.ordinal()) {
      throw new IllegalArgumentException("a system that is not coupled has no " + which);
    }
    long at = at(channel) + state * stateBytes() + which.ordinal() * 2 * ROW_BYTES;
    values.set(JAVA_FLOAT_UNALIGNED, at, (float) re);
    values.set(JAVA_FLOAT_UNALIGNED, at + ROW_BYTES, (float) im);
  }

  /** Row {@code row} of a state's coefficients, for the channel whose first is at {@code at}. */
  float value(long at, int state, int row) {
    return values.get(JAVA_FLOAT_UNALIGNED, at + state * stateBytes() + row * ROW_BYTES);
  }
}
