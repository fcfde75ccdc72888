package dev.apus.core.model;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Several recurrent states that one mixer keeps of one sequence, numbered from 0; there may become
 * more of them as the sequence grows, up to a most.
 *
 * <p>They never become fewer. After a rewind or a read, those that the sequence has not come to yet
 * hold whatever was there before: a mixer that grows knows by the sequence's length which count.
 */
public final class RecurrentStates implements MixerState {

  private final List<RecurrentState> parts = new ArrayList<>();
  private final IntFunction<RecurrentState> maker;
  private final int most;

  private RecurrentStates(IntFunction<RecurrentState> maker, int most) {
    this.maker = maker;
    this.most = most;
  }

  /**
   * The memory of a sequence that has not begun.
   *
   * @param least how many there are at first
   * @param most how many there may become
   * @param maker of each by its number
   */
  public static RecurrentStates of(int least, int most, IntFunction<RecurrentState> maker) {
    return new RecurrentStates(maker, most).grow(least);
  }

  /** Makes those that are missing of so many. */
  public RecurrentStates grow(int count) {
    if (count > most) {
      throw new IllegalArgumentException(count + " states are more than " + most);
    }
    while (parts.size() < count) {
      parts.add(maker.apply(parts.size()));
    }
    return this;
  }

  /** How many there are. */
  public int count() {
    return parts.size();
  }

  public RecurrentState part(int index) {
    return parts.get(index);
  }

  @Override
  public Mark mark(Mark reuse) {
    return JoinedMark.of(parts, reuse);
  }

  @Override
  public RecurrentStates copy() {
    RecurrentStates copy = new RecurrentStates(maker, most);
    try {
      parts.forEach(part -> copy.parts.add(part.copy()));
      return copy;
    } catch (RuntimeException | Error e) {
      copy.close();
      throw e;
    }
  }

  @Override
  public void become(MixerState other) {
    RecurrentStates states = (RecurrentStates) other;
    grow(states.count());
    for (int i = 0; i < states.count(); i++) {
      part(i).become(states.part(i));
    }
  }

  @Override
  public long bytes() {
    return parts.stream().mapToLong(RecurrentState::bytes).sum();
  }

  @Override
  public void write(DataOutput out) throws IOException {
    out.writeInt(parts.size());
    for (RecurrentState part : parts) {
      part.write(out);
    }
  }

  /** Reads beside the states first, so that a file that ends early leaves them as they were. */
  @Override
  public void read(DataInput in) throws IOException {
    int count = in.readInt();
    if (count < 0 || count > most) {
      throw new IOException("a state of " + count + " parts; this mixer has at most " + most);
    }
    try (RecurrentStates read = new RecurrentStates(maker, most)) {
      for (int i = 0; i < count; i++) {
        read.grow(i + 1).part(i).read(in);
      }
      become(read);
    }
  }

  @Override
  public void close() {
    parts.forEach(RecurrentState::close);
  }
}
