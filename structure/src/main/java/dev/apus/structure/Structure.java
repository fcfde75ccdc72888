package dev.apus.structure;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.apus.core.chat.AnswerForm;
import dev.apus.core.generate.Constraint;
import dev.apus.core.tokenizer.TokenBytes;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * A form that texts must have. A sampling that is given one lets a model write nothing else:
 *
 * <pre>{@code
 * Sampling sampling = model.sampling().withConstraint(Structure.of(Recipe.class));
 * session.generate("A recipe for scones, as JSON:\n", sampling).forEach(…);
 * }</pre>
 *
 * <p>The text ends by itself where nothing may follow ({@link
 * dev.apus.core.generate.StopReason#COMPLETE}), by a token that ends texts where more may follow,
 * and never elsewhere; if it is cut, that is said ({@link
 * dev.apus.core.generate.StopReason#INCOMPLETE}).
 *
 * <p>JSON is written on one line, with at most one space after commas and colons. Strings escape
 * what must be escaped; those without a pattern, a format or a list of values may escape more.
 * Members come in the order of the schema, and those that it does not name after them.
 *
 * <p>Immutable, and safe to share between threads. What has been found out for a vocabulary is
 * kept, so that one structure should be used for many texts.
 */
public final class Structure implements Constraint {

  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

  private static final AnswerForm WANTED = new AnswerForm.Wanted();

  /** So many pairs of a vocabulary and its ends are remembered. */
  private static final int MOST_GRAMMARS = 4;

  private final String name;
  private final Function<Alphabet, Node> root;
  private final boolean marked;
  private final Node whole;
  private final Map<Place, Grammar> grammars = new LinkedHashMap<>();

  private record Place(TokenBytes tokens, Set<Integer> ends) {}

  private Structure(String name, Function<Alphabet, Node> root) {
    this(name, root, false);
  }

  /**
   * @param root the grammar, if only some characters can be written, and these special tokens
   * @param marked whether special tokens are of any use in it
   */
  private Structure(String name, Function<Alphabet, Node> root, boolean marked) {
    this.name = name;
    this.marked = marked;
    this.root = root;
    this.whole = root.apply(Alphabet.ALL);
    if (!whole.isAlive()) {
      throw new StructureException(name + ": no text is of this form");
    }
  }

  /** Any value that JSON has, nested no more than 64 deep. */
  public static Structure json() {
    return new Structure("JSON", alphabet -> new JsonText(alphabet.characters()).any());
  }

  /** Any object that JSON has, nested no more than 64 deep. */
  public static Structure jsonObject() {
    return new Structure(
        "a JSON object", alphabet -> new JsonText(alphabet.characters()).anyObject());
  }

  /**
   * JSON by a schema, of draft 2020-12 or as far as it agrees with that.
   *
   * <p>Honoured are type, enum, const, anyOf, oneOf of alternatives that exclude one another,
   * allOf, references within the document; properties, required, additionalProperties,
   * patternProperties, minProperties, maxProperties; items, prefixItems, minItems, maxItems;
   * pattern, format, minLength, maxLength; minimum, maximum and the exclusive ones. Where a schema
   * names members but says nothing of others, there are none; where it gives no type, but speaks of
   * some, it is of these.
   *
   * @throws StructureException with the place in the schema of whatever else it asks for, or if no
   *     value does all that it asks for
   */
  public static Structure schema(String schema) {
    try {
      return schema(JSON.readTree(schema));
    } catch (JsonProcessingException e) {
      throw new StructureException("the schema is not JSON: " + e.getOriginalMessage(), e);
    }
  }

  /** JSON by a schema, like {@link #schema(String)}. */
  public static Structure schema(JsonNode schema) {
    JsonNode own = schema.deepCopy();
    return new Structure(
        "the schema", alphabet -> SchemaGrammar.of(own, new JsonText(alphabet.characters())));
  }

  /**
   * JSON from which the given type can be read: a record, an enum, a number, a {@code String}, a
   * {@code boolean}, a date or time of {@code java.time}, and lists, arrays and maps of these, as
   * the types of records' components. {@code Optional} components may be absent.
   *
   * @throws StructureException naming the component whose type is another one
   */
  public static Structure of(Class<?> type) {
    return schema(TypeSchema.of(type));
  }

  /**
   * What a regular expression matches as a whole, in Java's syntax without looking around, looking
   * back at groups, or flags.
   *
   * @throws StructureException with the place of what is not supported
   */
  public static Structure regex(String expression) {
    Regex regex = RegexParser.parse("the expression", expression, false);
    return new Structure(
        "the expression", alphabet -> node(regex, "the expression", alphabet.characters()));
  }

  /**
   * What a context-free grammar in the notation of llama.cpp, GBNF, derives from its rule {@code
   * root}: {@code root ::= "[" item ("," item)* "]"}, and so on. Rules may hold themselves, but not
   * begin with themselves.
   *
   * @throws StructureException with the line of what cannot be read or honoured
   */
  public static Structure grammar(String grammar) {
    Map<String, GrammarParser.Rule> rules = GrammarParser.parse(grammar);
    return new Structure(
        "the grammar", alphabet -> new RuleGrammar(rules, alphabet.characters()).root());
  }

  static Node node(Regex regex, String name, CodePoints available) {
    return Regex.node(regex, false, set -> ByteTree.of(set.and(available)), name);
  }

  /** One of these texts. */
  public static Structure choice(String... texts) {
    List<String> all = List.of(texts);
    return new Structure(
        "the choice",
        alphabet -> {
          ByteTree tree = new ByteTree();
          all.stream().filter(alphabet.characters()::containsAll).forEach(tree::add);
          return tree;
        });
  }

  /**
   * An answer of a conversation in which calls of tools are well formed. For {@link
   * dev.apus.core.Chat#offer(List, dev.apus.core.chat.ToolChoice, Function)}.
   *
   * @throws StructureException naming the tool if its schema cannot be honoured
   */
  public static Structure answer(AnswerForm form) {
    return new Structure("the answer", new AnswerGrammar(form, null)::node, true);
  }

  /**
   * An answer of a conversation in which something of this structure is wanted, after thoughts. For
   * {@link dev.apus.core.Chat#require}.
   */
  public Structure within(AnswerForm form) {
    return new Structure(name, new AnswerGrammar(form, root)::node, true);
  }

  /**
   * Any text up to a mark, such as {@code </think>}, white space, and then something of this
   * structure. The mark may be the name of a special token.
   */
  public Structure after(String mark) {
    if (mark.isEmpty()) {
      throw new StructureException("an empty mark; needed: what ends the text before the form");
    }
    AnswerForm rest = AnswerForm.sequence(new AnswerForm.Matching("\\s{0,4}"), WANTED);
    return within(new AnswerForm.Free(Map.of(), Map.of(mark, rest), false, ""));
  }

  @Override
  public Follower start(TokenBytes tokens, Set<Integer> ends) {
    Grammar grammar;
    synchronized (grammars) {
      Place place = new Place(tokens, Set.copyOf(ends));
      grammar = grammars.get(place);
      if (grammar == null) {
        grammar = grammar(tokens, place.ends());
        if (grammars.size() == MOST_GRAMMARS) {
          grammars.remove(grammars.keySet().iterator().next());
        }
        grammars.put(place, grammar);
      }
    }
    return grammar.start();
  }

  private Grammar grammar(TokenBytes tokens, Set<Integer> ends) {
    Lexicon lexicon = Lexicon.of(tokens, ends);
    Alphabet alphabet = Alphabet.of(lexicon.letters(), tokens, ends);
    boolean all = alphabet.characters() == CodePoints.ALL;
    Node node = all && !marked ? whole : root.apply(alphabet);
    if (!node.isAlive()) {
      throw new StructureException(
          name + ": the model's vocabulary lacks characters that every such text has");
    }
    return new Grammar(node, tokens, lexicon, alphabet.symbols());
  }

  @Override
  public String toString() {
    return name;
  }
}
