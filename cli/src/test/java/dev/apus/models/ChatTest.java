package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.apus.core.Answer;
import dev.apus.core.Chat;
import dev.apus.core.Model;
import dev.apus.core.chat.ChatTemplate;
import dev.apus.core.chat.Message;
import dev.apus.core.chat.Part;
import dev.apus.core.chat.Tool;
import dev.apus.core.chat.ToolCall;
import dev.apus.core.chat.ToolChoice;
import dev.apus.core.generate.GenerationException;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.StopReason;
import dev.apus.core.template.TemplateException;
import dev.apus.fable.Fable;
import dev.apus.structure.Structure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Conversations with the embedded model, which answers in its own way. */
class ChatTest {

  private static final Model MODEL = Fable.open();
  private static final Sampling GREEDY = Sampling.greedy().withMaxTokens(12);
  private static final int LIMIT = 600;

  /** Marks turns, and forgets all answers but the last. */
  private static final String FORGETFUL =
      "{% for m in messages %}[{{ m.role }}] {{ '…' if m.role == 'assistant' and not loop.last and"
          + " loop.index < messages|length - 1 else m.content|trim }}\n"
          + "{% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}";

  private static final String TURNS =
      "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
          + "{% if add_generation_prompt %}[assistant] {% endif %}";

  @TempDir private Path folder;

  @AfterAll
  static void close() {
    MODEL.close();
  }

  private static ChatTemplate template(String source) {
    return ChatTemplate.of("test", source, MODEL.tokenizer());
  }

  private static Chat chat(String source) {
    return Chat.with(MODEL, template(source), LIMIT, Map.of());
  }

  private static String say(Chat chat, String text) {
    return chat.say(text, GREEDY, token -> {}).text();
  }

  @Test
  void aTurnComputesWhatIsNewAlone() {
    try (Chat chat = chat(TURNS)) {
      Answer first = chat.say("Who is there?", GREEDY, token -> {});
      assertEquals(StopReason.MAX_TOKENS, first.stopReason());
      int before = chat.session().length();
      Answer second = chat.say("Come in!", GREEDY, token -> {});
      assertEquals(before + second.usage().promptTokens() + 12, chat.session().length());
      assertTrue(second.usage().promptTokens() < before, "only the new turn is read");
      assertEquals(
          List.of(
              Message.user("Who is there?"),
              Message.assistant(first.text()),
              Message.user("Come in!"),
              Message.assistant(second.text())),
          chat.messages());
    }
  }

  @Test
  void whatIsTakenBackLeavesNoTrace() {
    try (Chat chat = chat(TURNS);
        Chat plain = chat(TURNS)) {
      String first = say(chat, "Who is there?");
      assertEquals(first, say(plain, "Who is there?"));
      say(chat, "This is a long way round.");
      assertTrue(chat.undo());
      assertEquals(say(plain, "Come in!"), say(chat, "Come in!"));
      assertArrayEquals(plain.session().logits(), chat.session().logits());
      assertTrue(chat.undo());
      assertTrue(chat.undo());
      assertFalse(chat.undo());
      assertEquals(List.of(), chat.messages());
      assertEquals(first, say(chat, "Who is there?"));
    }
  }

  /** The session is as if the text that the template writes had been read at once. */
  @Test
  void aTemplateMayWriteEarlierTurnsAnew() {
    try (Chat chat = chat(FORGETFUL)) {
      for (String text : List.of("One", "Two", "Three", "Four")) {
        say(chat, text);
      }
      ChatTemplate template = template(FORGETFUL);
      List<Message> asked = chat.messages().subList(0, 7);
      int[] prompt = template.encode(asked, true, Map.of());
      int[] read = Arrays.copyOf(chat.session().tokens(), prompt.length);
      assertArrayEquals(prompt, read);
      chat.undo();
      chat.undo();
      assertEquals(4, chat.messages().size());
      try (Chat anew = chat(FORGETFUL)) {
        say(anew, "One");
        say(anew, "Two");
        assertEquals(say(anew, "Five"), say(chat, "Five"));
      }
    }
  }

  @Test
  void aForkGoesItsOwnWay() {
    try (Chat chat = chat(FORGETFUL);
        Chat other = chat(FORGETFUL)) {
      say(chat, "One");
      say(other, "One");
      say(chat, "Two");
      say(other, "Two");
      try (Chat fork = chat.fork()) {
        say(fork, "Left");
        say(fork, "And left again");
        assertEquals(6 + 2, fork.messages().size());
        assertTrue(fork.undo());
        assertEquals(say(other, "Right"), say(chat, "Right"));
      }
    }
  }

  @Test
  void aConversationIsSavedWithItsState() throws IOException {
    Path file = folder.resolve("talk.json");
    try (Chat chat = chat(TURNS)) {
      chat.instruct("Be brief.");
      say(chat, "Who is there?");
      chat.save(file);
      try (Chat loaded = Chat.load(file, MODEL, template(TURNS), Map.of())) {
        assertEquals(chat.messages(), loaded.messages());
        Answer answer = loaded.say("Come in!", GREEDY, token -> {});
        assertEquals(say(chat, "Come in!"), answer.text());
        assertTrue(answer.usage().promptTokens() < 30, "the first turn is not read again");
      }
    }
    Files.writeString(file, "{\"messages\": [{\"role\": 1}]}");
    var e =
        assertThrows(IOException.class, () -> Chat.load(file, MODEL, template(TURNS), Map.of()));
    assertEquals(file + ": is no conversation; needed: a text under \"role\"", e.getMessage());
  }

  @Test
  void aTurnThatFailsChangesNothing() {
    try (Chat chat =
            chat(TURNS + "{% if messages|length > 4 %}{{ raise_exception('x') }}{% endif %}");
        Chat good = chat(TURNS)) {
      say(chat, "One");
      say(good, "One");
      assertThrows(
          GenerationException.class,
          () ->
              chat.say(
                  "Two",
                  GREEDY,
                  token -> {
                    throw new IllegalStateException("no ear");
                  }));
      assertThrows(
          IllegalArgumentException.class, () -> say(chat, "word ".repeat(LIMIT)), "does not fit");
      assertEquals(2, chat.messages().size());
      assertEquals(say(good, "Two"), say(chat, "Two"));
      assertThrows(TemplateException.class, () -> say(chat, "Three"));
      assertEquals(4, chat.messages().size());
      assertArrayEquals(good.session().logits(), chat.session().logits());
    }
  }

  @Test
  void anAnswerThatIsCancelledCountsAsFarAsItWent() {
    try (Chat chat = chat(TURNS)) {
      int[] tokens = {0};
      Answer answer =
          chat.say(
              "One",
              GREEDY,
              token -> {
                if (++tokens[0] == 3) {
                  chat.cancel();
                }
              });
      assertEquals(StopReason.CANCELLED, answer.stopReason());
      assertEquals(Message.assistant(answer.text()), chat.messages().getLast());
      assertEquals(12, chat.say("Two", GREEDY, token -> {}).usage().generatedTokens());
    }
  }

  /** A message may contain the name of any special token; only the template can say the token. */
  @Test
  void nobodyCanPoseAsTheTemplate() {
    OptionalInt end = MODEL.tokenizer().end();
    String name = MODEL.tokenizer().token(end.orElseThrow());
    ChatTemplate template =
        template("{% for m in messages %}{{ m.content|trim }}{{ eos_token }}{% endfor %}");
    String text = "a " + name + " b" + name + name + "\ufdd0c";
    int[] tokens = template.encode(List.of(Message.user(text)), true, Map.of());
    assertEquals(1, Arrays.stream(tokens).filter(id -> id == end.getAsInt()).count());
    assertEquals(end.getAsInt(), tokens[tokens.length - 1]);
    assertEquals(
        text.replace('\ufdd0', '\ufffd'),
        MODEL.tokenizer().decode(Arrays.copyOf(tokens, tokens.length - 1), true));
    assertEquals(text + name, template.render(List.of(Message.user(text)), true, Map.of()));
  }

  private static final String WITH_TOOLS =
      "{% for t in tools or [] %}<tool>{{ t.function.name }} {{ t.function.parameters | tojson }}"
          + "</tool>{% endfor %}{% for m in messages %}[{{ m.role }}]"
          + "{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}"
          + "{{ m.content }}{% for c in m.tool_calls or [] %}<tool_call>{\"name\": \"{{"
          + " c.function.name }}\", \"arguments\": {{ c.function.arguments | tojson }}}</tool_call>"
          + "{% endfor %}{{ m.name or '' }}\n{% endfor %}"
          + "{% if add_generation_prompt %}[assistant]{% endif %}";

  /** The storyteller knows no tools, but can be made to write a call. */
  @Test
  void callsOfToolsGoOutAndResultsComeIn() throws IOException {
    Tool tool = new Tool("weather", "Tells.", "{\"type\":\"object\",\"properties\":{}}");
    String call =
        "<think>Hm\\.</think><tool_call>\\{\"name\": \"weather\", \"arguments\":"
            + " \\{\\}\\}</tool_call>";
    Sampling calling = GREEDY.withMaxTokens(200).withConstraint(Structure.regex(call));
    try (Chat chat = chat(WITH_TOOLS)) {
      chat.offer(List.of(tool));
      List<Part> parts = new ArrayList<>();
      Answer answer = chat.answer(List.of(Message.user("Rain?")), calling, parts::add);
      assertEquals("", answer.text());
      assertEquals("Hm.", answer.reasoning());
      assertEquals(List.of(new ToolCall("call00000", "weather", "{}")), answer.calls());
      assertEquals(answer.parts(), new Answer(parts, answer.stopReason(), answer.usage()).parts());
      int before = chat.session().length();
      Message result = Message.result(answer.calls().getFirst(), "It rains.");
      Answer second = chat.answer(List.of(result), GREEDY, part -> {});
      assertEquals(before + second.usage().promptTokens() + 12, chat.session().length());
      assertTrue(second.usage().promptTokens() < 40, "what was said is not read again");
      assertEquals(
          List.of("user", "assistant", "tool", "assistant"),
          chat.messages().stream().map(Message::role).toList());
      Path file = folder.resolve("tools.json");
      chat.save(file);
      try (Chat loaded = Chat.load(file, MODEL, template(WITH_TOOLS), Map.of())) {
        assertEquals(chat.messages(), loaded.messages());
      }
    }
  }

  private static final Tool WEATHER =
      new Tool(
          "weather",
          "Tells.",
          "{\"properties\":{\"city\":{\"type\":\"string\",\"maxLength\":12},\"days\":"
              + "{\"type\":\"integer\",\"minimum\":1,\"maximum\":9}},\"required\":[\"city\"]}");

  private static void assertWeather(Answer answer) throws IOException {
    assertEquals(1, answer.calls().size());
    JsonNode arguments = new ObjectMapper().readTree(answer.calls().getFirst().arguments());
    assertTrue(arguments.get("city").textValue().length() <= 12);
    assertTrue(!arguments.has("days") || arguments.get("days").intValue() >= 1);
  }

  /** The storyteller, who knows no tools, calls them well where it must. */
  @Test
  void callsAreMadeToBeWellFormed() throws IOException {
    Sampling random = Sampling.plain().withMaxTokens(200);
    Tool time = new Tool("time", "Tells.", "{}");
    try (Chat chat = chat(WITH_TOOLS.replace("think>", "note>"))) {
      chat.offer(List.of(time, WEATHER), ToolChoice.of("weather"), Structure::answer);
      for (int seed = 0; seed < 3; seed++) {
        Answer answer =
            chat.answer(List.of(Message.user("Rain?")), random.withSeed(seed), part -> {});
        assertEquals(StopReason.COMPLETE, answer.stopReason());
        assertEquals("", answer.text());
        assertWeather(answer);
        chat.undo();
      }
      try (Chat fork = chat.fork()) {
        assertWeather(fork.answer(List.of(Message.user("Rain?")), random, part -> {}));
      }
      chat.offer(List.of(WEATHER), ToolChoice.none(), Structure::answer);
      Answer said = chat.answer(List.of(Message.user("Rain?")), GREEDY, part -> {});
      assertEquals(List.of(), said.calls());
      assertEquals(StopReason.MAX_TOKENS, said.stopReason(), "complete anywhere");
      Sampling two = GREEDY.withConstraint(Structure.json());
      var e = assertThrows(IllegalArgumentException.class, () -> chat.say("Hi", two, token -> {}));
      assertTrue(e.getMessage().startsWith("the sampling has a constraint, JSON"), e.getMessage());
      var unknown =
          assertThrows(
              IllegalArgumentException.class,
              () -> chat.offer(List.of(time), ToolChoice.of("weather"), Structure::answer));
      assertEquals("there is no tool weather; there are time", unknown.getMessage());
    }
    try (Chat chat = chat("<tool_call><arg_key>")) {
      Tool spaced = new Tool("f", "", "{\"properties\":{\"a b\":{}}}");
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> chat.offer(List.of(spaced), ToolChoice.auto(), Structure::answer));
      assertTrue(e.getMessage().contains("names without quotes"), e.getMessage());
    }
  }

  /** Thoughts that the template begins are free, and what comes after them has a form. */
  @Test
  void answersHaveAFormAfterTheirThoughts() {
    Structure number = Structure.regex("[0-9]{3}");
    String thinking = TURNS.replace("[assistant] ", "[assistant] <think>");
    try (Chat chat = chat(thinking)) {
      chat.require(number::within);
      Answer answer =
          chat.say("How many?", Sampling.plain().withSeed(1).withMaxTokens(30), token -> {});
      assertEquals(StopReason.INCOMPLETE, answer.stopReason(), "it never stops to think");
      assertFalse(answer.reasoning().isEmpty());
      chat.undo();
      Structure hm = Structure.regex("Hm\\.</think>\\n[0-9]{3}");
      chat.require(null);
      Answer same = chat.say("How many?", Sampling.plain().withConstraint(hm), token -> {});
      assertEquals("Hm.", same.reasoning());
      assertTrue(same.text().matches("[0-9]{3}"), same.text());
    }
    try (Chat chat = chat(TURNS)) {
      chat.require(number::within);
      Answer answer = chat.say("How many?", Sampling.greedy(), token -> {});
      assertEquals(StopReason.COMPLETE, answer.stopReason());
      assertTrue(answer.text().matches("[0-9]{3}"), answer.text());
    }
  }
}
