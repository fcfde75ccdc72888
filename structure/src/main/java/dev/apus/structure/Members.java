package dev.apus.structure;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** Makes grammars of what schemas say of objects. */
final class Members {

  private final JsonText json;
  private final Joined joined;
  private final MemberWriting writing;

  Members(JsonText json, Joined joined, MemberWriting writing) {
    this.json = json;
    this.joined = joined;
    this.writing = writing;
  }

  /**
   * Members as JSON has them.
   *
   * @param inner makes grammars of the schemas of members
   */
  record Json(JsonText json, Function<Schema, Node> inner) implements MemberWriting {

    @Override
    public Node key(String name) {
      return json.key(name);
    }

    @Override
    public Node otherThan(Set<String> names) {
      return Nodes.sequence(
          names.isEmpty() ? json.string() : json.otherThan(names), JsonText.COLON);
    }

    @Override
    public Node value(String name, Schema schema) {
      return inner.apply(schema);
    }

    @Override
    public Node other(Schema schema) {
      return inner.apply(schema);
    }

    @Override
    public Node between() {
      return JsonText.COMMA;
    }

    @Override
    public Node object(Node members) {
      return Nodes.sequence(Nodes.text("{"), members, Nodes.text("}"));
    }
  }

  /** The names that match an expression. */
  private record Pattern(Node key, Automaton automaton, Schema schema, String name) {

    boolean matches(String text) {
      State state = automaton.start();
      for (byte b : JsonText.quoted(text).getBytes(StandardCharsets.UTF_8)) {
        state = automaton.after(state, b & 0xFF);
      }
      return state.complete;
    }
  }

  Node node(Schema schema) {
    Map<String, Schema> named = new LinkedHashMap<>();
    ObjectNode properties = schema.members("properties");
    properties
        .fieldNames()
        .forEachRemaining(name -> named.put(name, schema.member("properties", name)));
    Set<String> required = required(schema);
    Schema others = schema.child("additionalProperties");
    List<Pattern> patterns = patterns(schema);
    Schema anything = new Schema(BooleanNode.TRUE, schema.pointer());
    for (String name : required) {
      boolean matched = patterns.stream().anyMatch(pattern -> pattern.matches(name));
      named.putIfAbsent(name, others == null || matched ? anything : others);
    }
    for (Pattern pattern : patterns) {
      named.replaceAll(
          (name, member) -> pattern.matches(name) ? joined.both(member, pattern.schema()) : member);
    }
    if (named.isEmpty() && patterns.isEmpty() && others == null) {
      others = anything;
    }
    List<ObjectForm.Other> rest = others(schema, named.keySet(), patterns, others);
    int least = schema.count("minProperties", 0);
    int most = schema.count("maxProperties", Node.UNBOUNDED);
    if (least > required.size() && !rest.isEmpty()) {
      throw schema.wrong(
          "minProperties",
          "members without names cannot be counted, for a name may come twice; it is supported"
              + " with additionalProperties=false");
    }
    List<ObjectForm.Member> members = new ArrayList<>();
    named.forEach(
        (name, member) ->
            members.add(
                new ObjectForm.Member(
                    writing.key(name), writing.value(name, member), required.contains(name))));
    int counted = least > required.size() ? least : 0;
    var form = new ObjectForm(List.copyOf(members), rest, counted, most, writing.between());
    return writing.object(form.node());
  }

  private static Set<String> required(Schema schema) {
    Set<String> required = new LinkedHashSet<>();
    JsonNode names = schema.node().get("required");
    if (names != null && !names.isArray()) {
      throw schema.wrong("required", "needed: a list of names");
    }
    for (JsonNode name : names == null ? List.<JsonNode>of() : names) {
      if (!name.isTextual()) {
        throw schema.wrong("required", "needed: a list of names");
      }
      required.add(name.textValue());
    }
    return required;
  }

  private List<Pattern> patterns(Schema schema) {
    List<Pattern> patterns = new ArrayList<>();
    schema
        .members("patternProperties")
        .fieldNames()
        .forEachRemaining(
            expression -> {
              Schema member = schema.member("patternProperties", expression);
              String name = "the schema, at " + member.pointer();
              Node key = json.string(RegexParser.parse(name, expression, true), true, name);
              patterns.add(new Pattern(key, new Automaton(key, null), member, name));
            });
    for (Pattern one : patterns) {
      for (Pattern other : patterns) {
        if (one != other && Product.both(one.key(), other.key(), one.name()).isAlive()) {
          throw new StructureException(
              one.name()
                  + ": a name may match "
                  + other.schema().pointer()
                  + " too; needed: expressions that exclude one another");
        }
      }
    }
    return patterns;
  }

  private List<ObjectForm.Other> others(
      Schema schema, Set<String> names, List<Pattern> patterns, Schema others) {
    List<ObjectForm.Other> rest = new ArrayList<>();
    if (!patterns.isEmpty() && !(writing instanceof Json)) {
      throw schema.wrong("patternProperties", "is not supported where arguments are not JSON");
    }
    for (Pattern pattern : patterns) {
      Node matching =
          names.isEmpty()
              ? pattern.key()
              : Product.both(pattern.key(), json.otherThan(names), pattern.name());
      rest.add(other(Nodes.sequence(matching, JsonText.COLON), pattern.schema()));
    }
    if (others != null && !(others.node().isBoolean() && !others.node().booleanValue())) {
      Node key = patterns.isEmpty() ? writing.otherThan(names) : unmatched(names, patterns);
      rest.add(other(key, others));
    }
    return rest;
  }

  private Node unmatched(Set<String> names, List<Pattern> patterns) {
    Node key = json.otherThan(names);
    for (Pattern pattern : patterns) {
      key = Product.without(key, pattern.key(), pattern.name());
    }
    return Nodes.sequence(key, JsonText.COLON);
  }

  private ObjectForm.Other other(Node key, Schema schema) {
    return new ObjectForm.Other(key, writing.other(schema));
  }
}
