package dev.apus.core.template;

/**
 * A piece of a template.
 *
 * @param text a name, an operator, a number as it is written, a string without its quotes
 */
record Token(Kind kind, String text, int line) {

  enum Kind {
    /** What is written as it is. */
    TEXT,
    BEGIN_OUTPUT,
    END_OUTPUT,
    BEGIN_BLOCK,
    END_BLOCK,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean is(Kind other, String value) {
    return kind == other && text.equals(value);
  }

  /** What an error calls it. */
  String shown() {
    return switch (kind) {
      case END -> "the end";
      case TEXT -> "text";
      case STRING -> "'" + text + "'";
      default -> "\"" + text + "\"";
    };
  }
}
