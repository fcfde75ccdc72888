package dev.apus.structure;

import static dev.apus.structure.AnswerFormTest.END;
import static dev.apus.structure.AnswerFormTest.GLM;
import static dev.apus.structure.AnswerFormTest.LFM2;
import static dev.apus.structure.AnswerFormTest.MINIMAX;
import static dev.apus.structure.AnswerFormTest.QWEN_CODER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.apus.core.chat.AnswerReader;
import dev.apus.core.chat.ChatTemplate;
import dev.apus.core.chat.Part;
import dev.apus.core.chat.Tool;
import dev.apus.core.chat.ToolChoice;
import dev.apus.core.generate.Constraint;
import dev.apus.core.tokenizer.TokenBytes;
import dev.apus.core.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Arguments of calls that are not JSON as a whole, written as templates write them. */
class ArgumentsTest {

  private static final Tool EDIT =
      new Tool(
          "edit",
          "Changes a file.",
          "{\"type\":\"object\",\"properties\":{"
              + "\"path\":{\"type\":\"string\",\"pattern\":\"^[a-z]+[.][a-z]+$\"},"
              + "\"text\":{\"type\":\"string\"},"
              + "\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
              + "\"kind\":{\"type\":\"string\",\"enum\":[\"new\",\"1\"]},"
              + "\"dry\":{\"type\":[\"boolean\",\"null\"]}},\"required\":[\"path\"]}");

  private static Tokenizer tokenizer() {
    List<String> tokens = new ArrayList<>(Texts.spellings());
    tokens.add(END);
    return Texts.tokenizer(tokens, tokens.size() - 1);
  }

  /** Answers as templates of each kind write them, with marks in strings of JSON. */
  static Stream<List<String>> written() {
    String text = "\n  if (a < b) \"x\";\n\n";
    return Stream.of(
        List.of(
            QWEN_CODER,
            "<tool_call>\n"
                + "<function=edit>\n"
                + "<parameter=path>\n"
                + "a.txt\n"
                + "</parameter>\n"
                + "<parameter=text>\n"
                + text
                + "\n</parameter>\n<parameter=tags>\n[\"</parameter>\", \"</tool_call>\"]\n"
                + "</parameter>\n<parameter=kind>\n1\n</parameter>\n<parameter=dry>\nnull\n"
                + "</parameter>\n</function>\n</tool_call>",
            text,
            "[\"</parameter>\",\"</tool_call>\"]"),
        List.of(
            GLM,
            "<tool_call>edit\n<arg_key>path</arg_key>\n<arg_value>a.txt</arg_value>\n<arg_key>text"
                + "</arg_key>\n<arg_value>"
                + text
                + "</arg_value>\n<arg_key>tags</arg_key>\n<arg_value>[\"</arg_value>\","
                + " \"</tool_call>\"]</arg_value>\n<arg_key>kind</arg_key><arg_value>1</arg_value>"
                + "<arg_key>dry</arg_key><arg_value>null</arg_value></tool_call>",
            text,
            "[\"</arg_value>\",\"</tool_call>\"]"),
        List.of(
            LFM2,
            "<|tool_call_start|>[edit(path=\"a.txt\", text=\"\\/\\b\\u0041\","
                + " tags=[\"]<|tool_call_end|>\"], kind=\"1\", dry=None)]<|tool_call_end|>",
            "/\bA",
            "[\"]<|tool_call_end|>\"]"),
        List.of(
            MINIMAX,
            "<minimax:tool_call>\n"
                + "<invoke name=\"edit\">\n"
                + "<parameter name=\"path\">a.txt</parameter>\n"
                + "<parameter name=\"text\">a < b</parameter>\n"
                + "<parameter name=\"tags\">[\"</invoke>\", \"</minimax:tool_call>\"]</parameter>\n"
                + "<parameter name=\"kind\">1</parameter>\n"
                + "<parameter name=\"dry\">null</parameter>\n"
                + "</invoke>\n"
                + "</minimax:tool_call>",
            "a < b",
            "[\"</invoke>\",\"</minimax:tool_call>\"]"));
  }

  @ParameterizedTest
  @MethodSource("written")
  void argumentsAreWrittenAsTemplatesDo(List<String> written) {
    Tokenizer tokenizer = tokenizer();
    ChatTemplate template = ChatTemplate.of("test", written.getFirst(), tokenizer);
    Structure structure =
        Structure.answer(template.callingForm("", List.of(EDIT), ToolChoice.required()));
    String answer = written.get(1);
    assertTrue(isAllowed(structure, tokenizer, answer));
    List<Part> parts = new ArrayList<>();
    AnswerReader reader = template.reader("", List.of(EDIT), parts::add);
    // A call must not be taken for whole before it is, however its text comes.
    answer.codePoints().forEach(c -> reader.text(Character.toString(c)));
    reader.end();
    assertEquals(1, parts.size(), parts.toString());
    JsonNode arguments = Walk.read(((Part.Call) parts.getFirst()).call().arguments());
    assertEquals(5, arguments.size());
    assertEquals("a.txt", arguments.get("path").textValue());
    assertEquals(written.get(2), arguments.get("text").textValue());
    assertEquals(written.get(3), arguments.get("tags").toString());
    assertEquals("1", arguments.get("kind").textValue());
    assertTrue(arguments.get("dry").isNull());

    assertFalse(isAllowed(structure, tokenizer, answer.replace("a.txt", "a-txt")), "the pattern");
    assertFalse(isAllowed(structure, tokenizer, answer.replace("1", "2")), "the list");
    assertFalse(isAllowed(structure, tokenizer, answer.replace("kind", "sort")), "the names");
    assertFalse(isAllowed(structure, tokenizer, answer.replace("path", "text")), "what must be");
    assertFalse(
        isAllowed(structure, tokenizer, answer.replaceAll("null|None", "maybe")), "the type");
    if (!written.getFirst().equals(LFM2)) {
      String mark = written.getFirst().equals(GLM) ? "</tool_call>" : "<parameter=";
      assertFalse(isAllowed(structure, tokenizer, answer.replace("a < b", mark)), "a mark");
    }
  }

  /** The beginning of a mark that does not go on is text, and counts. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      value = {
        "3~5~abc~true",
        "3~5~ab~false",
        "3~5~abcde~true",
        "3~5~abcdef~false",
        "3~5~\u00e4\u20ac\ud83d\ude80~true",
        "3~5~\u00e4\u20ac~false",
        "3~5~a\\n</p~true",
        "3~5~ab\\n</p~false",
        "3~5~\\n\\n\\n~true",
        "12~900~abc</paramete~true",
        "12~900~abc</parame~false",
        "12~900~abc</parameter>~false"
      })
  void textsWithoutQuotesAreCounted(int least, int most, String text, boolean allowed) {
    String said = text.translateEscapes();
    Tokenizer tokenizer = tokenizer();
    for (String bound : List.of("\"maxLength\":" + most + ",", "")) {
      String schema = "{\"type\":\"string\"," + bound + "\"minLength\":" + least + "}";
      Tool tool = new Tool("f", "", "{\"properties\":{\"a\":" + schema + "},\"required\":[\"a\"]}");
      var form =
          ChatTemplate.of("test", QWEN_CODER, tokenizer)
              .callingForm("", List.of(tool), ToolChoice.required());
      String before = "<tool_call><function=f><parameter=a>\n";
      String after = "\n</parameter></function></tool_call>";
      int length = said.codePointCount(0, said.length());
      assertEquals(
          allowed || (bound.isEmpty() && length > most),
          isAllowed(Structure.answer(form), tokenizer, before + said + after));
    }
  }

  private static boolean isAllowed(Structure structure, Tokenizer tokenizer, String answer) {
    TokenBytes tokens = TokenBytes.of(tokenizer);
    int end = tokenizer.id(END).orElseThrow();
    Constraint.Follower follower = structure.start(tokens, Set.of(end));
    for (int token : tokenizer.encode(answer, false, false)) {
      float[] logits = new float[tokens.size()];
      follower.restrict(logits);
      if (logits[token] != 0) {
        return false;
      }
      follower.accept(token);
    }
    return follower.isComplete();
  }
}
