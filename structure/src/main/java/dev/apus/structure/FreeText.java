package dev.apus.structure;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/**
 * Any text up to marks, which are seen as soon as they are whole, wherever they begin: the
 * automaton of Aho and Corasick (1975). What follows a mark is another node; so that a text with a
 * mark in it can be read in one way only.
 */
final class FreeText {

  static final int DEAD = -1;
  private static final int ROOT = 0;

  /**
   * By state and byte: a state, {@link #DEAD}, or what follows mark {@code k} as {@code -2 - k}.
   */
  private final List<int[]> next = new ArrayList<>();

  private final List<Node> after = new ArrayList<>();
  private final List<At> states = new ArrayList<>();
  private final boolean open;
  private boolean endsAlive;

  /**
   * @param open whether the text may be over without a mark
   */
  FreeText(boolean open) {
    this.open = open;
    state();
  }

  private int state() {
    int[] row = new int[256];
    Arrays.fill(row, DEAD);
    next.add(row);
    states.add(new At(next.size() - 1));
    return next.size() - 1;
  }

  /** Adds a mark after which the text goes on, once a node has been written. */
  void within(byte[] mark, Node node) {
    add(mark, new Node.Sequence(node, states.getFirst()));
  }

  /** Adds a mark that ends the text, and what follows it. */
  void last(byte[] mark, Node node) {
    endsAlive |= node.isAlive();
    add(mark, node);
  }

  private void add(byte[] mark, Node node) {
    int at = ROOT;
    for (int i = 0; i < mark.length - 1 && at >= 0; i++) {
      int[] row = next.get(at);
      int b = mark[i] & 0xFF;
      if (row[b] == DEAD) {
        row[b] = state();
      }
      at = next.get(at)[b];
    }
    if (at < 0) {
      // A shorter mark is whole before this one can be.
      return;
    }
    int[] row = next.get(at);
    int b = mark[mark.length - 1] & 0xFF;
    if (row[b] <= -2) {
      int known = -2 - row[b];
      after.set(known, Nodes.choice(after.get(known), node));
    } else {
      row[b] = -2 - after.size();
      after.add(node);
    }
  }

  /**
   * The text from its beginning on, when all marks are there.
   *
   * @param notFirst characters with which it may not begin, white space aside
   */
  Node node(String notFirst) {
    int[] root = next.getFirst();
    Deque<Integer> order = new ArrayDeque<>();
    int[] fail = new int[next.size()];
    for (int b = 0; b < 256; b++) {
      if (root[b] > ROOT) {
        order.add(root[b]);
      } else if (root[b] == DEAD && b < Alphabet.SYMBOLS) {
        root[b] = ROOT;
      }
    }
    while (!order.isEmpty()) {
      int state = order.poll();
      int[] row = next.get(state);
      int[] shorter = next.get(fail[state]);
      for (int b = 0; b < 256; b++) {
        if (row[b] > ROOT && shorter[b] <= -2) {
          // A mark that lies inside of this one is whole before.
          row[b] = shorter[b];
        } else if (row[b] > ROOT) {
          fail[row[b]] = Math.max(shorter[b], ROOT);
          order.add(row[b]);
        } else if (row[b] == DEAD) {
          row[b] = shorter[b];
        }
      }
    }
    return notFirst.isEmpty() ? states.getFirst() : new Beginning(notFirst);
  }

  private Node read(int state, int b) {
    int to = step(state, b);
    return to >= 0 ? states.get(to) : to == DEAD ? null : after(to);
  }

  /** The state after a byte, {@link #DEAD}, or a negative number for {@link #after}. */
  int step(int state, int b) {
    return next.get(state)[b];
  }

  /** What follows a mark that a step has made whole; null if nothing may. */
  Node after(int step) {
    Node node = after.get(-2 - step);
    return node.isAlive() ? node : null;
  }

  /** A place in the text. */
  private abstract class Place implements Node.Reader {

    @Override
    public void open(Closure into, Path path) {
      if (open) {
        into.goOn(path);
      }
      into.read(this, path);
    }

    @Override
    public boolean isAlive() {
      return open || endsAlive;
    }

    @Override
    public boolean isNullable() {
      return open;
    }
  }

  /** The text when so much of a mark has been written, or none. */
  private final class At extends Place {

    private final int state;

    At(int state) {
      this.state = state;
    }

    @Override
    public Node read(int b) {
      return FreeText.this.read(state, b);
    }
  }

  /** The text before anything but white space has been written. */
  private final class Beginning extends Place {

    private final String notFirst;

    Beginning(String notFirst) {
      this.notFirst = notFirst;
    }

    @Override
    public Node read(int b) {
      if (b == ' ' || b == '\n' || b == '\r' || b == '\t') {
        return this;
      }
      return notFirst.indexOf(b) >= 0 ? null : FreeText.this.read(ROOT, b);
    }
  }
}
