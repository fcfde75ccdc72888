package dev.apus.core.model;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ObjLongConsumer;

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

  /** Takes note of a run, which goes on from the end or takes the place of what was there. */
  void advance(Run<SequenceState> run) {
    length = Math.max(length, run.position() + run.length());
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

    /** Memory that the mark itself takes now. */
    public long bytes() {
      return marks.stream().mapToLong(MixerState.Mark::bytes).sum();
    }

    /** Lets go of what the mark keeps; only {@link SequenceState#mark} may use it any more. */
    @Override
    public void close() {
      for (MixerState.Mark mark : marks) {
        mark.close();
      }
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

  /** An independent copy, which shares what neither will change. */
  public SequenceState copy() {
    List<MixerState> copies = new ArrayList<>(states.size());
    try {
      states.forEach(state -> copies.add(state.copy()));
      return new SequenceState(copies, limit, length);
    } catch (RuntimeException | Error e) {
      copies.forEach(MixerState::close);
      throw e;
    }
  }

  /**
   * Goes to where another sequence of the same network is; marks stay good.
   *
   * @throws IllegalArgumentException if that is longer than this sequence may become
   */
  public void become(SequenceState other) {
    if (other.length > limit) {
      throw new IllegalArgumentException(
          "a state of " + other.length + " tokens does not fit a limit of " + limit);
    }
    for (int i = 0; i < states.size(); i++) {
      states.get(i).become(other.states.get(i));
    }
    length = other.length;
  }

  /**
   * Memory that all states take now; what copies share counts for each of them in part, so that the
   * sum over all sequences is what they take together.
   */
  public long bytes() {
    return states.stream().mapToLong(MixerState::bytes).sum();
  }

  /** How many keys queries have visited since this state was made. */
  public KeyVisits visits() {
    return states.stream().map(MixerState::visits).reduce(KeyVisits.NONE, KeyVisits::plus);
  }

  /** Hands over each piece of memory, shared or not, and its full size in bytes. */
  public void blocks(ObjLongConsumer<Object> visitor) {
    states.forEach(state -> state.blocks(visitor));
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
