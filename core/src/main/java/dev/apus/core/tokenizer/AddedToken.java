package dev.apus.core.tokenizer;

/**
 * A token that is found in the text before the model sees it.
 *
 * @param special whether it steers the model and is no text
 * @param stripLeft whether it swallows white space before it
 * @param stripRight whether it swallows white space after it
 * @param singleWord whether it is a token only between characters that are no word characters
 * @param normalized whether it is looked for in the normalized text, not the original
 */
record AddedToken(
    int id,
    String content,
    boolean special,
    boolean stripLeft,
    boolean stripRight,
    boolean singleWord,
    boolean normalized) {

  private static final int LONGEST = 1024;

  static AddedToken read(Section section) {
    return read(
        section.only("id", "content", "special", "lstrip", "rstrip", "single_word", "normalized"),
        section.number("id", 0, Vocabulary.LARGEST_ID));
  }

  /** Reads a token whose id stands elsewhere. */
  static AddedToken read(Section section, int id) {
    String content = section.text("content");
    if (content.isEmpty() || content.length() > LONGEST) {
      throw section.wrong("content", "1 to " + LONGEST + " characters");
    }
    boolean special = section.flag("special", false);
    return new AddedToken(
        id,
        content,
        special,
        section.flag("lstrip", false),
        section.flag("rstrip", false),
        section.flag("single_word", false),
        section.flag("normalized", !special));
  }

  static AddedToken literal(int id, String content, boolean special) {
    return new AddedToken(id, content, special, false, false, false, false);
  }
}
