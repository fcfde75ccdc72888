package dev.apus.structure;

import java.util.ArrayList;
import java.util.List;

/** A regular expression, read. */
sealed interface Regex {

  /** One character of a set. */
  record Characters(CodePoints set) implements Regex {}

  /** One after the other. */
  record Sequence(List<Regex> parts) implements Regex {}

  /** One of several. */
  record Choice(List<Regex> alternatives) implements Regex {}

  /** The same again and again. */
  record Repetition(Regex body, int least, int most) implements Regex {}

  /** These characters, one after the other. */
  record Text(String text) implements Regex {}

  /** What a rule of a grammar stands for. */
  record Reference(String name) implements Regex {}

  /** The beginning of the text, or its end. */
  record Anchor(boolean ofBeginning, int at) implements Regex {}

  /** How characters are spelled in bytes. */
  interface Spelling {
    Node node(CodePoints set);

    /** Some characters, one after the other. */
    default Node text(String text) {
      return Nodes.sequence(text.codePoints().mapToObj(c -> node(CodePoints.of(c))).toList());
    }

    /** What a rule stands for. */
    default Node rule(String name) {
      throw new StructureException("there are no rules, and so no " + name);
    }
  }

  /**
   * What matches from the first character to the last.
   *
   * @param search whether other text may come before and after it, unless an anchor says otherwise
   * @param name what messages call the expression
   */
  static Node node(Regex regex, boolean search, Spelling spelling, String name) {
    return new Anchored(search, spelling, name).node(regex, true, true);
  }

  /** Resolves anchors, which must be at the ends of the text. */
  record Anchored(boolean search, Spelling spelling, String name) {

    Node node(Regex regex, boolean first, boolean last) {
      if (regex instanceof Choice choice && (first || last)) {
        return Nodes.choice(
            choice.alternatives().stream().map(each -> node(each, first, last)).toList());
      }
      List<Regex> parts = new ArrayList<>(parts(regex));
      boolean begins = first && take(parts, true);
      boolean ends = last && take(parts, false);
      if (parts.size() == 1 && parts.getFirst() instanceof Choice choice) {
        return node(choice, first && !begins, last && !ends);
      }
      List<Node> nodes = new ArrayList<>();
      if (first && search && !begins) {
        nodes.add(anything());
      }
      parts.forEach(part -> nodes.add(inner(part)));
      if (last && search && !ends) {
        nodes.add(anything());
      }
      return Nodes.sequence(nodes);
    }

    private static List<Regex> parts(Regex regex) {
      return regex instanceof Sequence sequence ? sequence.parts() : List.of(regex);
    }

    /** Takes an anchor off that end of the parts. */
    private static boolean take(List<Regex> parts, boolean ofBeginning) {
      boolean taken = false;
      while (!parts.isEmpty()
          && (ofBeginning ? parts.getFirst() : parts.getLast()) instanceof Anchor anchor
          && anchor.ofBeginning() == ofBeginning) {
        parts.remove(ofBeginning ? 0 : parts.size() - 1);
        taken = true;
      }
      return taken;
    }

    private Node anything() {
      return Nodes.repeat(spelling.node(CodePoints.ALL), 0, Node.UNBOUNDED);
    }

    private Node inner(Regex regex) {
      return switch (regex) {
        case Characters characters -> spelling.node(characters.set());
        case Text text -> spelling.text(text.text());
        case Reference reference -> spelling.rule(reference.name());
        case Sequence sequence ->
            Nodes.sequence(sequence.parts().stream().map(this::inner).toList());
        case Choice choice ->
            Nodes.choice(choice.alternatives().stream().map(this::inner).toList());
        case Repetition repetition ->
            Nodes.repeat(inner(repetition.body()), repetition.least(), repetition.most());
        case Anchor anchor ->
            throw new StructureException(
                name
                    + ": the anchor at character "
                    + (anchor.at() + 1)
                    + " is inside the expression; anchors may stand at its ends only");
      };
    }
  }
}
