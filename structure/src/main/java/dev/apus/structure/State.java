package dev.apus.structure;

import java.util.Set;

/** All ways in which a text can go on. */
final class State {

  private static final State[] UNKNOWN = new State[0];

  /** Whose nodes read the next byte. */
  final Path[] paths;

  /** Whether the text may end here. */
  final boolean complete;

  /** How many of the free characters of strings may come at least from here on. */
  final int freeLeft;

  private final int hash;
  private final Set<Path> set;

  /** By byte, as far as they are known; filled by the automaton. */
  private State[] next = UNKNOWN;

  /** Which clearing of the automaton's table the state is younger than. */
  int age;

  State(Set<Path> set, boolean complete, int freeLeft) {
    this.set = set;
    this.paths = set.toArray(Path[]::new);
    this.complete = complete;
    this.freeLeft = freeLeft;
    this.hash = set.hashCode() * 2 + (complete ? 1 : 0);
  }

  /** Whether no text goes on from here, or ends here. */
  boolean isDead() {
    return paths.length == 0 && !complete;
  }

  /** Whether the text is complete and nothing may follow. */
  boolean isFinished() {
    return paths.length == 0 && complete;
  }

  State known(int b) {
    return next.length == 0 ? null : next[b];
  }

  void learn(int b, State state) {
    if (next.length == 0) {
      next = new State[256];
    }
    next[b] = state;
  }

  @Override
  public int hashCode() {
    return hash;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof State that
        && hash == that.hash
        && complete == that.complete
        && set.equals(that.set);
  }
}
