package dev.apus.core.chat;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * What an answer must be, as a grammar of which {@link ChatTemplate} knows the marks and somebody
 * else makes a {@link dev.apus.core.generate.Constraint}. Wherever a text names a special token of
 * the vocabulary, that token is meant. Forms are equal if they ask for the same, so that what was
 * made of one can be kept.
 */
public sealed interface AnswerForm {

  /** Nothing at all, which is always there. */
  AnswerForm EMPTY = new Sequence(List.of());

  /** What no answer is. */
  AnswerForm NOTHING = new Choice(List.of());

  /** Exactly this. */
  record Text(String text) implements AnswerForm {}

  /** What a regular expression matches as a whole. */
  record Matching(String expression) implements AnswerForm {}

  /**
   * JSON by a schema.
   *
   * @param name what errors call the schema
   */
  record Json(String name, String schema) implements AnswerForm {}

  /**
   * The members of an object by a schema, one after the other, without anything around them.
   *
   * @param name what errors call the schema
   * @param texts members whose values are strings that are written as they are; all others are JSON
   */
  record Members(String name, String schema, Set<String> texts, Spelling spelling)
      implements AnswerForm {
    public Members {
      texts = Set.copyOf(texts);
    }
  }

  /**
   * How members are written.
   *
   * @param begin before a member's name
   * @param named between its name and its value
   * @param end after the value, with which a text ends that is written as it is
   * @param never what such a text does not hold, for it would be read as something else
   * @param between two members
   * @param python whether {@code True}, {@code False} and {@code None} stand for JSON's words
   */
  record Spelling(
      String begin,
      AnswerForm named,
      String end,
      Set<String> never,
      AnswerForm between,
      boolean python) {
    public Spelling {
      never = Set.copyOf(never);
    }

    /** Whether all strings are in quotes, since nothing else would end them. */
    public boolean quoted() {
      return end.isEmpty();
    }
  }

  /** The form that somebody wants what is said to have. */
  record Wanted() implements AnswerForm {}

  /** One after the other. */
  record Sequence(List<AnswerForm> parts) implements AnswerForm {
    public Sequence {
      parts = List.copyOf(parts);
    }
  }

  /** One of these. */
  record Choice(List<AnswerForm> alternatives) implements AnswerForm {
    public Choice {
      alternatives = List.copyOf(alternatives);
    }
  }

  /** The same, as often as one likes, or never. */
  record Repeated(AnswerForm body) implements AnswerForm {}

  /**
   * Any text, in which marks mean something as soon as they are whole.
   *
   * @param within what follows each of these marks; then any text goes on
   * @param last what follows each of these marks, and then nothing of this form
   * @param open whether the form may be over without any of the last marks
   * @param notFirst characters with which it may not begin, white space aside
   */
  record Free(
      Map<String, AnswerForm> within, Map<String, AnswerForm> last, boolean open, String notFirst)
      implements AnswerForm {
    public Free {
      within = Map.copyOf(within);
      last = Map.copyOf(last);
      Objects.requireNonNull(notFirst, "notFirst");
    }
  }

  static AnswerForm sequence(AnswerForm... parts) {
    return new Sequence(List.of(parts));
  }

  static AnswerForm choice(AnswerForm... alternatives) {
    return new Choice(List.of(alternatives));
  }

  static AnswerForm optional(AnswerForm form) {
    return choice(EMPTY, form);
  }

  static AnswerForm text(String text) {
    return new Text(text);
  }
}
