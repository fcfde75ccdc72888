package dev.apus.structure;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;

/** Opens nodes until only those are left that read a byte. */
final class Closure {

  /** More ways at once than any grammar needs that is written with care. */
  private static final int MOST_PATHS = 20_000;

  private final Node free;
  private final Deque<Path> open = new ArrayDeque<>();
  private final Set<Path> seen = new HashSet<>();
  private final Set<Path> readers = new HashSet<>();
  private boolean complete;
  private int freeLeft;

  /**
   * @param free the node whose repetitions are told apart, see {@link State#freeLeft}
   */
  Closure(Node free) {
    this.free = free;
  }

  /** Adds what begins with a node. */
  void add(Node node, Path next) {
    Path path = new Path(node, next);
    if (seen.add(path)) {
      if (seen.size() > MOST_PATHS) {
        throw new StructureException(
            "more than "
                + MOST_PATHS
                + " ways to go on at once: the same text can be read in too many ways; simpler"
                + " repetitions are needed");
      }
      open.add(path);
    }
  }

  /** Goes on along a path. */
  void goOn(Path path) {
    if (path == null) {
      complete = true;
    } else if (seen.add(path)) {
      open.add(path);
    }
  }

  /** A node that reads the next byte. */
  void read(Node.Reader node, Path next) {
    readers.add(new Path(node, next));
  }

  /** Says that a repetition is open, with that many still needed and possible. */
  void repeats(Node body, int least, int most) {
    if (body == free) {
      freeLeft = Math.max(freeLeft, most);
    }
  }

  /** Opens all that was added. */
  State state() {
    for (Path path = open.poll(); path != null; path = open.poll()) {
      path.node.open(this, path.next);
    }
    return new State(readers, complete, freeLeft);
  }
}
