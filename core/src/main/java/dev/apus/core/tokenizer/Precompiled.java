package dev.apus.core.tokenizer;

import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * SentencePiece's compiled rules as {@code tokenizer.json} files apply them: to whole characters as
 * a reader sees them if these are short, and else to each code point; and of the rules that hold,
 * the shortest. That is not what SentencePiece does, but what the files were made for.
 */
final class Precompiled implements TextNormalizer {

  private static final Pattern GRAPHEME = Pattern.compile("\\X");

  /** Characters of as many bytes in UTF-8 are looked up code point by code point alone. */
  private static final int LONG = 6;

  private final Charsmap rules;

  private Precompiled(Charsmap rules) {
    this.rules = rules;
  }

  static Precompiled read(Section section) {
    String spelled = section.only("type", "precompiled_charsmap").text("precompiled_charsmap");
    try {
      return new Precompiled(
          Charsmap.of(section.where("precompiled_charsmap"), Base64.getDecoder().decode(spelled)));
    } catch (IllegalArgumentException e) {
      throw new TokenizerException(section.where("precompiled_charsmap") + " is no Base64", e);
    }
  }

  @Override
  public String apply(String text) {
    StringBuilder out = new StringBuilder(text.length());
    for (Matcher graphemes = GRAPHEME.matcher(text); graphemes.find(); ) {
      int from = graphemes.start();
      int to = graphemes.end();
      if (bytes(text, from, to) < LONG && append(text, from, to, out)) {
        continue;
      }
      for (int at = from, next; at < to; at = next) {
        next = text.offsetByCodePoints(at, 1);
        if (!append(text, at, next, out)) {
          out.append(text, at, next);
        }
      }
    }
    return out.toString();
  }

  /** Appends what is written for a part of a text, or returns false if no rule begins it. */
  private boolean append(String text, int from, int to, StringBuilder out) {
    int[] value = {-1};
    rules.find(
        text,
        from,
        to,
        (_, found) -> {
          value[0] = found;
          return false;
        });
    if (value[0] >= 0) {
      out.append(rules.text(value[0]));
    }
    return value[0] >= 0;
  }

  private static int bytes(String text, int from, int to) {
    int bytes = 0;
    for (int at = from; at < to && bytes < LONG; at++) {
      char c = text.charAt(at);
      bytes += c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate(c) ? 2 : 3;
    }
    return bytes;
  }
}
