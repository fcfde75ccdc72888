package dev.apus.core;

import dev.apus.core.tokenizer.Tokenizer;

/**
 * A checkpoint's way from text to tokens.
 *
 * @param tokenizer or null
 * @param missing why there is no tokenizer, or null
 */
record Text(Tokenizer tokenizer, String missing) {

  static Text of(Tokenizer tokenizer) {
    return new Text(tokenizer, null);
  }

  static Text none(String missing) {
    return new Text(null, missing);
  }

  Tokenizer required() {
    if (tokenizer == null) {
      throw new IllegalStateException(
          "there is no tokenizer: " + missing + "; give tokens instead of text");
    }
    return tokenizer;
  }
}
