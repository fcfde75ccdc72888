package dev.apus.core.json;

/** What is wrong with a JSON text, and where; the reader of a file turns it into its own error. */
public final class JsonFault extends Exception {

  private static final long serialVersionUID = 1;

  private final int line;
  private final int column;

  JsonFault(int line, int column, String message, Throwable cause) {
    super(message, cause);
    this.line = line;
    this.column = column;
  }

  /** The line of the fault, from 1. */
  public int line() {
    return line;
  }

  /** The column of the fault, from 1. */
  public int column() {
    return column;
  }
}
