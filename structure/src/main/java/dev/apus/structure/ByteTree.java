package dev.apus.structure;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Several strings of bytes at once, read along a tree: the characters of a class, or the words of a
 * list. Parts of trees may be shared, so a tree is not changed once it is in use.
 */
final class ByteTree implements Node.Reader {

  private static final int TRAIL_BITS = 6;
  private static final int TRAILS = 1 << TRAIL_BITS;

  private static final ByteTree END = new ByteTree();

  /** By their number, all that follow a byte which begins a character. */
  private static final ByteTree[] ANY = {END, null, null, null};

  static {
    END.end = true;
    for (int trailing = 1; trailing < ANY.length; trailing++) {
      ANY[trailing] = trails(Collections.nCopies(TRAILS, ANY[trailing - 1]));
    }
  }

  private final ByteTree[] children = new ByteTree[256];
  private boolean end;
  private boolean leaf = true;

  /** A tree of nothing, to be filled. */
  ByteTree() {}

  /** The UTF-8 spellings of a set of characters. */
  static ByteTree of(CodePoints set) {
    Map<List<ByteTree>, ByteTree> shared = new HashMap<>();
    ByteTree tree = new ByteTree();
    for (int b = 0; b < 0x80; b++) {
      if (set.contains(b)) {
        tree.put(b, END);
      }
    }
    for (int lead = 0xC2; lead <= 0xF4; lead++) {
      int trailing = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
      int size = 1 << (TRAIL_BITS * trailing);
      int first = (lead & (0x3F >> trailing)) * size;
      // Shorter spellings of the same characters are the only ones.
      int shortest = trailing == 1 ? 0x80 : trailing == 2 ? 0x800 : 0x10000;
      CodePoints own = set.and(CodePoints.range(shortest, Character.MAX_CODE_POINT));
      if (own.intersects(first, first + size - 1)) {
        tree.put(lead, trails(own, first, trailing, shared));
      }
    }
    return tree;
  }

  private static ByteTree trails(
      CodePoints set, int first, int trailing, Map<List<ByteTree>, ByteTree> shared) {
    int part = 1 << (TRAIL_BITS * (trailing - 1));
    if (set.covers(first, first + TRAILS * part - 1)) {
      return ANY[trailing];
    }
    List<ByteTree> found = new ArrayList<>();
    for (int from = first; from < first + TRAILS * part; from += part) {
      boolean some = set.intersects(from, from + part - 1);
      found.add(!some ? null : trailing == 1 ? END : trails(set, from, trailing - 1, shared));
    }
    return shared.computeIfAbsent(found, ByteTree::trails);
  }

  private static ByteTree trails(List<ByteTree> children) {
    ByteTree tree = new ByteTree();
    for (int trail = 0; trail < TRAILS; trail++) {
      if (children.get(trail) != null) {
        tree.put(0x80 + trail, children.get(trail));
      }
    }
    return tree;
  }

  /** The child at a byte, made if it is not there. */
  ByteTree child(int b) {
    if (children[b] == null) {
      put(b, new ByteTree());
    }
    return children[b];
  }

  void put(int b, ByteTree child) {
    children[b] = child;
    leaf = false;
  }

  /** Adds a string of bytes; what is shared must not lie on its way. */
  ByteTree add(String text) {
    ByteTree at = this;
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      at = at.child(b & 0xFF);
    }
    at.end = true;
    return this;
  }

  @Override
  public Node read(int b) {
    ByteTree child = children[b];
    return child == null ? null : child.leaf ? EMPTY : child;
  }

  @Override
  public void open(Closure into, Path next) {
    if (end) {
      into.goOn(next);
    }
    if (!leaf) {
      into.read(this, next);
    }
  }

  @Override
  public boolean isAlive() {
    return end || !leaf;
  }

  @Override
  public boolean isNullable() {
    return end;
  }
}
