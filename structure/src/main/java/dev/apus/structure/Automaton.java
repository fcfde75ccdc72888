package dev.apus.structure;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * The states of a grammar, made when they are reached. Not safe for use by several threads at once.
 *
 * <p>What is known of states is forgotten when it becomes too much; states that are in use go on
 * all the same.
 */
final class Automaton {

  private static final int MOST_STATES = 10_000;

  private final Node free;
  private final State dead;
  private final State start;
  private final Map<State, State> states = new HashMap<>();
  private int age;

  /**
   * @param root the whole text
   * @param free see {@link State#freeLeft}
   */
  Automaton(Node root, Node free) {
    this.free = free;
    this.dead = new Closure(free).state();
    Closure closure = new Closure(free);
    if (root.isAlive()) {
      closure.add(root, null);
    }
    this.start = same(closure.state());
  }

  State start() {
    return current(start);
  }

  /** The state from which nothing goes on. */
  State dead() {
    return dead;
  }

  /** The state after one more byte; a dead one if the byte may not come. */
  State after(State from, int b) {
    State known = from.known(b);
    if (known != null) {
      return known;
    }
    Closure closure = null;
    for (Path path : from.paths) {
      Node rest = ((Node.Reader) path.node).read(b);
      if (rest != null) {
        closure = closure == null ? new Closure(free) : closure;
        if (rest == Node.EMPTY) {
          closure.goOn(path.next);
        } else {
          closure.add(rest, path.next);
        }
      }
    }
    State next = closure == null ? dead : same(closure.state());
    from.learn(b, next);
    return next;
  }

  /** The state as the table knows it now, so that nothing keeps what has been forgotten. */
  State current(State state) {
    if (state.age == age) {
      return state;
    }
    return same(new State(Set.of(state.paths), state.complete, state.freeLeft));
  }

  private State same(State state) {
    State known = states.get(state);
    if (known != null) {
      return known;
    }
    if (states.size() >= MOST_STATES) {
      states.clear();
      age++;
    }
    state.age = age;
    states.put(state, state);
    return state;
  }
}
