package dev.apus.core.model;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** What a network remembers of one sequence: the states of all its mixers, and how far it is. */
public final class SequenceState implements AutoCloseable {

  private final List<MixerState> states;
  private final int limit;
  private int length;

  SequenceState(List<MixerState> states, int limit, int length) {
    this.states = List.copyOf(states);
    this.limit = limit;
    this.length = length;
  }

  /** Tokens seen so far. */
  public int length() {
    return length;
  }

  /** The most tokens this sequence can have. */
  public int limit() {
    return limit;
  }

  MixerState mixer(int index) {
    return states.get(index);
  }

  void advance(int tokens) {
    length += tokens;
  }

  /** A place to come back to. */
  public final class Mark implements AutoCloseable {

    private final List<MixerState.Mark> marks;
    private final int at;

    private Mark(List<MixerState.Mark> marks, int at) {
      this.marks = marks;
      this.at = at;
    }

    /** Tokens seen when the mark was made. */
    public int position() {
      return at;
    }

    /** Brings the sequence back to the mark. */
    public void rewind() {
      marks.forEach(MixerState.Mark::rewind);
      length = at;
    }

    /** Lets go of what the mark keeps; only {@link SequenceState#mark} may use it any more. */
    @Override
    public void close() {
      marks.forEach(MixerState.Mark::close);
    }
  }

  /**
   * Remembers where the sequence is.
   *
   * @param reuse a mark of this sequence that has been closed, or null
   */
  public Mark mark(Mark reuse) {
    List<MixerState.Mark> marks = new ArrayList<>(states.size());
    for (int i = 0; i < states.size(); i++) {
      marks.add(states.get(i).mark(reuse == null ? null : reuse.marks.get(i)));
    }
    return new Mark(marks, length);
  }

  /** An independent copy. */
  public SequenceState copy() {
    return new SequenceState(states.stream().map(MixerState::copy).toList(), limit, length);
  }

  /** Memory that all states take now. */
  public long bytes() {
    return states.stream().mapToLong(MixerState::bytes).sum();
  }

  /** Writes the whole state; {@link #read} of a new state of the same network goes on from it. */
  public void write(DataOutput out) throws IOException {
    out.writeInt(length);
    for (MixerState state : states) {
      state.write(out);
    }
  }

  /** Takes over a written state. */
  public void read(DataInput in) throws IOException {
    int read = in.readInt();
    if (read < 0 || read > limit) {
      throw new IOException("the state is of " + read + " tokens, this sequence holds " + limit);
    }
    for (MixerState state : states) {
      state.read(in);
    }
    length = read;
  }

  @Override
  public void close() {
    states.forEach(MixerState::close);
  }
}
