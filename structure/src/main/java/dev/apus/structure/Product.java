package dev.apus.structure;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What two nodes have in common, or what one has and the other has not; made as a whole. */
final class Product {

  private static final int MOST_STATES = 20_000;

  private final Automaton left;
  private final Automaton right;
  private final boolean both;
  private final String name;
  private final Map<Pair, Place> places = new HashMap<>();
  private final Deque<Place> open = new ArrayDeque<>();

  private record Pair(State left, State right) {}

  /** A pair of states and the tree that becomes of it. */
  private static final class Place {
    private final Pair pair;
    private final boolean ends;
    private final ByteTree tree = new ByteTree();
    private final Place[] next = new Place[256];
    private final List<Place> before = new ArrayList<>();
    private boolean alive;

    Place(Pair pair, boolean ends) {
      this.pair = pair;
      this.ends = ends;
    }
  }

  private Product(Node left, Node right, boolean both, String name) {
    this.left = new Automaton(left, null);
    this.right = new Automaton(right, null);
    this.both = both;
    this.name = name;
  }

  /**
   * What both match.
   *
   * @param name what messages call it
   */
  static Node both(Node left, Node right, String name) {
    return new Product(left, right, true, name).node();
  }

  /** What {@code left} matches and {@code right} does not. */
  static Node without(Node left, Node right, String name) {
    return new Product(left, right, false, name).node();
  }

  private Node node() {
    Place start = place(new Pair(left.start(), right.start()));
    for (Place place = open.poll(); place != null; place = open.poll()) {
      for (int b = 0; b < 256; b++) {
        State first = left.after(place.pair.left(), b);
        State second = right.after(place.pair.right(), b);
        if (!first.isDead() && !(both && second.isDead())) {
          Place next = place(new Pair(first, second));
          place.next[b] = next;
          next.before.add(place);
        }
      }
    }
    places.values().stream().filter(place -> place.ends).forEach(open::add);
    open.forEach(place -> place.alive = true);
    for (Place place = open.poll(); place != null; place = open.poll()) {
      for (Place before : place.before) {
        if (!before.alive) {
          before.alive = true;
          open.add(before);
        }
      }
    }
    places.values().forEach(Product::link);
    return start.alive ? start.tree : Nodes.NONE;
  }

  private Place place(Pair pair) {
    Place known = places.get(pair);
    if (known != null) {
      return known;
    }
    if (places.size() == MOST_STATES) {
      throw new StructureException(
          name
              + ": both conditions together need more than "
              + MOST_STATES
              + " states; a smaller count, or one of the conditions alone, is needed");
    }
    Place place = new Place(pair, pair.left().complete && pair.right().complete == both);
    places.put(pair, place);
    open.add(place);
    return place;
  }

  private static void link(Place place) {
    if (place.ends) {
      place.tree.add("");
    }
    for (int b = 0; b < 256; b++) {
      Place next = place.next[b];
      if (next != null && next.alive) {
        place.tree.put(b, next.tree);
      }
    }
  }
}
