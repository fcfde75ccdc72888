package dev.apus.core.tokenizer;

/**
 * The text of tokens as they come.
 *
 * <p>What {@link #append} and {@link #flush} return, one after the other, is what {@link
 * Tokenizer#decode(int[])} returns for all ids at once; no part ends in the middle of a character.
 * Special tokens have no text. A decoder belongs to one stream of tokens and one thread.
 */
public interface TextDecoder {

  /** Tokens without text. */
  TextDecoder NONE =
      new TextDecoder() {
        @Override
        public String append(int id) {
          return "";
        }

        @Override
        public String flush() {
          return "";
        }
      };

  /**
   * The text that {@code id} completes; empty while a character is incomplete.
   *
   * @throws IllegalArgumentException if {@code id} is outside the vocabulary
   */
  String append(int id);

  /** What is left, incomplete bytes as U+FFFD; the decoder is then as new. */
  String flush();
}
