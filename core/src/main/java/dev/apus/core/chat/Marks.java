package dev.apus.core.chat;

import dev.apus.core.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The marks with which a model tells thoughts and calls of tools from what it says.
 *
 * @param sections what they begin and end
 * @param ignored marks around sections, which mean nothing by themselves
 * @param bare whether an answer that is an object of JSON is a call
 */
record Marks(List<Section> sections, List<String> ignored, boolean bare) {

  /** What a section holds. */
  enum Kind {
    TEXT,
    REASONING,
    CALL,
    /** What says of which kind the next section is. */
    HEADER
  }

  /** A section, which ends with the answer if none of its ends comes. */
  record Section(String begin, Kind kind, List<String> ends) {}

  /** The ends of all of harmony's sections. */
  static final List<String> HARMONY_ENDS = List.of("<|end|>", "<|return|>", "<|call|>");

  /** Before calls of Llama 3, which need no mark. */
  static final String PYTHON = "<|python_tag|>";

  /** Before the name of whom Functionary's next words are for, and a line's end. */
  static final String RECIPIENT = ">>>";

  private static final List<String> LLAMA_ENDS = List.of("<|eom_id|>", "<|eot_id|>");

  private static final List<Section> SECTIONS =
      List.of(
          new Section("<think>", Kind.REASONING, List.of("</think>")),
          new Section("[THINK]", Kind.REASONING, List.of("[/THINK]")),
          new Section("◁think▷", Kind.REASONING, List.of("◁/think▷")),
          new Section("<seed:think>", Kind.REASONING, List.of("</seed:think>")),
          new Section("<|START_THINKING|>", Kind.REASONING, List.of("<|END_THINKING|>")),
          new Section("<tool_call>", Kind.CALL, List.of("</tool_call>")),
          new Section("<minimax:tool_call>", Kind.CALL, List.of("</minimax:tool_call>")),
          new Section("<|tool_call|>", Kind.CALL, List.of("<|/tool_call|>")),
          new Section("<|tool_call_start|>", Kind.CALL, List.of("<|tool_call_end|>")),
          new Section("<|tool_call_begin|>", Kind.CALL, List.of("<|tool_call_end|>")),
          new Section("<｜tool▁call▁begin｜>", Kind.CALL, List.of("<｜tool▁call▁end｜>")),
          new Section("<|START_ACTION|>", Kind.CALL, List.of("<|END_ACTION|>")),
          new Section(PYTHON, Kind.CALL, LLAMA_ENDS),
          new Section("[TOOL_CALLS]", Kind.CALL, List.of()),
          new Section("<function=", Kind.CALL, List.of("</function>")),
          new Section("<|channel|>", Kind.HEADER, List.of("<|message|>")),
          new Section("<|start|>", Kind.HEADER, List.of("<|message|>")),
          new Section(RECIPIENT, Kind.HEADER, List.of("\n")));

  /** Around what is said: first and last. */
  static final List<List<String>> AROUND_TEXT =
      List.of(
          List.of("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
          List.of("<|START_TEXT|>", "<|END_TEXT|>"));

  /** Around all calls: first and last. */
  private static final List<List<String>> AROUND_CALLS =
      List.of(
          List.of("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"),
          List.of("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"));

  /** Parts of bodies that may be special tokens. */
  private static final List<String> INNER =
      List.of(
          "<｜tool▁sep｜>",
          "<|tool_call_argument_begin|>",
          "[ARGS]",
          "[CALL_ID]",
          "<|constrain|>",
          "<|channel|>",
          "<arg_key>",
          "</arg_key>",
          "<arg_value>",
          "</arg_value>");

  /** The marks that a template speaks of, or for which a vocabulary has tokens. */
  static Marks of(String template, Tokenizer tokenizer) {
    Predicate<String> known = mark -> template.contains(mark) || tokenizer.id(mark).isPresent();
    boolean harmony = known.test("<|channel|>") && known.test("<|message|>");
    List<Section> sections = new ArrayList<>();
    for (Section section : SECTIONS) {
      boolean wanted =
          section.kind() == Kind.HEADER
              ? section.begin().equals(RECIPIENT) ? template.contains(">>>all") : harmony
              : section.begin().equals("<function=")
                  // Inside of <tool_call> it is a body, and not for itself.
                  ? template.contains("<function=") && !known.test("<tool_call>")
                  : known.test(section.begin());
      if (wanted) {
        sections.add(section);
      }
    }
    List<String> ignored =
        Stream.concat(AROUND_CALLS.stream(), AROUND_TEXT.stream())
            .filter(pair -> pair.stream().anyMatch(known))
            .flatMap(List::stream)
            .toList();
    return new Marks(List.copyOf(sections), ignored, isBare(template));
  }

  /** Whether a template's models call by answers that are objects of JSON. */
  static boolean isBare(String template) {
    boolean speaksOfObjects = template.contains("\"parameters\"") && !template.contains(">>>all");
    return template.contains(PYTHON) || (template.contains("<|eot_id|>") && speaksOfObjects);
  }

  /** The section that a mark begins; null if it begins none. */
  Section begunBy(String mark) {
    for (Section section : sections) {
      if (section.begin().equals(mark)) {
        return section;
      }
    }
    return null;
  }

  /** Whether sections begin with headers as harmony has them. */
  boolean harmony() {
    return begunBy("<|channel|>") != null;
  }

  /** Whether a special token of this name is one of the marks. */
  boolean knows(String name) {
    return ignored.contains(name)
        || INNER.contains(name)
        || sections.stream()
            .anyMatch(section -> section.begin().equals(name) || section.ends().contains(name))
        || (HARMONY_ENDS.contains(name) && harmony());
  }

  /** The section in which an answer to a prompt begins; null if in none. */
  Section open(String prompt) {
    String end = prompt.stripTrailing();
    if (harmony() && end.endsWith("<|start|>assistant")) {
      return begunBy("<|start|>");
    }
    for (Section section : sections) {
      boolean opens = section.kind() == Kind.REASONING || section.begin().equals(RECIPIENT);
      if (opens && end.endsWith(section.begin())) {
        return section;
      }
    }
    return null;
  }
}
