package dev.apus.core.tokenizer;

/** Classes of characters as the reference's engines define them, whatever Java's own say. */
final class Characters {

  private Characters() {}

  /** Unicode's White_Space, which has no characters outside the basic plane. */
  static boolean isSpace(int c) {
    return c == ' '
        || (c >= '\t' && c <= '\r')
        || c == 0x85
        || c == 0xA0
        || c == 0x1680
        || (c >= 0x2000 && c <= 0x200A)
        || c == 0x2028
        || c == 0x2029
        || c == 0x202F
        || c == 0x205F
        || c == 0x3000;
  }

  /** Unicode's definition of a word character: what {@code \w} means in regular expressions. */
  static boolean isWord(int c) {
    if (Character.isAlphabetic(c) || c == 0x200C || c == 0x200D) {
      return true;
    }
    return switch (Character.getType(c)) {
      case Character.NON_SPACING_MARK,
          Character.ENCLOSING_MARK,
          Character.COMBINING_SPACING_MARK,
          Character.DECIMAL_DIGIT_NUMBER,
          Character.CONNECTOR_PUNCTUATION ->
          true;
      default -> false;
    };
  }

  static boolean wordEndsAt(String text, int at) {
    return at > 0 && isWord(text.codePointBefore(at));
  }

  static boolean wordStartsAt(String text, int at) {
    return at < text.length() && isWord(text.codePointAt(at));
  }

  /** Where the white space that ends at {@code at} begins, but not before {@code from}. */
  static int spacesBefore(String text, int from, int at) {
    while (at > from && isSpace(text.charAt(at - 1))) {
      at--;
    }
    return at;
  }

  /** Where the white space that begins at {@code at} ends. */
  static int spacesAfter(String text, int at) {
    while (at < text.length() && isSpace(text.charAt(at))) {
      at++;
    }
    return at;
  }

  /** The text with U+FFFD for every surrogate that has no partner. */
  static String withoutLoneSurrogates(String text) {
    StringBuilder mended = null;
    for (int i = 0; i < text.length(); i++) {
      if (!Character.isSurrogate(text.charAt(i))) {
        continue;
      }
      if (Character.isSupplementaryCodePoint(text.codePointAt(i))) {
        i++;
      } else {
        if (mended == null) {
          mended = new StringBuilder(text);
        }
        mended.setCharAt(i, '\uFFFD');
      }
    }
    return mended == null ? text : mended.toString();
  }
}
