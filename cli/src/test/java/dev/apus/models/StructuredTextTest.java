package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.apus.core.Answer;
import dev.apus.core.Batcher;
import dev.apus.core.Chat;
import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Reply;
import dev.apus.core.Session;
import dev.apus.core.chat.ChatTemplate;
import dev.apus.core.generate.Generation;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.StopReason;
import dev.apus.core.generate.Token;
import dev.apus.diffusion.Recipe;
import dev.apus.fable.Fable;
import dev.apus.structure.Structure;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** A storyteller that is made to write forms. */
class StructuredTextTest {

  private static final Model MODEL = Fable.open();

  private static final Structure TALE =
      Structure.schema(
          """
          {"type": "object",
           "properties": {
             "hero": {"type": "string", "maxLength": 12},
             "age": {"type": "integer", "minimum": 5, "maximum": 120},
             "animals": {"type": "array", "items": {"enum": ["fox", "wolf", "swift"]}, "maxItems": 3},
             "happy": {"type": "boolean"}},
           "required": ["hero", "age", "animals", "happy"],
           "additionalProperties": false}\
          """);

  @AfterAll
  static void close() {
    MODEL.close();
  }

  private static Sampling sampling(long seed) {
    return Sampling.plain().withSeed(seed).withMaxTokens(200).withConstraint(TALE);
  }

  private static void assertTale(String text) throws Exception {
    JsonNode tale = new ObjectMapper().readTree(text);
    assertEquals(List.of("hero", "age", "animals", "happy"), names(tale));
    assertTrue(tale.get("hero").textValue().codePoints().count() <= 12, text);
    assertTrue(tale.get("age").intValue() >= 5 && tale.get("age").intValue() <= 120, text);
    assertTrue(tale.get("animals").size() <= 3 && tale.get("happy").isBoolean(), text);
  }

  private static List<String> names(JsonNode object) {
    List<String> names = new ArrayList<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  @Test
  void whatItWritesIsOfTheForm() throws Exception {
    for (long seed = 0; seed < 6; seed++) {
      try (Session session = MODEL.newSession(300)) {
        Generation generation = session.start(session.encode("Once upon a time"), sampling(seed));
        String text = generation.stream().map(Token::text).collect(Collectors.joining());
        assertEquals(StopReason.COMPLETE, generation.stopReason().orElseThrow(), text);
        assertTale(text);
      }
    }
  }

  @Test
  void aTextThatIsCutIsSaidToBe() {
    try (Session session = MODEL.newSession(300)) {
      Generation generation = session.start(session.encode("Once"), sampling(1).withMaxTokens(5));
      generation.forEachRemaining(token -> {});
      assertEquals(StopReason.INCOMPLETE, generation.stopReason().orElseThrow());
    }
    try (Session session = MODEL.newSession(9)) {
      Generation generation = session.start(session.encode("Once"), sampling(1));
      generation.forEachRemaining(token -> {});
      assertEquals(StopReason.INCOMPLETE, generation.stopReason().orElseThrow(), "no room");
    }
    try (Session session = MODEL.newSession(30)) {
      Sampling any = Sampling.greedy().withMaxTokens(5).withConstraint(Structure.regex("[a-z ]*"));
      Generation generation = session.start(session.encode("Once"), any);
      generation.forEachRemaining(token -> {});
      assertEquals(
          StopReason.MAX_TOKENS, generation.stopReason().orElseThrow(), "complete anywhere");
    }
  }

  /** Each text has a state of its own, whatever is computed beside it. */
  @Test
  void textsInABatchAreAsTheyAreAlone() throws Exception {
    List<String> alone = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      try (Session session = MODEL.newSession(300)) {
        Sampling sampling = i == 3 ? sampling(i).withConstraint(null) : sampling(i);
        alone.add(
            session
                .generate("Once upon a time", sampling)
                .map(Token::text)
                .collect(Collectors.joining()));
      }
    }
    try (Batcher batcher = new Batcher(MODEL)) {
      List<Reply> replies = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        Sampling sampling = i == 3 ? sampling(i).withConstraint(null) : sampling(i);
        replies.add(batcher.submit("Once upon a time", sampling, 300));
      }
      for (int i = 0; i < 4; i++) {
        assertEquals(alone.get(i), replies.get(i).join().text());
      }
      assertEquals(StopReason.COMPLETE, replies.getFirst().stopReason().orElseThrow());
    }
  }

  @Test
  void anAnswerInAConversationCanBeAForm() throws Exception {
    ChatTemplate template = ChatTemplate.continuing(MODEL.tokenizer());
    try (Chat chat = Chat.with(MODEL, template, 600, Map.of())) {
      Answer first = chat.say("A tale: ", sampling(4), token -> {});
      Answer second = chat.say(" Another: ", sampling(5), token -> {});
      assertTale(first.text());
      assertTale(second.text());
      assertEquals(StopReason.COMPLETE, second.stopReason());
    }
  }

  @Test
  void canvasesAreRefused() {
    try (Model canvas = Fable.open("fable-diffusion", ModelOptions.standard())) {
      Recipe recipe = Recipe.of(canvas.architecture().diffusion());
      var e = assertThrows(IllegalArgumentException.class, () -> recipe.withSampling(sampling(1)));
      assertTrue(e.getMessage().startsWith("constraint=the schema; needed: none"), e.getMessage());
    }
  }
}
