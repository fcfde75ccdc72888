package dev.apus.structure;

/**
 * What has to be written from some place on: a node, and then the rest of the path. Null is the end
 * of the text.
 */
final class Path {

  final Node node;
  final Path next;
  private final int hash;

  Path(Node node, Path next) {
    this.node = node;
    this.next = next;
    this.hash = node.hashCode() * 31 + (next == null ? 7 : next.hash * 17);
  }

  @Override
  public int hashCode() {
    return hash;
  }

  /** Paths that went different ways mostly share their end, where the comparison stops. */
  @Override
  public boolean equals(Object other) {
    if (!(other instanceof Path that)) {
      return false;
    }
    Path mine = this;
    while (mine != that) {
      if (mine == null || that == null || mine.hash != that.hash || !mine.node.equals(that.node)) {
        return false;
      }
      mine = mine.next;
      that = that.next;
    }
    return true;
  }
}
