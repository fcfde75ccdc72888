package dev.apus.structure;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.apus.core.generate.Constraint;
import dev.apus.core.tokenizer.TokenBytes;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StructureTest {

  private static final TokenBytes TOKENS = Texts.vocabulary();

  /** What a schema asks for in vain, and where it says so. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      value = {
        "{\"not\":{}}~at /not: this keyword is not supported",
        "{\"properties\":{\"a\":{\"multipleOf\":3}}}~at /properties/a/multipleOf: this keyword",
        "{\"items\":{\"if\":true}}~at /items/if: this keyword",
        "{\"uniqueItems\":true}~at /uniqueItems: items that differ",
        "{\"type\":\"text\"}~at /type: \"text\" is no type",
        "{\"type\":[]}~at /type: no type at all",
        "{\"format\":\"idn-email\"}~at /format: idn-email is not supported; supported: date,"
            + " date-time",
        "{\"pattern\":\"(?=a)\"}~at /pattern: at character 3 of (?=a)",
        "{\"pattern\":\"a\\\\b\"}~at /pattern: at character 3 of a\\b is \\b",
        "{\"$ref\":\"other.json\"}~at /$ref: other.json is not within this document",
        "{\"$ref\":\"#/$defs/x\"}~at /$ref: there is no #/$defs/x",
        "{\"enum\":[]}~no value",
        "{\"enum\":[1],\"type\":\"string\"}~no value",
        "{\"const\":1,\"minimum\":0}~at /minimum: is not supported beside enum",
        "{\"minLength\":3,\"maxLength\":2}~at /minLength: 3 is more than maxLength, 2",
        "{\"minItems\":-1}~at /minItems: needed: a whole number of at least 0",
        "{\"minItems\":3,\"maxItems\":2}~at /minItems: 3 is more than",
        "{\"type\":\"integer\",\"exclusiveMinimum\":1,\"exclusiveMaximum\":2}~no value",
        "{\"type\":\"number\",\"minimum\":1,\"exclusiveMaximum\":1}~no value",
        "{\"type\":\"number\",\"minimum\":7,\"maximum\":2}~no value",
        "{\"type\":\"number\",\"minimum\":1e999999}~more than 400 digits",
        "{\"properties\":{\"a\":false},\"required\":[\"a\"]}~no value",
        "{\"$ref\":\"#\"}~no value, or none that ends",
        "{\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"]}~no value, or none that"
            + " ends",
        "{\"allOf\":[{\"$ref\":\"#\"},{}]}~refers to itself without end",
        "{\"allOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}~at /allOf/1/type: no type at all",
        "{\"allOf\":[{\"pattern\":\"a\"},{\"pattern\":\"b\"}]}~at /allOf/1/pattern: differs",
        "{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"number\"}]}~alternatives 0 and 1 at once",
        "{\"oneOf\":[{\"minimum\":1},{\"maximum\":0}]}~alternatives 0 and 1 at once",
        "{\"anyOf\":[]}~at /anyOf: needed: a schema at least",
        "{\"type\":\"object\",\"minProperties\":1}~at /minProperties: members without names",
        "{\"patternProperties\":{\"a\":{},\"b\":{}}}~a name may match",
        "{\"items\":[{}]}~at /items: a list of schemas is written prefixItems",
        "{\"a\":1,\"a\":2}~is not JSON: Duplicate field",
        "[]~needed: a schema, which is an object",
        "{~is not JSON"
      })
  void whatCannotBeHonouredIsRefused(String schema, String message) {
    var e = assertThrows(StructureException.class, () -> Structure.schema(schema));
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void recursionGoesAsDeepAsItLikes() {
    Node list =
        Texts.schema(
            "{\"type\":\"array\",\"items\":{\"anyOf\":[{\"$ref\":\"#\"},{\"type\":\"null\"}]}}");
    assertTrue(Texts.accepts(list, "[".repeat(20_000) + "]".repeat(20_000)));
    assertFalse(Texts.accepts(list, "[".repeat(20_000) + "]".repeat(19_999)));
  }

  @Test
  void valuesOfAnyFormAreNestedToALimit() {
    assertTrue(Texts.accepts(new JsonText(CodePoints.ALL).any(), "[".repeat(64) + "]".repeat(64)));
    assertFalse(Texts.accepts(new JsonText(CodePoints.ALL).any(), "[".repeat(65) + "]".repeat(65)));
    Walk walk = new Walk(TOKENS, Structure.json());
    for (int seed = 0; seed < 100; seed++) {
      String text = walk.random(new SplittableRandom(seed), 40);
      assertNotNull(text);
      Walk.read(text);
    }
    Walk objects = new Walk(TOKENS, Structure.jsonObject());
    assertTrue(Walk.read(objects.random(new SplittableRandom(1), 40)).isObject());
  }

  @Test
  void membersComeInTheOrderOfTheSchema() {
    Node node =
        Texts.schema(
            "{\"properties\":{\"b\":{\"type\":\"null\"},\"a\":{\"type\":\"null\"}},"
                + "\"required\":[\"a\"],\"additionalProperties\":{\"type\":\"boolean\"}}");
    assertTrue(Texts.accepts(node, "{\"b\":null,\"a\": null, \"c\":true}"));
    assertTrue(Texts.accepts(node, "{\"a\":null}"));
    assertFalse(Texts.accepts(node, "{\"a\":null,\"b\":null}"));
    assertFalse(Texts.accepts(node, "{\"b\":null}"));
    assertFalse(Texts.accepts(node, "{\"c\":true,\"a\":null}"));
    assertFalse(Texts.accepts(node, "{\"a\":null,\"b\":true}"), "a name of its own is no other");
    assertFalse(Texts.accepts(node, "{\"a\" :null}"));
    assertFalse(Texts.accepts(node, "{\"a\":  null}"));
  }

  @Test
  void freeStringsMayEscapeAndOthersSpellShortly() {
    Node free = Texts.schema("{\"type\":\"string\",\"maxLength\":2}");
    assertTrue(Texts.accepts(free, "\"\\u0041\\/\""));
    assertTrue(Texts.accepts(free, "\"\\uD83D\\uDC26\\n\""));
    assertFalse(Texts.accepts(free, "\"\\uD83D\""), "half a character");
    assertFalse(Texts.accepts(free, "\"\\uDC26\""), "half a character");
    assertFalse(Texts.accepts(free, "\"a\nb\""), "a control character as it is");
    Node listed = Texts.schema("{\"enum\":[\"a\\nb\"]}");
    assertTrue(Texts.accepts(listed, "\"a\\nb\""));
    assertFalse(Texts.accepts(listed, "\"\\u0061\\nb\""));
  }

  @Test
  void endsAreAllowedWhereTheTextIsComplete() {
    int end = Texts.end(TOKENS);
    Constraint.Follower follower = Structure.regex("ab*").start(TOKENS, Set.of(end));
    float[] logits = new float[TOKENS.size()];
    follower.restrict(logits);
    assertEquals(Float.NEGATIVE_INFINITY, logits[end]);
    assertThrows(IllegalArgumentException.class, () -> follower.accept(end));
    assertThrows(IllegalArgumentException.class, () -> follower.accept('b'));
    follower.accept('a');
    assertTrue(follower.isComplete() && !follower.isFinished());
    float[] after = new float[TOKENS.size()];
    follower.restrict(after);
    assertEquals(0, after[end]);
    assertEquals(0, after['b']);
    assertEquals(Float.NEGATIVE_INFINITY, after['a']);
    follower.accept(end);
    assertThrows(IllegalStateException.class, () -> follower.restrict(after));
    Constraint.Follower choice = Structure.choice("ab", "abc", "x").start(TOKENS, Set.of());
    choice.accept('x');
    assertTrue(choice.isFinished());
  }

  /** A token that ends texts ends them, even if its own text would fit. */
  @Test
  void anEndIsNoPartOfTheText() {
    Constraint.Follower follower = Structure.regex("[ab]+").start(TOKENS, Set.of((int) 'a'));
    float[] logits = new float[TOKENS.size()];
    follower.restrict(logits);
    assertEquals(Float.NEGATIVE_INFINITY, logits['a']);
    follower.accept('b');
    float[] after = new float[TOKENS.size()];
    follower.restrict(after);
    assertEquals(0, after['a']);
    follower.accept('a');
    assertThrows(IllegalStateException.class, () -> follower.restrict(after));
  }

  @Test
  void followersOfOneStructureDoNotMeet() {
    Structure structure = Structure.schema("{\"enum\":[\"aa\",\"ab\"]}");
    Constraint.Follower one = structure.start(TOKENS, Set.of());
    Constraint.Follower other = structure.start(TOKENS, Set.of());
    for (char c : "\"aa\"".toCharArray()) {
      one.accept(c);
    }
    assertTrue(one.isFinished());
    float[] logits = new float[TOKENS.size()];
    other.restrict(logits);
    assertEquals(0, logits['"']);
  }

  /** What a vocabulary cannot spell is left out, or refused if nothing is left. */
  @Test
  void aVocabularyMayLackBytes() {
    List<byte[]> some = new ArrayList<>();
    for (char c = ' '; c < 0x7F; c++) {
      some.add(new byte[] {(byte) c});
    }
    some.add("é".getBytes(StandardCharsets.UTF_8));
    some.add("x🐦".getBytes(StandardCharsets.UTF_8));
    TokenBytes tokens = Texts.vocabulary(some);
    Walk walk = new Walk(tokens, Structure.schema("{\"enum\":[\"🐦\",\"é\",\"ok\"]}"));
    for (int seed = 0; seed < 20; seed++) {
      String text = walk.random(new SplittableRandom(seed), 10);
      assertTrue(Set.of("\"é\"", "\"ok\"").contains(text), text);
    }
    Structure birds = Structure.regex("🐦+");
    var e = assertThrows(StructureException.class, () -> birds.start(tokens, Set.of()));
    assertEquals(
        "the expression: the model's vocabulary lacks characters that every such text has",
        e.getMessage());
    Walk free = new Walk(tokens, Structure.schema("{\"type\":\"string\",\"minLength\":5}"));
    for (int seed = 0; seed < 20; seed++) {
      assertTrue(Walk.read(free.random(new SplittableRandom(seed), 9)).textValue().length() >= 5);
    }
  }

  /** States come and go; what they know is forgotten in between. */
  @Test
  void manyStatesAreForgottenAndFoundAgain() {
    Node node = Texts.schema("{\"type\":\"string\",\"minLength\":30000}");
    Automaton automaton = new Automaton(node, JsonText.CHARACTER);
    State state = automaton.start();
    for (int i = 0; i < 40_000; i++) {
      state = automaton.current(automaton.after(state, i == 0 ? '"' : 'a'));
    }
    assertTrue(automaton.after(state, '"').complete);
    assertFalse(automaton.after(automaton.start(), 'a').complete);
  }

  enum Kind {
    SWIFT,
    MARTIN
  }

  record Bird(
      String name,
      Kind kind,
      byte eggs,
      Optional<Double> weight,
      List<Bird> young,
      Map<String, int[]> seen) {}

  record Wrong(String name, Object anything) {}

  @Test
  void recordsAreSchemas() throws Exception {
    Structure structure = Structure.of(Bird.class);
    Walk walk = new Walk(TOKENS, structure);
    String text =
        "{\"name\": \"a\", \"kind\": \"SWIFT\", \"eggs\": -128, \"young\": [], \"seen\": {\"x\":"
            + " [1]}}";
    walk.passes(text, new SplittableRandom(2), 5);
    int ended = 0;
    for (int seed = 0; seed < 40; seed++) {
      String random = walk.random(new SplittableRandom(seed), 60);
      if (random != null) {
        ended++;
        JsonNode bird = new ObjectMapper().readTree(random);
        Kind.valueOf(bird.get("kind").textValue());
        assertTrue(Math.abs(bird.get("eggs").intValue()) <= 128);
      }
    }
    assertTrue(ended > 20, ended + " ended");
    var e = assertThrows(StructureException.class, () -> Structure.of(Wrong.class));
    assertTrue(e.getMessage().startsWith("Wrong.anything is of the type java.lang.Object"));
  }

  /** Masks of free strings are put together from what is known; those of a walk are the same. */
  @Test
  void masksAreTheSameWithoutShortcuts() {
    Node free = Texts.schema("{\"type\":\"string\",\"minLength\":2,\"maxLength\":40}");
    Automaton automaton = new Automaton(free, JsonText.CHARACTER);
    Automaton slow = new Automaton(free, null);
    Words words = new Words(TOKENS, false, new long[0]);
    Masks masks = new Masks(automaton, words, Map.of());
    Masks walked = new Masks(slow, words, Map.of());
    State state = automaton.start();
    State same = slow.start();
    byte[] text = ("\"abcé\\n🐦" + "a".repeat(34) + "\"").getBytes(StandardCharsets.UTF_8);
    for (byte b : text) {
      assertArrayEquals(walked.of(same), masks.of(state));
      state = automaton.after(state, b & 0xFF);
      same = slow.after(same, b & 0xFF);
    }
    assertTrue(state.isFinished());
  }
}
