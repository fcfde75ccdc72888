package dev.apus.core.chat;

import static dev.apus.core.chat.AnswerForm.EMPTY;
import static dev.apus.core.chat.AnswerForm.NOTHING;
import static dev.apus.core.chat.AnswerForm.choice;
import static dev.apus.core.chat.AnswerForm.optional;
import static dev.apus.core.chat.AnswerForm.sequence;
import static dev.apus.core.chat.AnswerForm.text;

import dev.apus.core.chat.Marks.Kind;
import dev.apus.core.chat.Marks.Section;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The forms of a template's answers: thoughts, and then what is asked for. */
final class AnswerForms {

  private static final AnswerForm SPACE = new AnswerForm.Matching("[ \\n]{0,4}");
  private static final String ANY_CHANNEL = "analysis|commentary|final";

  private final Marks marks;
  private final Section opened;

  /**
   * @param prompt that the answer follows, whose end may open a section
   */
  AnswerForms(Marks marks, String prompt) {
    this.marks = marks;
    this.opened = marks.open(prompt);
  }

  /** Thoughts, and then what somebody wants. */
  AnswerForm wanted() {
    AnswerForm wanted = new AnswerForm.Wanted();
    if (marks.harmony()) {
      return sequence(optional(analysis()), text("<|channel|>final<|message|>"), wanted);
    }
    if (recipients()) {
      return sequence(text("all\n"), wanted);
    }
    List<AnswerForm> parts = new ArrayList<>(List.of(thoughts()));
    for (List<String> pair : Marks.AROUND_TEXT) {
      if (marks.ignored().contains(pair.getFirst())) {
        parts.add(
            choice(
                wanted, sequence(text(pair.getFirst()), wanted, optional(text(pair.getLast())))));
        return new AnswerForm.Sequence(parts);
      }
    }
    parts.add(wanted);
    return new AnswerForm.Sequence(parts);
  }

  /** Answers that call tools, or do not. */
  AnswerForm calling(CallSyntax syntax, List<Tool> tools, ToolChoice choice) {
    AnswerForm calls =
        switch (choice.kind()) {
          case NONE -> NOTHING;
          case AUTO -> syntax.goesOn() ? syntax.one(tools) : syntax.many(tools);
          case REQUIRED -> syntax.many(tools);
          case NAMED -> syntax.one(List.of(named(tools, choice.tool())));
        };
    boolean must = choice.kind() == ToolChoice.Kind.REQUIRED || choice.tool() != null;
    if (must) {
      return sequence(thoughts(), text(syntax.mark()), calls);
    }
    return answer(syntax, calls);
  }

  private static Tool named(List<Tool> tools, String name) {
    return tools.stream()
        .filter(tool -> tool.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "there is no tool "
                        + name
                        + "; there are "
                        + String.join(", ", tools.stream().map(Tool::name).toList())));
  }

  /** Texts, thoughts and calls as they come. */
  private AnswerForm answer(CallSyntax syntax, AnswerForm calls) {
    Map<String, AnswerForm> within = new HashMap<>();
    Map<String, AnswerForm> last = new HashMap<>();
    marks.ignored().forEach(mark -> within.put(mark, EMPTY));
    for (Section section : marks.sections()) {
      if (section.kind() == Kind.REASONING) {
        within.put(section.begin(), until(section, true));
      } else {
        // Other ways to begin a call, which are read but not written here.
        last.put(section.begin(), NOTHING);
      }
    }
    if (!syntax.mark().isEmpty()) {
      within.remove(syntax.mark());
      last.remove(syntax.mark());
      (syntax.goesOn() ? within : last).put(syntax.mark(), calls);
      return opened(new AnswerForm.Free(within, last, true, ""));
    }
    if (last.containsKey(Marks.PYTHON)) {
      last.put(Marks.PYTHON, calls);
    }
    return opened(choice(sequence(SPACE, calls), new AnswerForm.Free(within, last, true, "{")));
  }

  private AnswerForm opened(AnswerForm answer) {
    return opened == null ? answer : sequence(until(opened, true), answer);
  }

  /** The thoughts that an answer may begin with, or goes on with, and white space after them. */
  private AnswerForm thoughts() {
    if (opened != null) {
      return sequence(until(opened, false), SPACE);
    }
    List<AnswerForm> ways = new ArrayList<>(List.of(EMPTY));
    for (Section section : marks.sections()) {
      if (section.kind() == Kind.REASONING) {
        ways.add(sequence(SPACE, text(section.begin()), until(section, false), SPACE));
      }
    }
    return new AnswerForm.Choice(ways);
  }

  /** Any text up to the end of a section. */
  private static AnswerForm until(Section section, boolean open) {
    Map<String, AnswerForm> ends = new HashMap<>();
    section.ends().forEach(end -> ends.put(end, EMPTY));
    return new AnswerForm.Free(Map.of(), ends, open, "");
  }

  /** Whether an answer begins with the name of whom it is for. */
  boolean recipients() {
    return marks.begunBy(Marks.RECIPIENT) != null;
  }

  /** Functionary's answers: a name, a line's end, and a text or arguments, again and again. */
  AnswerForm recipients(List<Tool> tools, ToolChoice choice) {
    AnswerForm call = calls("$NAME\n$ARGS", tools);
    AnswerForm more = sequence(call, new AnswerForm.Repeated(sequence(text(">>>"), call)));
    return switch (choice.kind()) {
      case NAMED -> calls("$NAME\n$ARGS", List.of(named(tools, choice.tool())));
      case REQUIRED -> more;
      case AUTO -> choice(more, sequence(text("all\n"), said(Marks.RECIPIENT, more)));
      case NONE -> sequence(text("all\n"), said(Marks.RECIPIENT, NOTHING));
    };
  }

  private static AnswerForm said(String mark, AnswerForm then) {
    return new AnswerForm.Free(Map.of(), Map.of(mark, then), true, "");
  }

  private static AnswerForm calls(String written, List<Tool> tools) {
    return new AnswerForm.Choice(
        tools.stream().map(tool -> CallSyntax.pieces(written, tool)).toList());
  }

  /** Harmony's answers: messages in channels, of which the last may be a call. */
  AnswerForm harmony(List<Tool> tools, ToolChoice choice) {
    List<Tool> callable =
        choice.kind() == ToolChoice.Kind.NAMED ? List.of(named(tools, choice.tool())) : tools;
    AnswerForm calls =
        choice.kind() == ToolChoice.Kind.NONE
            ? NOTHING
            : choice(
                calls(
                    "<|channel|>commentary to=functions.$NAME <|constrain|>json<|message|>$ARGS",
                    callable),
                calls(
                    " to=functions.$NAME<|channel|>commentary <|constrain|>json<|message|>$ARGS",
                    callable));
    if (choice.kind() == ToolChoice.Kind.REQUIRED || choice.kind() == ToolChoice.Kind.NAMED) {
      return sequence(optional(analysis()), calls);
    }
    AnswerForm begun =
        sequence(text("<|channel|>"), new AnswerForm.Matching(ANY_CHANNEL), text("<|message|>"));
    String end = "<|end|>";
    AnswerForm next = text("<|start|>assistant");
    AnswerForm messages =
        new AnswerForm.Free(
            Map.of(end, sequence(next, begun)), Map.of(end, sequence(next, calls)), true, "");
    return choice(calls, sequence(begun, messages));
  }

  private static AnswerForm analysis() {
    AnswerForm thought = new AnswerForm.Free(Map.of(), Map.of("<|end|>", EMPTY), false, "");
    return sequence(text("<|channel|>analysis<|message|>"), thought, text("<|start|>assistant"));
  }
}
