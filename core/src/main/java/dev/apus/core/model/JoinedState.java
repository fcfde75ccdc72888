package dev.apus.core.model;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ObjLongConsumer;

/** What a mixer remembers in several states of different kinds, which go on together. */
public interface JoinedState extends MixerState {

  /** The states, always as many and in the same order. */
  List<MixerState> parts();

  /** A state of the same kind that is made of these parts. */
  JoinedState of(List<MixerState> parts);

  @Override
  default Mark mark(Mark reuse) {
    return JoinedMark.of(parts(), reuse);
  }

  @Override
  default MixerState copy() {
    List<MixerState> copies = new ArrayList<>();
    try {
      parts().forEach(part -> copies.add(part.copy()));
    } catch (RuntimeException | Error e) {
      copies.forEach(MixerState::close);
      throw e;
    }
    return of(copies);
  }

  @Override
  default void become(MixerState other) {
    List<MixerState> there = ((JoinedState) other).parts();
    for (int i = 0; i < there.size(); i++) {
      parts().get(i).become(there.get(i));
    }
  }

  @Override
  default long bytes() {
    return parts().stream().mapToLong(MixerState::bytes).sum();
  }

  @Override
  default KeyVisits visits() {
    return parts().stream().map(MixerState::visits).reduce(KeyVisits.NONE, KeyVisits::plus);
  }

  @Override
  default void blocks(ObjLongConsumer<Object> visitor) {
    parts().forEach(part -> part.blocks(visitor));
  }

  @Override
  default void write(DataOutput out) throws IOException {
    for (MixerState part : parts()) {
      part.write(out);
    }
  }

  /** Reads beside the states first, so that a file that ends early leaves all as they were. */
  @Override
  default void read(DataInput in) throws IOException {
    try (MixerState read = copy()) {
      for (MixerState part : ((JoinedState) read).parts()) {
        part.read(in);
      }
      become(read);
    }
  }

  @Override
  default void close() {
    parts().forEach(MixerState::close);
  }
}
