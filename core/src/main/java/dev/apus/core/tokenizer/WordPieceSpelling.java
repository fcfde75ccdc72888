package dev.apus.core.tokenizer;

/** How WordPiece tokens become words again: continuations join, other tokens follow a space. */
record WordPieceSpelling(String prefix, boolean cleanup) {

  static WordPieceSpelling read(Section section) {
    section.only("type", "prefix", "cleanup");
    return new WordPieceSpelling(section.text("prefix"), section.flag("cleanup", true));
  }

  String decoded(String token, boolean first) {
    String text = token;
    if (!first) {
      text = token.startsWith(prefix) ? token.substring(prefix.length()) : " " + token;
    }
    return cleanup ? cleaned(text) : text;
  }

  /** The reference's undoing of spaces that cutting put before English punctuation. */
  private static String cleaned(String text) {
    return text.replace(" .", ".")
        .replace(" ?", "?")
        .replace(" !", "!")
        .replace(" ,", ",")
        .replace(" ' ", "'")
        .replace(" n't", "n't")
        .replace(" 'm", "'m")
        .replace(" do not", " don't")
        .replace(" 's", "'s")
        .replace(" 've", "'ve")
        .replace(" 're", "'re");
  }
}
