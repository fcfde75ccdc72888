package dev.apus.structure;

import java.util.Collection;

/**
 * What may be written at a place: a part of a grammar over bytes.
 *
 * <p>A node is opened before a byte is looked at: what may come first in it goes into a {@link
 * Closure}, together with what comes after the node. What is left of a node after a byte is a node
 * again, so that counts are numbers in nodes and nothing is unrolled.
 *
 * <p>Nodes are equal if they are the same object, except for those that stand for a rest; so that a
 * place reached twice is one state.
 */
interface Node {

  /** The number of repetitions without a bound. */
  int UNBOUNDED = Integer.MAX_VALUE;

  /** Nothing at all, which is always there. */
  Node EMPTY = new Empty();

  /** Puts what may come first into {@code into}. */
  void open(Closure into, Path next);

  /** Whether there is a text that ends the node; what has none is never begun. */
  boolean isAlive();

  /** Whether the node may be over before it has begun. */
  boolean isNullable();

  /** A node that reads bytes itself. */
  interface Reader extends Node {

    /** What is left of the node after a byte, or null if the byte may not come. */
    Node read(int b);

    @Override
    default void open(Closure into, Path next) {
      into.read(this, next);
    }

    @Override
    default boolean isAlive() {
      return true;
    }

    @Override
    default boolean isNullable() {
      return false;
    }
  }

  /** See {@link #EMPTY}. */
  final class Empty implements Node {

    private Empty() {}

    @Override
    public void open(Closure into, Path next) {
      into.goOn(next);
    }

    @Override
    public boolean isAlive() {
      return true;
    }

    @Override
    public boolean isNullable() {
      return true;
    }
  }

  /** These bytes, from {@code at} on; there is at least one left. */
  record Bytes(byte[] bytes, int at) implements Reader {

    @Override
    public Node read(int b) {
      if ((bytes[at] & 0xFF) != b) {
        return null;
      }
      return at + 1 == bytes.length ? EMPTY : new Bytes(bytes, at + 1);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Bytes that && bytes == that.bytes && at == that.at;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(bytes) * 31 + at;
    }
  }

  /** One after the other. */
  final class Sequence implements Node {

    private final Node first;
    private final Node rest;

    Sequence(Node first, Node rest) {
      this.first = first;
      this.rest = rest;
    }

    @Override
    public void open(Closure into, Path next) {
      into.add(first, new Path(rest, next));
    }

    @Override
    public boolean isAlive() {
      return first.isAlive() && rest.isAlive();
    }

    @Override
    public boolean isNullable() {
      return first.isNullable() && rest.isNullable();
    }
  }

  /** One of several. */
  final class Choice implements Node {

    private final Node[] alternatives;

    Choice(Node... alternatives) {
      this.alternatives = alternatives;
    }

    @Override
    public void open(Closure into, Path next) {
      for (Node alternative : alternatives) {
        if (alternative.isAlive()) {
          into.add(alternative, next);
        }
      }
    }

    @Override
    public boolean isAlive() {
      for (Node alternative : alternatives) {
        if (alternative.isAlive()) {
          return true;
        }
      }
      return false;
    }

    @Override
    public boolean isNullable() {
      for (Node alternative : alternatives) {
        if (alternative.isNullable()) {
          return true;
        }
      }
      return false;
    }
  }

  /** The same again and again, {@code least} to {@code most} times. */
  record Repetition(Node body, int least, int most) implements Node {

    @Override
    public void open(Closure into, Path next) {
      if (least == 0) {
        into.goOn(next);
      }
      if (most > 0 && body.isAlive()) {
        into.repeats(body, least, most);
        into.add(body, most == 1 ? next : new Path(rest(), next));
      }
    }

    private Node rest() {
      int left = most == UNBOUNDED ? UNBOUNDED : most - 1;
      return least == 0 && left == most ? this : new Repetition(body, Math.max(0, least - 1), left);
    }

    @Override
    public boolean isAlive() {
      return least == 0 || body.isAlive();
    }

    @Override
    public boolean isNullable() {
      return least == 0 || body.isNullable();
    }
  }

  /** A node with a name, which may hold itself. */
  final class Rule implements Node {

    private Node body;
    private boolean alive;
    private boolean nullable;

    void become(Node node) {
      body = node;
    }

    /** Finds out which of the rules are alive and nullable, when each has become something. */
    static void settle(Collection<Rule> rules) {
      boolean learning = true;
      while (learning) {
        learning = false;
        for (Rule rule : rules) {
          learning |= rule.learns();
        }
      }
    }

    /** Whether what is known of the other rules makes this one alive, or nullable, anew. */
    private boolean learns() {
      boolean learnt = (!alive && body.isAlive()) || (!nullable && body.isNullable());
      alive = body.isAlive();
      nullable = body.isNullable();
      return learnt;
    }

    @Override
    public void open(Closure into, Path next) {
      into.add(body, next);
    }

    @Override
    public boolean isAlive() {
      return alive;
    }

    @Override
    public boolean isNullable() {
      return nullable;
    }
  }
}
