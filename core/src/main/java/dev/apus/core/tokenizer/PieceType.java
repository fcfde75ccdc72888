package dev.apus.core.tokenizer;

/** What a piece of a SentencePiece model is for; GGUF files use the same numbers. */
enum PieceType {
  NORMAL,
  UNKNOWN,
  CONTROL,
  USER_DEFINED,
  UNUSED,
  BYTE;

  /** The type of a number; one that is not known counts as text, as it does in other engines. */
  static PieceType of(long number) {
    return number >= 1 && number <= values().length ? values()[(int) number - 1] : NORMAL;
  }

  /** The number of this type. */
  int number() {
    return ordinal() + 1;
  }

  /** Whether the text of a piece may be found in a normalized text. */
  boolean isText() {
    return this == NORMAL || this == USER_DEFINED || this == UNUSED;
  }
}
