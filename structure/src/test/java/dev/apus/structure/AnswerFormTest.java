package dev.apus.structure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.apus.core.chat.AnswerReader;
import dev.apus.core.chat.ChatTemplate;
import dev.apus.core.chat.Part;
import dev.apus.core.chat.Tool;
import dev.apus.core.chat.ToolCall;
import dev.apus.core.chat.ToolChoice;
import dev.apus.core.generate.Constraint;
import dev.apus.core.tokenizer.TokenBytes;
import dev.apus.core.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Answers of models that choose at random among the tokens that a form allows. */
class AnswerFormTest {

  private static final List<Tool> TOOLS =
      List.of(
          new Tool(
              "weather",
              "Tells the weather.",
              "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\",\"maxLength\":9},"
                  + "\"days\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":30}},"
                  + "\"required\":[\"city\"]}"),
          new Tool("time", "Tells the time.", "{\"properties\":{}}"));

  private static final String CALLS_END = "<｜tool▁calls▁end｜>";

  static final String END = "<|end_of_turn|>";

  static final String QWEN_CODER = "<tool_call> <function= <parameter=";
  static final String GLM = "<tool_call> <arg_key>";
  static final String LFM2 = "<|tool_call_start|>";
  static final String MINIMAX = "<minimax:tool_call>";

  /**
   * A way to write calls.
   *
   * @param source the marks that a template speaks of
   * @param specials those that are special tokens
   * @param prompt what the answer follows
   */
  record Way(String name, String source, List<String> specials, String prompt) {
    @Override
    public String toString() {
      return name;
    }

    Tokenizer tokenizer() {
      List<String> tokens = new ArrayList<>(Texts.spellings());
      List<String> more = new ArrayList<>(List.of("weather", "city", "\":", "{\"", "\"}"));
      more.addAll(
          List.of(
              "<tool_call>", "</tool_call>", "<think>", "</think>", "<tool", "_call>{", "k>\n"));
      if (source.contains("<｜tool▁calls▁begin｜>")) {
        more.add("<｜tool▁calls▁begin｜>");
        more.add(CALLS_END);
      }
      if (source.contains(MINIMAX)) {
        more.add(MINIMAX);
      }
      more.removeAll(specials);
      more.stream().map(Texts::spell).filter(each -> !tokens.contains(each)).forEach(tokens::add);
      int plain = tokens.size();
      tokens.addAll(specials);
      tokens.add("<|unused|>");
      tokens.add(END);
      return Texts.tokenizer(tokens, plain);
    }
  }

  private static Way way(String name, String source, String... specials) {
    return new Way(name, source, List.of(specials), "");
  }

  static Stream<Way> ways() {
    String[] harmony = {
      "<|channel|>", "<|message|>", "<|start|>", "<|end|>", "<|constrain|>", "<|call|>"
    };
    return Stream.of(
        way("hermes", "<tool_call> <think>"),
        way("hermes, special", "<tool_call>", "<tool_call>", "</tool_call>"),
        new Way("hermes, thinking", "<tool_call> <think>", List.of(), "x<think>\n"),
        way("llama", "<|python_tag|>", "<|python_tag|>"),
        way("mistral", "[TOOL_CALLS]", "[TOOL_CALLS]"),
        way("mistral, arguments", "[TOOL_CALLS][ARGS]", "[TOOL_CALLS]", "[ARGS]"),
        way(
            "mistral, ids",
            "[TOOL_CALLS][CALL_ID][ARGS][THINK]",
            "[TOOL_CALLS]",
            "[ARGS]",
            "[CALL_ID]",
            "[THINK]",
            "[/THINK]"),
        way(
            "deepseek v3",
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜> ```json",
            "<｜tool▁calls▁begin｜>",
            "<｜tool▁call▁begin｜>",
            "<｜tool▁sep｜>",
            "<｜tool▁call▁end｜>",
            CALLS_END),
        way("deepseek v3.1, no special", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>"),
        way(
            "kimi",
            "<|tool_calls_section_begin|><|tool_call_begin|>",
            "<|tool_calls_section_begin|>",
            "<|tool_call_begin|>",
            "<|tool_call_argument_begin|>",
            "<|tool_call_end|>",
            "<|tool_calls_section_end|>"),
        way("granite", "<|tool_call|>", "<|tool_call|>"),
        way("phi", "<|tool_call|>", "<|tool_call|>", "<|/tool_call|>"),
        way(
            "command r",
            "<|START_THINKING|><|START_ACTION|><|START_RESPONSE|>",
            "<|START_THINKING|>",
            "<|END_THINKING|>",
            "<|START_ACTION|>",
            "<|END_ACTION|>",
            "<|START_RESPONSE|>",
            "<|END_RESPONSE|>"),
        way("functionary 3.1", "<function="),
        way("qwen coder", QWEN_CODER),
        way("qwen coder, special", QWEN_CODER, "<tool_call>", "</tool_call>"),
        way("glm", GLM + " <think>"),
        way(
            "glm, special",
            GLM,
            "<tool_call>",
            "</tool_call>",
            "<arg_key>",
            "</arg_key>",
            "<arg_value>",
            "</arg_value>"),
        way("lfm2", LFM2, "<|tool_call_start|>", "<|tool_call_end|>"),
        way("minimax", MINIMAX + " <think>"),
        way("minimax, special", MINIMAX, "<minimax:tool_call>", "</minimax:tool_call>"),
        new Way("functionary 3.2", ">>>all", List.of(), "assistant\n\n>>>"),
        new Way(
            "harmony", "<|channel|><|message|><|start|>", List.of(harmony), "<|start|>assistant"));
  }

  /** What a model that knows no better says. */
  private record Said(List<Part> parts, boolean whole) {

    List<ToolCall> calls() {
      return parts.stream()
          .filter(Part.Call.class::isInstance)
          .map(part -> ((Part.Call) part).call())
          .toList();
    }

    String text() {
      StringBuilder text = new StringBuilder();
      parts.forEach(part -> text.append(part instanceof Part.Text said ? said.text() : ""));
      return text.toString();
    }
  }

  /** An answer at random, with a liking for marks and, after a while, for ends. */
  private static Said said(
      Way way, Tokenizer tokenizer, TokenBytes tokens, Structure structure, long seed) {
    RandomGenerator random = new SplittableRandom(seed);
    int end = tokenizer.id(END).orElseThrow();
    List<Part> parts = new ArrayList<>();
    AnswerReader reader =
        ChatTemplate.of("test", way.source(), tokenizer).reader(way.prompt(), TOOLS, parts::add);
    Constraint.Follower follower = structure.start(tokens, Set.of(end));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    boolean whole = false;
    for (int step = 0; step < 3000 && !whole; step++) {
      float[] logits = new float[tokens.size()];
      follower.restrict(logits);
      List<Integer> allowed = new ArrayList<>();
      List<Integer> marks = new ArrayList<>();
      for (int token = 0; token < logits.length; token++) {
        if (logits[token] == 0) {
          allowed.add(token);
          String name = tokenizer.token(token);
          boolean mark = name.startsWith("<") && name.length() > 2 || name.startsWith("[T");
          if (token != end && mark) {
            marks.add(token);
          }
        }
      }
      assertFalse(allowed.contains(tokenizer.id("<|unused|>").orElseThrow()), "means nothing here");
      assertEquals(follower.isComplete(), allowed.contains(end));
      int token = allowed.get(random.nextInt(allowed.size()));
      if (step > 60) {
        token = step % 7 == 0 ? token : closing(allowed, end, tokenizer, step % 2 == 0);
      } else if (!marks.isEmpty() && random.nextInt(4) == 0) {
        token = marks.get(random.nextInt(marks.size()));
      }
      if (token == end) {
        whole = true;
        break;
      }
      follower.accept(token);
      if (tokenizer.isSpecial(token)) {
        reader.text(bytes.toString(StandardCharsets.UTF_8));
        bytes.reset();
        reader.special(tokenizer.token(token));
      } else {
        bytes.writeBytes(tokens.of(token, false));
      }
      whole = follower.isFinished();
    }
    reader.text(bytes.toString(StandardCharsets.UTF_8));
    reader.end();
    return new Said(parts, whole);
  }

  /** The token that is likeliest to bring an answer to its end. */
  private static int closing(List<Integer> allowed, int end, Tokenizer tokenizer, boolean mark) {
    List<String> order =
        List.of("</think>", Texts.spell(CALLS_END), "\"", "}", "]", "/", "<", "1", "0");
    int best = allowed.getFirst();
    int rank = Integer.MAX_VALUE;
    for (int token : allowed) {
      String name = tokenizer.token(token);
      int place = order.indexOf(name);
      int own =
          token == end
              ? -3
              : mark && tokenizer.isSpecial(token)
                  ? -2
                  : mark && place >= 0 && place < 2 ? -1 : place > 1 ? place : 20 + name.length();
      if (own <= rank) {
        best = token;
        rank = own;
      }
    }
    return best;
  }

  private static String cut(Said said) {
    String all = said.parts().toString();
    return all.substring(0, Math.min(300, all.length()));
  }

  private static void assertValid(ToolCall call) {
    JsonNode arguments = Walk.read(call.arguments());
    assertTrue(arguments.isObject());
    if (call.name().equals("weather")) {
      String city = arguments.get("city").textValue();
      assertTrue(city.codePointCount(0, city.length()) <= 9);
      assertTrue(!arguments.has("days") || arguments.get("days").intValue() >= 1);
      assertTrue(arguments.size() == (arguments.has("days") ? 2 : 1), call.arguments());
    } else {
      assertEquals("time", call.name());
      assertEquals("{}", call.arguments());
    }
  }

  private static Structure structure(Way way, ToolChoice choice) {
    ChatTemplate template = ChatTemplate.of("test", way.source(), way.tokenizer());
    return Structure.answer(template.callingForm(way.prompt(), TOOLS, choice));
  }

  @ParameterizedTest
  @MethodSource("ways")
  void callsAreWellFormed(Way way) {
    Structure any = structure(way, ToolChoice.auto());
    Structure must = structure(way, ToolChoice.required());
    Structure certain = structure(way, ToolChoice.of("weather"));
    Structure none = structure(way, ToolChoice.none());
    Tokenizer tokenizer = way.tokenizer();
    TokenBytes tokens = TokenBytes.of(tokenizer);
    int calls = 0;
    int silent = 0;
    for (int seed = 0; seed < 20; seed++) {
      Said free = said(way, tokenizer, tokens, any, seed);
      assertTrue(free.whole(), () -> cut(free));
      free.calls().forEach(AnswerFormTest::assertValid);
      calls += free.calls().size();
      silent += free.calls().isEmpty() ? 1 : 0;
      Said required = said(way, tokenizer, tokens, must, seed);
      assertTrue(required.whole() && !required.calls().isEmpty(), () -> cut(required));
      assertEquals("", required.text().strip());
      required.calls().forEach(AnswerFormTest::assertValid);
      Said named = said(way, tokenizer, tokens, certain, seed);
      assertTrue(named.whole(), () -> cut(named));
      assertEquals(
          List.of("weather"),
          named.calls().stream().map(ToolCall::name).toList(),
          () -> cut(named));
      assertValid(named.calls().getFirst());
      assertEquals(List.of(), said(way, tokenizer, tokens, none, seed).calls());
    }
    assertTrue(calls > 0, "some call");
    assertTrue(silent > 0, "some do not");
  }

  /** Thoughts are free, and then there is the form. */
  @ParameterizedTest
  @MethodSource("ways")
  void formsComeAfterThoughts(Way way) {
    ChatTemplate template = ChatTemplate.of("test", way.source(), way.tokenizer());
    Structure number = Structure.schema("{\"type\":\"integer\",\"minimum\":10}");
    Structure answer = number.within(template.wantedForm(way.prompt()));
    Tokenizer tokenizer = way.tokenizer();
    TokenBytes tokens = TokenBytes.of(tokenizer);
    boolean thinks = false;
    for (int seed = 0; seed < 20; seed++) {
      Said said = said(way, tokenizer, tokens, answer, seed);
      assertTrue(said.whole(), () -> cut(said));
      BigInteger value = Walk.read(said.text().strip()).bigIntegerValue();
      assertTrue(value.compareTo(BigInteger.TEN) >= 0, said::text);
      thinks |= said.parts().stream().anyMatch(Part.Reasoning.class::isInstance);
    }
    boolean can = way.source().toLowerCase(Locale.ROOT).contains("think");
    assertTrue(thinks || !can);
  }

  @Test
  void whatIsNotKnownIsRefused() {
    Tokenizer withoutMarks = Texts.tokenizer(Texts.spellings(), Texts.spellings().size());
    var unknown = ChatTemplate.of("test", "{{ messages }}", withoutMarks);
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> unknown.callingForm("", TOOLS, ToolChoice.auto()));
    assertTrue(e.getMessage().startsWith("the template says nothing of calls"), e.getMessage());
    var glm = ChatTemplate.of("test", GLM, withoutMarks);
    List<Tool> spaced = List.of(new Tool("f", "", "{\"properties\":{\"a b\":{}}}"));
    e =
        assertThrows(
            IllegalArgumentException.class, () -> glm.callingForm("", spaced, ToolChoice.auto()));
    assertTrue(e.getMessage().startsWith("the tool f: its parameter a b: "), e.getMessage());
    List<Tool> number = List.of(new Tool("f", "", "{\"type\":\"number\"}"));
    var form = glm.callingForm("", number, ToolChoice.auto());
    var wrong = assertThrows(StructureException.class, () -> Structure.answer(form));
    assertTrue(wrong.getMessage().contains("needed: a schema of objects"), wrong.getMessage());
  }

  @Test
  void whatCannotBeHonouredIsRefusedByTheTool() {
    Way way = way("hermes", "<tool_call>");
    ChatTemplate template = ChatTemplate.of("test", way.source(), way.tokenizer());
    List<Tool> tools = List.of(new Tool("f", "", "{\"properties\":{\"a\":{\"not\":{}}}}"));
    var form = template.callingForm("", tools, ToolChoice.auto());
    var e = assertThrows(StructureException.class, () -> Structure.answer(form));
    assertTrue(e.getMessage().startsWith("the tool f: the schema, at /properties/a/not"));
    var unknown =
        assertThrows(
            IllegalArgumentException.class,
            () -> template.callingForm("", TOOLS, ToolChoice.of("g")));
    assertEquals("there is no tool g; there are weather, time", unknown.getMessage());
  }

  @Test
  void aFormComesAfterAnyMark() {
    Way way = way("mark", "", "<|mark|>");
    TokenBytes tokens = TokenBytes.of(way.tokenizer());
    for (String mark : List.of("</think>", "<|mark|>", "x<|mark|>")) {
      Structure structure = Structure.choice("yes", "no").after(mark);
      Constraint.Follower follower = structure.start(tokens, Set.of(tokens.size() - 1));
      for (String each : List.of("y", "e", "s", "<", "/", "x", mark, "y", "e", "s")) {
        assertFalse(follower.isComplete(), each);
        for (int token : way.tokenizer().encode(each, false, true)) {
          follower.accept(token);
        }
      }
      assertTrue(follower.isFinished());
    }
  }
}
