package dev.apus.structure;

/**
 * A form of texts that cannot be asked for, or not of this model; the message says where and why.
 */
public final class StructureException extends IllegalArgumentException {

  private static final long serialVersionUID = 1;

  public StructureException(String message) {
    super(message);
  }

  public StructureException(String message, Throwable cause) {
    super(message, cause);
  }
}
