package dev.apus.structure;

import com.fasterxml.jackson.databind.JsonNode;
import dev.apus.structure.Keywords.Type;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Sees to it that no value can be of two alternatives: what oneOf asks for, and anyOf does not. */
final class Exclusion {

  private final Joined joined;

  Exclusion(Joined joined) {
    this.joined = joined;
  }

  /**
   * Makes sure that the alternatives exclude one another in a way that can be seen.
   *
   * @throws StructureException naming two that may not
   */
  void require(Schema schema, List<Schema> alternatives) {
    List<Schema> flat = alternatives.stream().map(joined::flat).toList();
    for (int i = 0; i < flat.size(); i++) {
      for (int j = 0; j < i; j++) {
        if (!excludes(flat.get(i), flat.get(j))) {
          throw schema.wrong(
              "oneOf",
              "a value may be of the alternatives "
                  + j
                  + " and "
                  + i
                  + " at once, as far as can be seen; needed: different types, or a required"
                  + " member with different const or enum, or anyOf");
        }
      }
    }
  }

  private boolean excludes(Schema left, Schema right) {
    if (left.node().isBoolean() || right.node().isBoolean()) {
      return left.node().equals(right.node()) && !left.node().booleanValue();
    }
    if (!left.has("anyOf") && !right.has("anyOf") && differ(types(left), types(right))) {
      return true;
    }
    List<JsonNode> one = values(left);
    List<JsonNode> other = values(right);
    if (one != null && other != null) {
      return one.stream().noneMatch(other::contains);
    }
    return onlyObjects(left) && onlyObjects(right) && differentMember(left, right);
  }

  private static boolean onlyObjects(Schema schema) {
    return Keywords.types(schema).equals(EnumSet.of(Type.OBJECT));
  }

  private boolean differentMember(Schema left, Schema right) {
    for (JsonNode name : required(left)) {
      boolean both = left.members("properties").has(name.asText());
      both &= right.members("properties").has(name.asText());
      for (JsonNode other : required(right)) {
        if (both
            && name.equals(other)
            && excludes(member(left, name.asText()), member(right, name.asText()))) {
          return true;
        }
      }
    }
    return false;
  }

  private Schema member(Schema schema, String name) {
    return joined.flat(schema.member("properties", name));
  }

  private static Iterable<JsonNode> required(Schema schema) {
    return schema.has("required") ? schema.node().get("required") : List.of();
  }

  /** The values that a schema lists, or null if it lists none. */
  private static List<JsonNode> values(Schema schema) {
    if (schema.has("const")) {
      return List.of(schema.node().get("const"));
    }
    if (!schema.has("enum")) {
      return null;
    }
    List<JsonNode> values = new ArrayList<>();
    schema.node().get("enum").forEach(values::add);
    return values;
  }

  private static Set<Type> types(Schema schema) {
    List<JsonNode> values = values(schema);
    if (values == null) {
      return Keywords.types(schema);
    }
    Set<Type> types = EnumSet.noneOf(Type.class);
    for (Type type : Type.values()) {
      if (values.stream().anyMatch(value -> Keywords.isOf(value, type))) {
        types.add(type);
      }
    }
    return types;
  }

  private static boolean differ(Set<Type> left, Set<Type> right) {
    return left.stream()
        .noneMatch(
            type ->
                right.contains(type)
                    || (type == Type.INTEGER && right.contains(Type.NUMBER))
                    || (type == Type.NUMBER && right.contains(Type.INTEGER)));
  }
}
