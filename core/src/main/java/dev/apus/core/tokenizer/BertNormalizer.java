package dev.apus.core.tokenizer;

import java.text.Normalizer;

/**
 * BERT's cleaning of text: controls out, white space to spaces, ideographs apart, plain letters.
 */
final class BertNormalizer implements TextNormalizer {

  private final boolean clean;
  private final boolean separateIdeographs;
  private final boolean stripAccents;
  private final boolean lowercase;

  BertNormalizer(
      boolean clean, boolean separateIdeographs, boolean stripAccents, boolean lowercase) {
    this.clean = clean;
    this.separateIdeographs = separateIdeographs;
    this.stripAccents = stripAccents;
    this.lowercase = lowercase;
  }

  static BertNormalizer read(Section section) {
    section.only("type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase");
    boolean lowercase = section.flag("lowercase", true);
    return new BertNormalizer(
        section.flag("clean_text", true),
        section.flag("handle_chinese_chars", true),
        section.flag("strip_accents", lowercase),
        lowercase);
  }

  @Override
  public String apply(String text) {
    StringBuilder kept = new StringBuilder(text.length());
    text.codePoints().forEach(c -> append(c, kept));
    String result = kept.toString();
    if (stripAccents) {
      result = withoutAccents(new UnicodeForm(Normalizer.Form.NFD).apply(result));
    }
    return lowercase ? lowercase(result) : result;
  }

  private void append(int c, StringBuilder out) {
    if (clean && isControl(c)) {
      return;
    }
    int kept = clean && Characters.isSpace(c) ? ' ' : c;
    if (separateIdeographs && isIdeograph(kept)) {
      out.append(' ').appendCodePoint(kept).append(' ');
    } else {
      out.appendCodePoint(kept);
    }
  }

  /** Without marks of any kind, which is more than BERT strips. */
  static String withoutMarks(String text) {
    StringBuilder kept = new StringBuilder(text.length());
    text.codePoints().filter(c -> !isMark(c)).forEach(kept::appendCodePoint);
    return kept.toString();
  }

  private static boolean isMark(int c) {
    return switch (Character.getType(c)) {
      case Character.NON_SPACING_MARK, Character.COMBINING_SPACING_MARK, Character.ENCLOSING_MARK ->
          true;
      default -> false;
    };
  }

  static String withoutAccents(String text) {
    StringBuilder kept = new StringBuilder(text.length());
    text.codePoints()
        .filter(c -> Character.getType(c) != Character.NON_SPACING_MARK)
        .forEach(kept::appendCodePoint);
    return kept.toString();
  }

  /** Each character by itself, so that no character depends on those around it. */
  static String lowercase(String text) {
    StringBuilder lower = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              if (c == 'İ') {
                lower.append("i\u0307");
              } else {
                lower.appendCodePoint(Character.toLowerCase(c));
              }
            });
    return lower.toString();
  }

  private static boolean isControl(int c) {
    if (c == '\t' || c == '\n' || c == '\r') {
      return false;
    }
    return switch (Character.getType(c)) {
      case Character.CONTROL, Character.FORMAT, Character.PRIVATE_USE -> true;
      default -> c == 0xFFFD;
    };
  }

  /** The blocks that the reference takes for ideographs, one of which it begins too late. */
  private static boolean isIdeograph(int c) {
    return (c >= 0x4E00 && c <= 0x9FFF)
        || (c >= 0x3400 && c <= 0x4DBF)
        || (c >= 0x20000 && c <= 0x2A6DF)
        || (c >= 0x2A700 && c <= 0x2B81F)
        || (c >= 0x2B920 && c <= 0x2CEAF)
        || (c >= 0xF900 && c <= 0xFAFF)
        || (c >= 0x2F800 && c <= 0x2FA1F);
  }
}
