package dev.apus.core.tokenizer;

/**
 * A tokenizer that cannot be read or run as its file says: the message names the file, the place,
 * and what is needed.
 */
public final class TokenizerException extends RuntimeException {

  private static final long serialVersionUID = 1;

  public TokenizerException(String message) {
    super(message);
  }

  public TokenizerException(String message, Throwable cause) {
    super(message, cause);
  }
}
