package dev.apus.core.tokenizer;

/** Text of tokens as they come; never emits half a character. */
public interface TextDecoder {

  /** The text that token {@code id} completes, which may be none. */
  String append(int id);

  /** The text that is still held back; the decoder is then as new. */
  String flush();
}
