package dev.apus.core.model;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInput;
import java.io.DataInputStream;
import java.io.DataOutput;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.ObjLongConsumer;

/** What one mixer remembers of one sequence. Used by one forward pass at a time. */
public interface MixerState extends AutoCloseable {

  /** A point in a sequence that its state can return to, as often as asked and in any order. */
  interface Mark extends AutoCloseable {

    /** Brings the state that made this mark back to where it was then, bit for bit. */
    void rewind();

    /** Memory that the mark itself takes now. */
    default long bytes() {
      return 0;
    }

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

  /**
   * An independent copy: advancing one leaves the other as it was. What neither will change may be
   * shared; the two may be used by different threads.
   */
  MixerState copy();

  /**
   * Goes to where another state of the same mixer is, which stays as it is and may be read by
   * several threads. Marks made before stay good.
   */
  default void become(MixerState other) {
    var bytes = new ByteArrayOutputStream();
    try {
      other.write(new DataOutputStream(bytes));
      read(new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Memory that the state takes now. Of what it shares with copies, this is an equal part for each,
   * so that the sum over all states is what they take together.
   */
  long bytes();

  /** Hands over each piece of memory, shared or not, and its full size in bytes. */
  default void blocks(ObjLongConsumer<Object> visitor) {
    visitor.accept(this, bytes());
  }

  /**
   * How many keys queries have visited since this state was made, whatever became of it: work that
   * was done, and not a part of what is marked, copied or written.
   */
  default KeyVisits visits() {
    return KeyVisits.NONE;
  }

  /** Writes everything that {@link #read} needs to go on with the same bits. */
  void write(DataOutput out) throws IOException;

  /**
   * Takes over what {@link #write} wrote for a state of the same mixer; if that fails, the state is
   * as it was. Marks made before stay good.
   */
  void read(DataInput in) throws IOException;

  /** Gives the memory back; the state must not be used any more. */
  @Override
  void close();
}
