package dev.apus.core.model;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/** What one mixer remembers of one sequence. Used by one forward pass at a time. */
public interface MixerState extends AutoCloseable {

  /** A point in a sequence that its state can return to, as often as asked and in any order. */
  interface Mark extends AutoCloseable {

    /**
     * Brings the state that made this mark back to where it was then, bit for bit.
     *
     * @throws IllegalStateException if the state was read from elsewhere since
     */
    void rewind();

    /**
     * Lets go of what the mark keeps; the state is as it was, and need not keep the mark in mind.
     */
    @Override
    void close();
  }

  /**
   * Remembers where the sequence is.
   *
   * @param reuse a mark of this state that has been closed and whose memory may be used again, or
   *     null
   */
  Mark mark(Mark reuse);

  /** An independent copy: advancing one leaves the other as it was. */
  MixerState copy();

  /** Memory that the state takes now. */
  long bytes();

  /** Writes everything that {@link #read} needs to go on with the same bits. */
  void write(DataOutput out) throws IOException;

  /** Takes over what {@link #write} wrote for a state of the same mixer. */
  void read(DataInput in) throws IOException;

  /** Gives the memory back; the state must not be used any more. */
  @Override
  void close();
}
