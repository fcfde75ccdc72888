package dev.apus.core.generate;

/**
 * A generation that cannot go on: the message says why. When a {@link Generation} throws it, the
 * message says at which token, and the source is back where it was before the prompt.
 */
public final class GenerationException extends RuntimeException {

  private static final long serialVersionUID = 1;

  public GenerationException(String message) {
    super(message);
  }

  public GenerationException(String message, Throwable cause) {
    super(message, cause);
  }
}
