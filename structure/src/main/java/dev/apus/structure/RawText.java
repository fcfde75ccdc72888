package dev.apus.structure;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Strings that are written as they are, without quotes, up to the first place at which the mark is
 * written that ends them.
 */
final class RawText {

  private final Alphabet alphabet;
  private final String end;
  private final Set<String> never;

  /**
   * @param never what no string may hold
   */
  RawText(Alphabet alphabet, String end, Set<String> never) {
    this.alphabet = alphabet;
    this.end = end;
    this.never = new HashSet<>(never);
    // Where the mark is a special token, its letters would be read as it.
    this.never.add(end);
  }

  /** The strings of a schema, and the mark. */
  Node node(Schema schema) {
    for (String word : List.of("$ref", "allOf", "anyOf", "oneOf")) {
      if (schema.has(word)) {
        throw schema.wrong(word, "is not supported for a text that is written without quotes");
      }
    }
    Keywords.requireKnown(schema);
    if (schema.has("enum") || schema.has("const")) {
      return Nodes.sequence(values(schema), alphabet.text(end));
    }
    if (!schema.has("pattern") && !schema.has("format")) {
      return free(SchemaGrammar.Lengths.of(schema));
    }
    List<Node> conditions = SchemaGrammar.conditions(schema, this::characters);
    Node all = SchemaGrammar.all(schema, conditions);
    return Nodes.sequence(Product.without(all, holding(), schema.place()), alphabet.text(end));
  }

  private Node characters(CodePoints set) {
    return ByteTree.of(set.and(alphabet.characters()));
  }

  private Node values(Schema schema) {
    ByteTree texts = new ByteTree();
    for (JsonNode value : SchemaGrammar.values(schema)) {
      String text = value.textValue();
      if (text != null
          && alphabet.characters().containsAll(text)
          && never.stream().noneMatch(text::contains)) {
        texts.add(text);
      }
    }
    return texts;
  }

  private Node free(SchemaGrammar.Lengths lengths) {
    byte[] mark = alphabet.spelled(end);
    if (mark == null) {
      return Nodes.NONE;
    }
    FreeText text = new FreeText(false);
    text.last(mark, Node.EMPTY);
    for (String each : never) {
      boolean spelled = each.equals(end) && alphabet.isPlain(end);
      if (!spelled) {
        text.last(each.getBytes(StandardCharsets.UTF_8), Nodes.NONE);
      }
    }
    Node unbounded = text.node("");
    return lengths.least() == 0 && lengths.most() == Node.UNBOUNDED
        ? unbounded
        : new CountedText(text, mark, lengths.least(), lengths.most()).node();
  }

  /** Any text in which there is something that none may hold. */
  private Node holding() {
    Node any = Nodes.repeat(characters(CodePoints.ALL), 0, Node.UNBOUNDED);
    List<Node> marks = new ArrayList<>();
    never.forEach(each -> marks.add(Nodes.text(each)));
    return Nodes.sequence(any, Nodes.choice(marks), any);
  }
}
