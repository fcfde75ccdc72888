package dev.apus.core.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Answer;
import dev.apus.core.generate.StopReason;
import dev.apus.core.generate.Usage;
import dev.apus.core.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What models write, and what it says; whatever pieces it comes in. */
class AnswerReaderTest {

  private static final Tokenizer TOKENIZER =
      Tokenizer.parse("fable", bytes("tokenizer.json"), bytes("tokenizer_config.json"));

  private static final List<Tool> TOOLS =
      List.of(
          new Tool(
              "weather",
              "Tells the weather.",
              "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"},\"days\":{\"type\":"
                  + "\"integer\"}}}"));

  private static final String CALL = "weather {\"city\":\"Ulm\",\"days\":2}";

  private static byte[] bytes(String file) {
    try (InputStream in = AnswerReaderTest.class.getResourceAsStream("/fable/" + file)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * An answer of a format.
   *
   * @param marks that the template speaks of
   * @param prompt the end of what the answer follows
   */
  record Case(
      String name,
      String marks,
      String prompt,
      String raw,
      String text,
      String reasoning,
      List<String> calls) {

    @Override
    public String toString() {
      return name;
    }
  }

  private static Case said(String name, String marks, String raw, String text, String... calls) {
    return new Case(name, marks, "", raw, text, "", List.of(calls));
  }

  static Stream<Case> cases() {
    String json = "{\"name\": \"weather\", \"arguments\": {\"city\": \"Ulm\", \"days\": 2}}";
    String llama = "{\"name\": \"weather\", \"parameters\": {\"city\": \"Ulm\", \"days\": 2}}";
    String arguments = "{\"city\": \"Ulm\", \"days\": 2}";
    String harmony = "<|channel|> <|message|> <|start|>";
    return Stream.of(
        said("plain", "", "a <b> {c}", "a <b> {c}"),
        said(
            "hermes",
            "<tool_call>",
            "Let me see.\n<tool_call>\n" + json + "\n</tool_call>",
            "Let me see.",
            CALL),
        said(
            "hermes twice",
            "<tool_call>",
            "<tool_call>" + json + "</tool_call>\n<tool_call>" + json + "</tool_call>",
            "",
            CALL,
            CALL),
        said("hermes, cut", "<tool_call>", "<tool_call>\n" + json, "", CALL),
        said(
            "hermes, broken",
            "<tool_call>",
            "<tool_call>{\"name\": </tool_call>",
            "<tool_call>{\"name\": </tool_call>"),
        said("almost a mark", "<tool_call>", "a <tool_cat> b <", "a <tool_cat> b <"),
        said(
            "qwen coder",
            "<tool_call> <function=",
            "<tool_call>\n"
                + "<function=weather>\n"
                + "<parameter=city>\n"
                + "Ulm\n"
                + "</parameter>\n"
                + "<parameter=days>\n"
                + "2\n"
                + "</parameter>\n"
                + "</function>\n"
                + "</tool_call>",
            "",
            CALL),
        said(
            "qwen coder, sloppy",
            "<tool_call> <function=",
            "<tool_call><function=weather><parameter=city>Ulm<parameter=days>{'a':"
                + " 1}</tool_call>Well",
            "Well",
            "weather {\"city\":\"Ulm\",\"days\":\"{'a': 1}\"}"),
        said(
            "glm",
            "<tool_call> <arg_key>",
            "<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>Ulm</arg_value>\n<arg_key>days"
                + "</arg_key>\n<arg_value>2</arg_value>\n</tool_call>",
            "",
            CALL),
        said("llama, bare", "<|python_tag|> <|eot_id|>", llama, "", CALL),
        said("llama, two", "<|python_tag|>", llama + "; " + llama, "", CALL, CALL),
        said("llama, tag", "<|python_tag|>", "<|python_tag|>" + llama + "<|eom_id|>", "", CALL),
        said("llama, no call", "<|python_tag|>", "{\"a\": 1}", "{\"a\": 1}"),
        said(
            "mistral, list",
            "[TOOL_CALLS]",
            "[TOOL_CALLS][" + json + ", " + json + "]",
            "",
            CALL,
            CALL),
        said(
            "mistral, arguments",
            "[TOOL_CALLS]",
            "Yes[TOOL_CALLS]weather[ARGS]" + arguments + "[TOOL_CALLS]weather[ARGS]" + arguments,
            "Yes",
            CALL,
            CALL),
        said(
            "deepseek v3",
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>",
            "I look.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>weather\n```json\n"
                + arguments
                + "\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
            "I look.",
            CALL),
        said(
            "deepseek v3.1",
            "<｜tool▁call▁begin｜>",
            "<｜tool▁call▁begin｜>weather<｜tool▁sep｜>" + arguments + "<｜tool▁call▁end｜>",
            "",
            CALL),
        said(
            "kimi",
            "<|tool_calls_section_begin|><|tool_call_begin|>",
            "<|tool_calls_section_begin|><|tool_call_begin|>functions.weather:0<|tool_call_argument_begin|>"
                + arguments
                + "<|tool_call_end|><|tool_calls_section_end|>",
            "",
            CALL),
        new Case(
            "harmony",
            harmony,
            "<|start|>assistant",
            "<|channel|>analysis<|message|>Ulm?<|end|><|start|>assistant<|channel|>commentary"
                + " to=functions.weather <|constrain|>json<|message|>"
                + arguments
                + "<|call|>",
            "",
            "Ulm?",
            List.of(CALL)),
        new Case(
            "harmony, final",
            harmony,
            "<|start|>assistant",
            "<|channel|>analysis<|message|>So.<|end|><|start|>assistant<|channel|>final<|message|>It"
                + " rains <a>.<|return|>",
            "It rains <a>.",
            "So.",
            List.of()),
        new Case(
            "harmony, recipient first",
            harmony,
            "<|start|>assistant",
            " to=functions.weather<|channel|>commentary json<|message|>" + arguments,
            "",
            "",
            List.of(CALL)),
        new Case(
            "harmony, recipient of a later message",
            harmony,
            "<|start|>assistant",
            "<|channel|>commentary<|message|>I look.<|end|><|start|>assistant"
                + " to=functions.weather<|channel|>commentary json<|message|>"
                + arguments,
            "I look.",
            "",
            List.of(CALL)),
        said("granite", "<|tool_call|>", "<|tool_call|>[" + json + "]", "", CALL),
        said("phi", "<|tool_call|>", "<|tool_call|>[" + json + "]<|/tool_call|>", "", CALL),
        said(
            "lfm2",
            "<|tool_call_start|>",
            "<|tool_call_start|>[weather(city=\"Ulm\", days=2)]<|tool_call_end|>Wait.",
            "Wait.",
            CALL),
        said(
            "python's values",
            "<|tool_call_start|>",
            "<|tool_call_start|>[f(a='it\\'s', b=[1.5, None], c={\"k\": True}, d=-3),"
                + " g()]<|tool_call_end|>",
            "",
            "f {\"a\":\"it's\",\"b\":[1.5,null],\"c\":{\"k\":true},\"d\":-3}",
            "g {}"),
        new Case(
            "command r",
            "<|START_THINKING|> <|START_ACTION|> <|START_RESPONSE|>",
            "",
            "<|START_THINKING|>I look.<|END_THINKING|><|START_ACTION|>[{\"tool_call_id\": \"0\","
                + " \"tool_name\": \"weather\", \"parameters\": "
                + arguments
                + "}]<|END_ACTION|>",
            "",
            "I look.",
            List.of(CALL)),
        said(
            "command r, response",
            "<|START_RESPONSE|>",
            "<|START_RESPONSE|>It rains.<|END_RESPONSE|>",
            "It rains."),
        said(
            "functionary",
            "<function=",
            "<function=weather>" + arguments + "</function>",
            "",
            CALL),
        new Case(
            "functionary 3.2",
            ">>>all",
            "assistant\n\n>>>",
            "all\nI look.>>>weather\n" + arguments + ">>>weather\n" + arguments,
            "I look.",
            "",
            List.of(CALL, CALL)),
        new Case(
            "functionary 3.2, a call at once",
            ">>>all",
            "assistant\n\n>>>",
            "weather\n" + arguments,
            "",
            "",
            List.of(CALL)),
        new Case(
            "functionary 3.2, code",
            ">>>all",
            "assistant\n\n>>>",
            "all\nSee:>>>python\nx = 1",
            "See:>>>python\nx = 1",
            "",
            List.of()),
        new Case(
            "minimax",
            "<minimax:tool_call> <think>",
            "<think>\n",
            "Hm.</think>\n\n<minimax:tool_call>\n<invoke name=\"weather\">\n<parameter"
                + " name=\"city\">Ulm</parameter>\n<parameter"
                + " name=\"days\">2</parameter>\n</invoke>\n<invoke name=\"f\">\n</invoke>\n"
                + "</minimax:tool_call>",
            "",
            "Hm.",
            List.of(CALL, "f {}")),
        said(
            "a mark in an argument",
            "<tool_call>",
            "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\":"
                + " \"</tool_call>\"}}</tool_call>.",
            ".",
            "f {\"a\":\"</tool_call>\"}"),
        said(
            "broken, and then a good one",
            "<tool_call>",
            "<tool_call>{\"name\": </tool_call><tool_call>" + json + "</tool_call>",
            "<tool_call>{\"name\": </tool_call>",
            CALL),
        new Case(
            "thoughts",
            "<think>",
            "",
            "<think>\nHm, 1 < 2.\n</think>\n\nYes.",
            "Yes.",
            "Hm, 1 < 2.",
            List.of()),
        new Case(
            "thoughts, opened by the template",
            "<think>",
            "<|assistant|>\n<think>\n",
            "Hm.\n</think>\n\nYes.",
            "Yes.",
            "Hm.",
            List.of()),
        new Case("thoughts, cut", "<think>", "<think>", "Hm. </thi", "", "Hm. </thi", List.of()),
        new Case("magistral", "[THINK]", "", "[THINK]Hm.[/THINK]Yes.", "Yes.", "Hm.", List.of()),
        new Case(
            "thoughts and a call",
            "<think> <tool_call>",
            "<think>\n",
            "Hm.</think>\n<tool_call>" + json + "</tool_call>",
            "",
            "Hm.",
            List.of(CALL)));
  }

  /** An answer that comes in pieces, checked at every piece. */
  private static void assertRead(Case each, List<String> pieces) {
    Marks marks = Marks.of(each.marks(), TOKENIZER);
    List<Part> parts = new ArrayList<>();
    AnswerReader reader = new AnswerReader(marks, each.prompt(), TOOLS, parts::add);
    for (String piece : pieces) {
      reader.text(piece);
      Answer so = answer(parts);
      assertTrue(
          each.text().startsWith(so.text().stripTrailing()) || !so.calls().isEmpty(), so::text);
      assertTrue(each.reasoning().startsWith(so.reasoning()), so::reasoning);
    }
    reader.end();
    Answer answer = answer(parts);
    assertEquals(each.text(), answer.text(), () -> each + ": " + pieces);
    assertEquals(each.reasoning(), answer.reasoning(), () -> each + ": " + pieces);
    assertEquals(
        each.calls(),
        answer.calls().stream().map(call -> call.name() + " " + call.arguments()).toList(),
        () -> each + ": " + pieces);
    long ids = answer.calls().stream().map(ToolCall::id).distinct().count();
    assertEquals(each.calls().size(), ids, "each call has an id of its own");
  }

  private static Answer answer(List<Part> parts) {
    Usage none = new Usage(0, 0, Duration.ZERO, 0, Duration.ZERO);
    return new Answer(parts, StopReason.END_OF_TEXT, none);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void isReadWhereverItIsCut(Case each) {
    String raw = each.raw();
    assertRead(each, List.of(raw));
    for (int cut = 1; cut < raw.length(); cut++) {
      assertRead(each, List.of(raw.substring(0, cut), raw.substring(cut)));
    }
    assertRead(each, raw.chars().mapToObj(c -> String.valueOf((char) c)).toList());
  }

  /** A template that speaks of no marks leaves all texts alone. */
  @ParameterizedTest
  @MethodSource("cases")
  void isATextForModelsThatKnowNoMarks(Case each) {
    List<Part> parts = new ArrayList<>();
    AnswerReader reader = new AnswerReader(Marks.of("", TOKENIZER), "", TOOLS, parts::add);
    each.raw().chars().forEach(c -> reader.text(String.valueOf((char) c)));
    reader.end();
    assertEquals(each.raw(), answer(parts).text());
  }
}
