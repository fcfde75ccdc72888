package dev.apus.core.file;

/** A file that breaks the rules of its format: the message names the file and the place. */
public final class FormatException extends RuntimeException {

  private static final long serialVersionUID = 1;

  public FormatException(String message) {
    super(message);
  }

  public FormatException(String message, Throwable cause) {
    super(message, cause);
  }
}
