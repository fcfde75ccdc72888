package dev.apus.core;

import dev.apus.core.tokenizer.TokenBytes;
import dev.apus.core.tokenizer.Tokenizer;

/** A checkpoint's way from text to tokens. */
final class Text {

  private final Tokenizer tokenizer;
  private final String missing;
  private volatile TokenBytes bytes;

  private Text(Tokenizer tokenizer, String missing) {
    this.tokenizer = tokenizer;
    this.missing = missing;
  }

  static Text of(Tokenizer tokenizer) {
    return new Text(tokenizer, null);
  }

  /**
   * @param missing why there is no tokenizer
   */
  static Text none(String missing) {
    return new Text(null, missing);
  }

  /** The tokenizer, or null. */
  Tokenizer tokenizer() {
    return tokenizer;
  }

  Tokenizer required() {
    if (tokenizer == null) {
      throw new IllegalStateException(
          "there is no tokenizer: " + missing + "; give tokens instead of text");
    }
    return tokenizer;
  }

  /** What the tokens write; made when it is first asked for, and once or twice. */
  TokenBytes bytes() {
    TokenBytes known = bytes;
    if (known == null) {
      known = TokenBytes.of(required());
      bytes = known;
    }
    return known;
  }
}
