package dev.apus.structure;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.apus.structure.Keywords.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** Makes a grammar of a JSON schema. */
final class SchemaGrammar {

  private static final int DEEPEST = 200;
  private static final int MOST_NODES = 100_000;

  private final JsonText json;
  private final Joined joined;
  private final Members objects;

  /** Whether values are objects, of which only the members are written. */
  private final boolean members;

  private final Map<JsonNode, Node.Rule> rules = new IdentityHashMap<>();
  private int depth;
  private int count;

  private SchemaGrammar(JsonNode document, JsonText json) {
    this.json = json;
    this.joined = new Joined(document);
    this.objects = new Members(json, joined, new Members.Json(json, this::node));
    this.members = false;
  }

  private SchemaGrammar(JsonNode document, JsonText json, MemberWriting writing) {
    this.json = json;
    this.joined = new Joined(document);
    this.objects = new Members(json, joined, writing);
    this.members = true;
  }

  /**
   * The values that a schema allows.
   *
   * @throws StructureException if it asks for something that cannot be honoured, or allows nothing
   */
  static Node of(JsonNode document, JsonText json) {
    return new SchemaGrammar(document, json).root(document, List.of());
  }

  /**
   * The members of the objects that a schema allows.
   *
   * @param writing how they are written, by what makes grammars of the schemas of their values
   * @throws StructureException also if it allows anything but objects
   */
  static Node members(
      JsonNode document, JsonText json, Function<Function<Schema, Node>, MemberWriting> writing) {
    SchemaGrammar values = new SchemaGrammar(document, json);
    SchemaGrammar grammar = new SchemaGrammar(document, json, writing.apply(values::node));
    return grammar.root(document, values.rules.values());
  }

  /**
   * @param others rules that those of this grammar may use
   */
  private Node root(JsonNode document, Collection<Node.Rule> others) {
    Schema root = new Schema(document, "");
    Node node = referred(root);
    List<Node.Rule> all = new ArrayList<>(rules.values());
    all.addAll(others);
    Node.Rule.settle(all);
    if (!node.isAlive()) {
      throw root.wrong("no value, or none that ends, does all that it asks for");
    }
    return node;
  }

  private Node referred(Schema schema) {
    Node.Rule known = rules.get(schema.node());
    if (known != null) {
      return known;
    }
    Node.Rule rule = new Node.Rule();
    rules.put(schema.node(), rule);
    rule.become(node(schema));
    return rule;
  }

  private Node node(Schema schema) {
    if (++depth > DEEPEST || ++count > MOST_NODES) {
      throw schema.wrong(
          "too much: joined schemas that refer to themselves go on without end; at most "
              + DEEPEST
              + " levels and "
              + MOST_NODES
              + " parts are supported");
    }
    try {
      return known(schema);
    } finally {
      depth--;
    }
  }

  private Node known(Schema schema) {
    if (schema.node().isBoolean() && !members) {
      return schema.node().booleanValue() ? json.any() : Nodes.NONE;
    }
    if (!schema.node().isObject()) {
      throw schema.wrong("needed: a schema, which is an object, true or false");
    }
    Keywords.requireKnown(schema);
    if (isAlone(schema, "$ref")) {
      return referred(joined.referred(schema));
    }
    if (isAlone(schema, "allOf") && schema.children("allOf").size() == 1) {
      return node(schema.children("allOf").getFirst());
    }
    Schema flat = joined.flat(schema);
    if (flat.node().isBoolean() && !members) {
      return node(flat);
    }
    Keywords.requireKnown(flat);
    for (String word : List.of("oneOf", "anyOf")) {
      if (flat.has(word)) {
        return alternatives(flat, word);
      }
    }
    boolean listed = flat.has("enum") || flat.has("const");
    if (members) {
      if (listed || !Keywords.types(flat).contains(Type.OBJECT)) {
        throw flat.wrong("needed: a schema of objects, by their members");
      }
      return objects.node(flat);
    }
    return listed ? listed(flat) : types(flat);
  }

  /** Whether a word is all that a schema says. */
  private static boolean isAlone(Schema schema, String word) {
    boolean alone = schema.has(word);
    for (var names = schema.node().fieldNames(); names.hasNext(); ) {
      String name = names.next();
      alone &= name.equals(word) || Keywords.isAnnotation(name);
    }
    return alone;
  }

  private Node alternatives(Schema schema, String word) {
    List<Schema> alternatives = schema.children(word);
    if (alternatives.isEmpty()) {
      throw schema.wrong(word, "needed: a schema at least");
    }
    if (word.equals("oneOf")) {
      new Exclusion(joined).require(schema, alternatives);
    }
    boolean alone = isAlone(schema, word);
    ObjectNode rest = schema.node().deepCopy();
    rest.remove(word);
    Schema common = new Schema(rest, schema.pointer());
    List<Node> nodes = new ArrayList<>();
    for (Schema alternative : alternatives) {
      nodes.add(node(alone ? alternative : joined.both(common, alternative)));
    }
    return Nodes.choice(nodes);
  }

  /** The values that a schema lists. */
  static List<JsonNode> values(Schema schema) {
    for (var names = schema.node().fieldNames(); names.hasNext(); ) {
      String name = names.next();
      if (!Set.of("enum", "const", "type").contains(name) && !Keywords.isAnnotation(name)) {
        throw schema.wrong(name, "is not supported beside enum or const");
      }
    }
    JsonNode list = schema.node().get("enum");
    if (list != null && !list.isArray()) {
      throw schema.wrong("enum", "needed: a list of values");
    }
    JsonNode only = schema.node().get("const");
    Set<Type> types = Keywords.types(schema);
    List<JsonNode> values = new ArrayList<>();
    for (JsonNode value : list == null ? new Schema.Single(only) : list) {
      boolean wanted =
          types.stream().anyMatch(type -> Keywords.isOf(value, type))
              && (only == null || only.equals(value));
      if (wanted) {
        values.add(value);
      }
    }
    return values;
  }

  private Node listed(Schema schema) {
    ByteTree texts = new ByteTree();
    List<Node> nodes = new ArrayList<>();
    for (JsonNode value : values(schema)) {
      if (value.isTextual()) {
        String text = JsonText.quoted(value.textValue());
        if (json.available().containsAll(text)) {
          texts.add(text);
        }
      } else {
        nodes.add(json.exactly(value));
      }
    }
    nodes.add(texts);
    return Nodes.choice(nodes);
  }

  private Node types(Schema schema) {
    Set<Type> types = Keywords.types(schema);
    boolean says = false;
    for (var names = schema.node().fieldNames(); names.hasNext(); ) {
      says |= !Keywords.isAnnotation(names.next());
    }
    if (!says) {
      return json.any();
    }
    List<Node> nodes = new ArrayList<>();
    for (Type type : types) {
      nodes.add(
          switch (type) {
            case STRING -> string(schema);
            case NUMBER -> number(schema);
            case INTEGER -> types.contains(Type.NUMBER) ? Nodes.NONE : integer(schema);
            case OBJECT -> objects.node(schema);
            case ARRAY -> array(schema);
            case BOOLEAN -> json.bool();
            case NULL -> json.nothing();
          });
    }
    return Nodes.choice(nodes);
  }

  /**
   * What a schema says of a string, each as a grammar of its own; none if it says nothing.
   *
   * @param spelling of a string's characters
   */
  static List<Node> conditions(Schema schema, Regex.Spelling spelling) {
    Lengths lengths = Lengths.of(schema);
    List<Node> all = new ArrayList<>();
    String pattern = schema.text("pattern");
    if (pattern != null) {
      String name = schema.wrong("pattern", "").getMessage().replaceFirst(": $", "");
      all.add(Regex.node(RegexParser.parse(name, pattern, true), true, spelling, name));
    }
    String format = schema.text("format");
    if (format != null) {
      String expression = Formats.expression(format);
      if (expression == null) {
        throw schema.wrong(
            "format",
            format + " is not supported; supported: " + String.join(", ", Formats.names()));
      }
      all.add(Regex.node(RegexParser.parse(format, expression, true), false, spelling, format));
    }
    if (lengths.least > 0 || lengths.most < Node.UNBOUNDED) {
      all.add(Nodes.repeat(spelling.node(CodePoints.ALL), lengths.least, lengths.most));
    }
    return all;
  }

  /** How many characters a string may have. */
  record Lengths(int least, int most) {

    static Lengths of(Schema schema) {
      int least = schema.count("minLength", 0);
      int most = schema.count("maxLength", Node.UNBOUNDED);
      if (least > most) {
        throw schema.wrong("minLength", least + " is more than maxLength, " + most);
      }
      return new Lengths(least, most);
    }
  }

  /** What all conditions allow. */
  static Node all(Schema schema, List<Node> conditions) {
    Node node = conditions.getFirst();
    for (Node other : conditions.subList(1, conditions.size())) {
      node = Product.both(node, other, schema.place());
    }
    return node;
  }

  private Node string(Schema schema) {
    if (!schema.has("pattern") && !schema.has("format")) {
      Lengths lengths = Lengths.of(schema);
      return json.string(lengths.least, lengths.most);
    }
    List<Node> all = conditions(schema, json::spelled);
    return Nodes.sequence(JsonText.QUOTE, all(schema, all), JsonText.QUOTE);
  }

  private static Numbers.Bound bound(Schema schema, String word, String exclusive, int sign) {
    BigDecimal value = schema.number(word);
    BigDecimal outside = schema.number(exclusive);
    boolean outer = outside != null && (value == null || outside.compareTo(value) * sign >= 0);
    return outer
        ? new Numbers.Bound(outside, true)
        : value == null ? null : new Numbers.Bound(value, false);
  }

  private static Node number(Schema schema) {
    Numbers.Bound least = bound(schema, "minimum", "exclusiveMinimum", 1);
    Numbers.Bound most = bound(schema, "maximum", "exclusiveMaximum", -1);
    return least == null && most == null ? JsonText.NUMBER : Numbers.within(least, most);
  }

  private static Node integer(Schema schema) {
    Numbers.Bound least = bound(schema, "minimum", "exclusiveMinimum", 1);
    Numbers.Bound most = bound(schema, "maximum", "exclusiveMaximum", -1);
    return Numbers.integer(whole(least, RoundingMode.CEILING), whole(most, RoundingMode.FLOOR));
  }

  private static BigInteger whole(Numbers.Bound bound, RoundingMode inwards) {
    if (bound == null) {
      return null;
    }
    BigInteger whole = bound.value().setScale(0, inwards).toBigInteger();
    boolean met = new BigDecimal(whole).compareTo(bound.value()) == 0;
    int step = inwards == RoundingMode.CEILING ? 1 : -1;
    return met && bound.exclusive() ? whole.add(BigInteger.valueOf(step)) : whole;
  }

  private Node array(Schema schema) {
    int least = schema.count("minItems", 0);
    int most = schema.count("maxItems", Node.UNBOUNDED);
    if (least > most) {
      throw schema.wrong("minItems", least + " is more than maxItems, " + most);
    }
    List<Node> first = schema.children("prefixItems").stream().map(this::node).toList();
    if (schema.has("items") && schema.node().get("items").isArray()) {
      throw schema.wrong("items", "a list of schemas is written prefixItems");
    }
    Node item =
        schema.has("items")
            ? node(schema.child("items"))
            : first.isEmpty() ? json.any() : Nodes.NONE;
    return JsonText.array(first, item, least, most);
  }
}
