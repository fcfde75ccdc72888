package dev.apus.core.model;

import dev.apus.core.model.MixerState.Mark;
import java.util.ArrayList;
import java.util.List;

/** The marks of several states, set at one point of a sequence. */
record JoinedMark(List<Mark> marks) implements Mark {

  /**
   * @param reuse a mark of these states, or of fewer of them, that has been closed, or null
   */
  static JoinedMark of(List<? extends MixerState> states, Mark reuse) {
    List<Mark> old = reuse instanceof JoinedMark known ? known.marks : List.of();
    List<Mark> marks = new ArrayList<>(states.size());
    for (int i = 0; i < states.size(); i++) {
      marks.add(states.get(i).mark(i < old.size() ? old.get(i) : null));
    }
    return new JoinedMark(marks);
  }

  @Override
  public void rewind() {
    marks.forEach(Mark::rewind);
  }

  @Override
  public long bytes() {
    return marks.stream().mapToLong(Mark::bytes).sum();
  }

  @Override
  public void close() {
    marks.forEach(Mark::close);
  }
}
