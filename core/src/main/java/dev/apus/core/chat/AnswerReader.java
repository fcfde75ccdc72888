package dev.apus.core.chat;

import dev.apus.core.chat.Marks.Kind;
import dev.apus.core.chat.Marks.Section;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Tells the parts of an answer apart while it comes. What may be the beginning of a mark is held
 * back until it is known; calls come when they are whole. What looks like a call and is none is a
 * text.
 */
public final class AnswerReader {

  private static final Pattern RECIPIENT = Pattern.compile("to=(?:functions\\.)?([\\w.-]+)");

  private final Marks marks;
  private final boolean bare;
  private final CallFormat calls;
  private final Consumer<? super Part> listener;
  private final StringBuilder held = new StringBuilder();
  private Section section;
  private String recipient;

  /** Whether white space at the beginning of what comes next belongs to a mark before it. */
  private boolean afterMark;

  private boolean begun;
  private int count;

  AnswerReader(Marks marks, String prompt, List<Tool> tools, Consumer<? super Part> listener) {
    this.marks = marks;
    this.bare = marks.bare() && !tools.isEmpty();
    this.calls = new CallFormat(tools);
    this.listener = listener;
    this.section = marks.open(prompt);
    this.afterMark = section != null;
  }

  /** More of the answer. */
  public void text(String text) {
    held.append(text);
    advance(false);
  }

  /** A special token, which is a mark or means nothing here. */
  public void special(String name) {
    if (marks.knows(name)) {
      text(name);
    }
  }

  /** The answer is over. */
  public void end() {
    advance(true);
    if (section != null && section.kind() == Kind.CALL) {
      call(held.toString(), "");
    } else if (section == null || section.kind() != Kind.HEADER) {
      tell(held.toString());
    }
    held.setLength(0);
  }

  /**
   * Reads up to the last mark that is whole.
   *
   * @param over whether no more text comes
   */
  private void advance(boolean over) {
    while (passes(over)) {
      // Each pass reads up to a mark.
    }
  }

  /** Reads up to the next mark; false if more text is needed for that. */
  private boolean passes(boolean over) {
    if (section == null && bare && !begun && beginsBare()) {
      return true;
    }
    List<String> wanted = section == null ? begins() : section.ends();
    String mark = null;
    int place = held.length();
    for (String each : wanted) {
      int at = held.indexOf(each);
      if (at >= 0 && (at < place || (at == place && each.length() > mark.length()))) {
        mark = each;
        place = at;
      }
    }
    boolean whole =
        section != null && (section.kind() == Kind.CALL || section.kind() == Kind.HEADER);
    if (mark == null) {
      if (!whole) {
        release(held.length() - begun(wanted));
      }
      return false;
    }
    if (section != null && section.kind() == Kind.CALL && section.ends().size() == 1) {
      // An argument may hold the mark; a call that cannot be read ends at the first.
      int first = place;
      while (place >= 0 && read(held.substring(0, place), mark, true).isEmpty()) {
        place = held.indexOf(mark, place + 1);
      }
      if (place < 0 && !over) {
        return false;
      }
      place = place < 0 ? first : place;
    }
    String before = held.substring(0, place);
    held.delete(0, place + mark.length());
    if (!whole) {
      tell(before);
    }
    pass(before, mark);
    return true;
  }

  /** An answer that begins like an object is held back as a call. */
  private boolean beginsBare() {
    String text = held.toString().stripLeading();
    if (text.startsWith("{")) {
      section = new Section("", Kind.CALL, List.of("<|eom_id|>", "<|eot_id|>"));
      begun = true;
      return true;
    }
    begun = !text.isEmpty();
    return false;
  }

  private List<String> begins() {
    List<String> begins = new ArrayList<>(marks.ignored());
    marks.sections().forEach(each -> begins.add(each.begin()));
    if (marks.harmony()) {
      begins.addAll(Marks.HARMONY_ENDS);
    }
    return begins;
  }

  /** Goes past a mark. */
  private void pass(String before, String mark) {
    afterMark = true;
    begun = true;
    Section ended = section;
    // What ends a section may begin the next one.
    Section next = marks.begunBy(mark);
    if (ended != null && ended.kind() == Kind.CALL) {
      call(before, next == null ? mark : "");
    }
    section = ended != null && ended.kind() == Kind.HEADER ? after(ended, before) : next;
  }

  /** The section that a header begins. */
  private Section after(Section ended, String header) {
    if (ended.begin().equals(Marks.RECIPIENT)) {
      List<String> ends = List.of(Marks.RECIPIENT);
      recipient = header.strip();
      if (recipient.equals("all")) {
        recipient = null;
        return new Section("", Kind.TEXT, ends);
      }
      return new Section(Marks.RECIPIENT + header + "\n", Kind.CALL, ends);
    }
    Matcher to = RECIPIENT.matcher(header);
    recipient = to.find() ? to.group(1) : null;
    Kind kind =
        recipient != null ? Kind.CALL : header.contains("analysis") ? Kind.REASONING : Kind.TEXT;
    return new Section("", kind, Marks.HARMONY_ENDS);
  }

  /** How much of the end of the text may be the beginning of a mark. */
  private int begun(List<String> wanted) {
    for (int length = Math.min(held.length(), longest(wanted) - 1); length > 0; length--) {
      String end = held.substring(held.length() - length);
      if (wanted.stream().anyMatch(mark -> mark.startsWith(end))) {
        return length;
      }
    }
    return 0;
  }

  private static int longest(List<String> marks) {
    return marks.stream().mapToInt(String::length).max().orElse(1);
  }

  private void release(int length) {
    tell(held.substring(0, length));
    held.delete(0, length);
  }

  private void tell(String text) {
    String told = afterMark ? text.stripLeading() : text;
    if (told.isEmpty()) {
      return;
    }
    afterMark = false;
    boolean thought = section != null && section.kind() == Kind.REASONING;
    listener.accept(thought ? new Part.Reasoning(told) : new Part.Text(told));
  }

  private Optional<List<CallFormat.Named>> read(String body, String end, boolean sure) {
    // A section that is named by its mark has the name in its body.
    boolean named = section.begin().equals("<function=");
    String text = named ? section.begin() + body + end : body;
    return recipient != null ? calls.read(recipient, text) : calls.read(text, sure);
  }

  private void call(String body, String end) {
    Optional<List<CallFormat.Named>> read = read(body, end, false);
    recipient = null;
    if (read.isEmpty()) {
      listener.accept(new Part.Text(section.begin() + body + end));
      return;
    }
    for (CallFormat.Named call : read.get()) {
      String id = call.id() == null ? String.format(Locale.ROOT, "call%05d", count) : call.id();
      count++;
      listener.accept(new Part.Call(new ToolCall(id, call.name(), call.arguments())));
    }
  }
}
