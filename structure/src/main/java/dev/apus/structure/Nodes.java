package dev.apus.structure;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** Makes nodes of nodes. */
final class Nodes {

  /** What nothing matches. */
  static final Node NONE = new Node.Choice();

  private Nodes() {}

  /** The UTF-8 bytes of a text. */
  static Node text(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return bytes.length == 0 ? Node.EMPTY : new Node.Bytes(bytes, 0);
  }

  /** One after the other. */
  static Node sequence(Node... parts) {
    return sequence(List.of(parts));
  }

  static Node sequence(List<Node> parts) {
    Node rest = Node.EMPTY;
    for (Node part : parts.reversed()) {
      if (rest == Node.EMPTY) {
        rest = part;
      } else if (part != Node.EMPTY) {
        rest = new Node.Sequence(part, rest);
      }
    }
    return rest;
  }

  /** One of these. */
  static Node choice(List<Node> alternatives) {
    return alternatives.size() == 1
        ? alternatives.getFirst()
        : new Node.Choice(alternatives.toArray(Node[]::new));
  }

  static Node choice(Node... alternatives) {
    return choice(List.of(alternatives));
  }

  static Node optional(Node node) {
    return repeat(node, 0, 1);
  }

  /** The same {@code least} to {@code most} times. */
  static Node repeat(Node body, int least, int most) {
    if (most == 0) {
      return Node.EMPTY;
    }
    if (least == 1 && most == 1) {
      return body;
    }
    if (body instanceof Node.Repetition inner && inner.least() == 0 && inner.most() == 1) {
      return new Node.Repetition(inner.body(), 0, most);
    }
    return new Node.Repetition(body, body.isNullable() ? 0 : least, most);
  }
}
