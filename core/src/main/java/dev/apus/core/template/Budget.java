package dev.apus.core.template;

import java.time.Duration;

/** How much a template may still do. A template comes from a file that somebody else wrote. */
final class Budget {

  /** Far more than the longest conversation needs. */
  static final long STEPS = 20_000_000;

  /** A step may go through much text, so time is limited as well. */
  private static final Duration TIME = Duration.ofSeconds(10);

  private static final int STEPS_BETWEEN_LOOKS = 64;

  static final long CHARACTERS = 64 << 20;

  /** Deeper calls of macros are endless ones. */
  static final int DEEPEST = 64;

  private long steps = STEPS;
  private long characters = CHARACTERS;
  private final long start = System.nanoTime();
  private int depth;

  void step() {
    if (--steps < 0) {
      throw new TemplateException("it did not end within " + STEPS + " steps");
    }
    if (steps % STEPS_BETWEEN_LOOKS == 0 && System.nanoTime() - start > TIME.toNanos()) {
      throw new TemplateException("it did not end within " + TIME.toSeconds() + " seconds");
    }
  }

  /** Takes note of text that has been made. */
  String made(String text) {
    make(text.length());
    return text;
  }

  /** Takes note of values that are about to be made. */
  void make(long count) {
    characters -= count;
    if (characters < 0) {
      throw new TemplateException("it makes more than " + CHARACTERS + " characters");
    }
  }

  void enter() {
    if (++depth > DEEPEST) {
      throw new TemplateException("macros call each other more than " + DEEPEST + " deep");
    }
  }

  void leave() {
    depth--;
  }
}
