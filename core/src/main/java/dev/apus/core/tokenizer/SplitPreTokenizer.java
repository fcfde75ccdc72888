package dev.apus.core.tokenizer;

import java.util.ArrayList;
import java.util.List;

/** Cuts at the matches of a pattern. */
final class SplitPreTokenizer implements PreTokenizer {

  /** What becomes of the matches. */
  private enum Behavior {
    REMOVED,
    ISOLATED,
    MERGED_WITH_PREVIOUS,
    MERGED_WITH_NEXT,
    CONTIGUOUS
  }

  /** A stretch of the text that is one match, or lies between matches. */
  private record Stretch(int from, int to, boolean match) {}

  private final SafePattern pattern;
  private final Behavior behavior;
  private final boolean inverted;

  private SplitPreTokenizer(SafePattern pattern, Behavior behavior, boolean inverted) {
    this.pattern = pattern;
    this.behavior = behavior;
    this.inverted = inverted;
  }

  static SplitPreTokenizer isolating(String where, String pattern) {
    return new SplitPreTokenizer(SafePattern.of(where, pattern), Behavior.ISOLATED, false);
  }

  /** Keeps the matches and drops what lies between them. */
  static SplitPreTokenizer words(String where, String pattern) {
    return new SplitPreTokenizer(SafePattern.of(where, pattern), Behavior.REMOVED, true);
  }

  /** Words and runs of marks, white space dropped. */
  static SplitPreTokenizer wordsAndMarks() {
    return new SplitPreTokenizer(SafePattern.wordsAndMarks(), Behavior.REMOVED, true);
  }

  static SplitPreTokenizer punctuation(Section section) {
    section.only("type", "behavior");
    Behavior behavior = section.has("behavior") ? behavior(section) : Behavior.ISOLATED;
    String mark = KnownPatterns.PUNCTUATION;
    return new SplitPreTokenizer(SafePattern.of(section.where("type"), mark), behavior, false);
  }

  static SplitPreTokenizer delimiter(Section section) {
    String delimiter = section.only("type", "delimiter").text("delimiter");
    return new SplitPreTokenizer(
        SafePattern.literal(section.where("delimiter"), delimiter), Behavior.REMOVED, false);
  }

  static PreTokenizer read(Section section) {
    section.only("type", "pattern", "behavior", "invert");
    Behavior behavior = behavior(section);
    boolean inverted = section.flag("invert", false);
    Section pattern = section.child("pattern");
    if (pattern.node().path("Regex").asText().equals(GgufPre.THREES)
        && behavior == Behavior.ISOLATED
        && !inverted) {
      return new DigitThrees();
    }
    return new SplitPreTokenizer(SafePattern.read(pattern), behavior, inverted);
  }

  private static Behavior behavior(Section section) {
    return switch (section.text("behavior")) {
      case "Removed" -> Behavior.REMOVED;
      case "Isolated" -> Behavior.ISOLATED;
      case "MergedWithPrevious" -> Behavior.MERGED_WITH_PREVIOUS;
      case "MergedWithNext" -> Behavior.MERGED_WITH_NEXT;
      case "Contiguous" -> Behavior.CONTIGUOUS;
      default ->
          throw section.wrongValue(
              "behavior", "Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous");
    };
  }

  @Override
  public void split(Piece piece, List<Piece> pieces) {
    String text = piece.text();
    for (Stretch part : behave(stretches(text))) {
      if (part.from() < part.to()) {
        pieces.add(
            new Piece(text.substring(part.from(), part.to()), piece.first() && part.from() == 0));
      }
    }
  }

  private List<Stretch> stretches(String text) {
    List<Stretch> stretches = new ArrayList<>();
    int[] done = {0};
    pattern.find(
        text,
        (from, to) -> {
          if (from > done[0]) {
            stretches.add(new Stretch(done[0], from, inverted));
          }
          stretches.add(new Stretch(from, to, !inverted));
          done[0] = to;
        });
    if (done[0] < text.length()) {
      stretches.add(new Stretch(done[0], text.length(), inverted));
    }
    return stretches;
  }

  private List<Stretch> behave(List<Stretch> stretches) {
    return switch (behavior) {
      case ISOLATED -> stretches;
      case REMOVED -> stretches.stream().filter(stretch -> !stretch.match()).toList();
      case CONTIGUOUS -> joined(stretches, (left, right) -> left.match() == right.match());
      case MERGED_WITH_PREVIOUS ->
          joined(stretches, (left, right) -> !left.match() && right.match());
      case MERGED_WITH_NEXT -> joined(stretches, (left, right) -> left.match() && !right.match());
    };
  }

  private interface Joins {
    boolean test(Stretch left, Stretch right);
  }

  /** Joins neighbours of which the rule says so; it sees the stretches as they were. */
  private static List<Stretch> joined(List<Stretch> stretches, Joins rule) {
    List<Stretch> joined = new ArrayList<>();
    Stretch before = null;
    for (Stretch stretch : stretches) {
      if (before != null && rule.test(before, stretch)) {
        Stretch left = joined.removeLast();
        joined.add(new Stretch(left.from(), stretch.to(), stretch.match()));
      } else {
        joined.add(stretch);
      }
      before = stretch;
    }
    return joined;
  }
}
