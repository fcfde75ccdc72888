package dev.apus.core.chat;

import static dev.apus.core.chat.AnswerForm.sequence;
import static dev.apus.core.chat.AnswerForm.text;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How models of a kind write calls. In the texts stand {@code $NAME} for a tool's name, {@code
 * $ARGS} for its arguments, {@code $ID} and {@code $NUMBER} for what tells calls apart, and {@code
 * ~} for white space that may be there.
 *
 * @param mark what begins the calls of an answer; empty if they are told by their beginning
 * @param begin between the mark and the first call
 * @param call what is written for each
 * @param between two calls
 * @param end after the last call
 * @param goesOn whether a text may follow
 * @param spelling how arguments are written; null for JSON
 */
record CallSyntax(
    String mark,
    String begin,
    String call,
    String between,
    String end,
    boolean goesOn,
    AnswerForm.Spelling spelling) {

  private static final String OBJECT = "{\"name\":~\"$NAME\",~\"arguments\":~$ARGS}";
  private static final String SPACE = "\\n? {0,4}";
  private static final Pattern PIECE = Pattern.compile("\"\\$NAME\"|\\$NAME|\\$ARGS|~|\\$[A-Z]+");
  private static final Pattern PLAIN_NAME = Pattern.compile("[\\w.-]+");

  private static final Map<String, String> EXPRESSIONS =
      Map.of("~", SPACE, "$NUMBER", "[0-9]|[1-9][0-9]", "$ID", "[a-zA-Z0-9]{9}");

  private static final AnswerForm GAP = new AnswerForm.Matching(SPACE);

  /** Qwen3-Coder's: {@code <parameter=key>}, the value on lines of its own. */
  private static final AnswerForm.Spelling LINES =
      new AnswerForm.Spelling(
          "<parameter=",
          text(">\n"),
          "\n</parameter>",
          never("</parameter>", "<parameter=", "<parameter ", "</tool_call>"),
          GAP,
          false);

  /** MiniMax-M2's. */
  private static final AnswerForm.Spelling NAMED =
      new AnswerForm.Spelling(
          "<parameter name=\"",
          text("\">"),
          "</parameter>",
          never("<parameter=", "<parameter ", "</minimax:tool_call>"),
          GAP,
          false);

  /** GLM's. */
  private static final AnswerForm.Spelling KEYS =
      new AnswerForm.Spelling(
          "<arg_key>",
          pieces("</arg_key>~<arg_value>", null),
          "</arg_value>",
          Set.of("</tool_call>"),
          GAP,
          false);

  /** LFM2's. */
  private static final AnswerForm.Spelling PYTHON =
      new AnswerForm.Spelling("", text("="), "", Set.of(), pieces(",~", null), true);

  /**
   * How the models of a template write calls.
   *
   * @param known whether the template speaks of a mark, or the vocabulary has it
   * @throws IllegalArgumentException if it is not known
   */
  static CallSyntax of(String template, Predicate<String> known) {
    if (template.contains("<parameter=")) {
      String call = "<function=$NAME>~$ARGS~</function>~</tool_call>";
      return new CallSyntax("<tool_call>", "~", call, "~<tool_call>~", "", true, LINES);
    }
    if (template.contains("<arg_key>")) {
      String call = "$NAME~$ARGS~</tool_call>";
      return new CallSyntax("<tool_call>", "", call, "~<tool_call>", "", true, KEYS);
    }
    if (known.test("<|tool_call_start|>")) {
      return new CallSyntax(
          "<|tool_call_start|>", "[", "$NAME($ARGS)", ",~", "]<|tool_call_end|>", false, PYTHON);
    }
    if (known.test("<minimax:tool_call>")) {
      String call = "<invoke name=\"$NAME\">~$ARGS~</invoke>";
      return new CallSyntax(
          "<minimax:tool_call>", "~", call, "~", "~</minimax:tool_call>", false, NAMED);
    }
    if (known.test("<｜tool▁calls▁begin｜>")) {
      String head = "<｜tool▁call▁begin｜>";
      String call =
          template.contains("```json")
              ? head + "function<｜tool▁sep｜>$NAME\n```json\n$ARGS\n```<｜tool▁call▁end｜>"
              : head + "$NAME<｜tool▁sep｜>$ARGS<｜tool▁call▁end｜>";
      return last("<｜tool▁calls▁begin｜>", "", call, "~", "<｜tool▁calls▁end｜>");
    }
    if (known.test("<|tool_calls_section_begin|>")) {
      return last(
          "<|tool_calls_section_begin|>",
          "",
          "<|tool_call_begin|>functions.$NAME:$NUMBER<|tool_call_argument_begin|>$ARGS<|tool_call_end|>",
          "",
          "<|tool_calls_section_end|>");
    }
    if (known.test("<|START_ACTION|>")) {
      String call =
          "{\"tool_call_id\":~\"$NUMBER\",~\"tool_name\":~\"$NAME\",~\"parameters\":~$ARGS}";
      return last("<|START_ACTION|>", "~[~", call, ",~", "~]<|END_ACTION|>");
    }
    if (known.test("[TOOL_CALLS]")) {
      String mark = "[TOOL_CALLS]";
      return !known.test("[ARGS]")
          ? last(mark, "~[", OBJECT, ",~", "]")
          : template.contains("[CALL_ID]")
              ? last(mark, "", "$NAME[CALL_ID]$ID[ARGS]$ARGS", mark, "")
              : last(mark, "", "$NAME[ARGS]$ARGS", mark, "");
    }
    if (known.test("<|tool_call|>")) {
      return last(
          "<|tool_call|>",
          "~[",
          OBJECT,
          ",~",
          known.test("<|/tool_call|>") ? "]<|/tool_call|>" : "]");
    }
    if (template.contains("<function=") && !known.test("<tool_call>")) {
      return new CallSyntax(
          "<function=", "", "$NAME>~$ARGS</function>", "~<function=", "", true, null);
    }
    if (known.test("<tool_call>")) {
      return new CallSyntax(
          "<tool_call>", "~", OBJECT + "~</tool_call>", "~<tool_call>~", "", true, null);
    }
    if (Marks.isBare(template)) {
      String call = "{\"name\":~\"$NAME\",~\"parameters\":~$ARGS}";
      return last("", "", call, ";~", "");
    }
    throw refused("the template says nothing of calls of tools, or nothing that is known");
  }

  private static CallSyntax last(
      String mark, String begin, String call, String between, String end) {
    return new CallSyntax(mark, begin, call, between, end, false, null);
  }

  private static IllegalArgumentException refused(String why) {
    return new IllegalArgumentException(
        why + "; such calls cannot be made to be well formed, only read");
  }

  /** A call of one of these tools, and all that a call has around it but the mark. */
  AnswerForm one(List<Tool> tools) {
    return sequence(pieces(begin, null), calls(tools), pieces(end, null));
  }

  /** One or more calls of these tools, and all that they have around them but the mark. */
  AnswerForm many(List<Tool> tools) {
    AnswerForm calls = calls(tools);
    return sequence(
        pieces(begin, null),
        calls,
        new AnswerForm.Repeated(sequence(pieces(between, null), calls)),
        pieces(end, null));
  }

  private AnswerForm calls(List<Tool> tools) {
    return new AnswerForm.Choice(tools.stream().map(tool -> pieces(call, tool, spelling)).toList());
  }

  /** A form that a text stands for, where arguments are JSON. */
  static AnswerForm pieces(String written, Tool tool) {
    return pieces(written, tool, null);
  }

  private static AnswerForm pieces(String written, Tool tool, AnswerForm.Spelling spelling) {
    List<AnswerForm> parts = new ArrayList<>();
    Matcher matcher = PIECE.matcher(written);
    int from = 0;
    while (matcher.find()) {
      if (matcher.start() > from) {
        parts.add(text(written.substring(from, matcher.start())));
      }
      from = matcher.end();
      parts.add(piece(matcher.group(), tool, spelling));
    }
    if (from < written.length()) {
      parts.add(text(written.substring(from)));
    }
    return parts.size() == 1 ? parts.getFirst() : new AnswerForm.Sequence(parts);
  }

  private static AnswerForm piece(String name, Tool tool, AnswerForm.Spelling spelling) {
    return switch (name) {
      case "\"$NAME\"" ->
          text('"' + new String(JsonStringEncoder.getInstance().quoteAsString(tool.name())) + '"');
      case "$NAME" -> {
        requirePlain("the tool " + tool.name(), tool.name());
        yield text(tool.name());
      }
      case "$ARGS" -> spelling == null ? tool.arguments() : tool.arguments(spelling);
      default -> new AnswerForm.Matching(EXPRESSIONS.get(name));
    };
  }

  /** Makes sure that a name can be written without quotes. */
  static void requirePlain(String what, String name) {
    if (!PLAIN_NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          what
              + ": the model's calls have names without quotes; needed: a name of letters, digits,"
              + " _, . and -");
    }
  }

  private static Set<String> never(String... tags) {
    return Stream.concat(Stream.of(tags), Stream.of("</function>", "</invoke>"))
        .collect(Collectors.toSet());
  }
}
