package dev.apus.core.tokenizer;

/** SentencePiece's way of preparing a text: rules for characters, then rules for spaces. */
final class SentencePieceNormalizer implements TextNormalizer {

  private final SentencePiece.Spaces spaces;
  private final Charsmap rules;
  private final UserDefinedPieces userDefined;

  SentencePieceNormalizer(
      SentencePiece.Spaces spaces, Charsmap rules, UserDefinedPieces userDefined) {
    this.spaces = spaces;
    this.rules = rules;
    this.userDefined = userDefined;
  }

  @Override
  public String apply(String text) {
    Reading reading = new Reading(text);
    if (spaces.merged()) {
      reading.skipSpaces();
    }
    if (reading.at == text.length()) {
      return "";
    }
    StringBuilder out = new StringBuilder(text.length() + 1);
    char space = spaces.escaped() ? SentencePiece.SPACE : ' ';
    if (spaces.prefix() && !spaces.suffix()) {
      out.append(space);
    }
    boolean afterSpace = spaces.merged();
    while (reading.at < text.length()) {
      String next = reading.next();
      int from = 0;
      while (afterSpace && from < next.length() && next.charAt(from) == ' ') {
        from++;
      }
      if (from < next.length()) {
        out.append(next.substring(from).replace(' ', space));
        afterSpace = spaces.merged() && next.endsWith(" ");
      }
    }
    if (spaces.merged()) {
      int end = out.length();
      while (end > 0 && out.charAt(end - 1) == space) {
        end--;
      }
      out.setLength(end);
    }
    if (spaces.prefix() && spaces.suffix()) {
      out.append(space);
    }
    return out.toString();
  }

  /** A place in a text, and what the rules make of what follows it. */
  private final class Reading {

    private final String text;
    private int at;

    /** Where the rule that {@link #peek} found ends. */
    private int end;

    Reading(String text) {
      this.text = text;
    }

    void skipSpaces() {
      while (at < text.length() && peek().equals(" ")) {
        at = end;
      }
    }

    String next() {
      String next = peek();
      at = end;
      return next;
    }

    private String peek() {
      end = userDefined.end(text, at);
      if (end > at) {
        return text.substring(at, end);
      }
      int[] value = {-1};
      rules.find(
          text,
          at,
          text.length(),
          (to, found) -> {
            end = to;
            value[0] = found;
            return true;
          });
      if (value[0] >= 0) {
        return rules.text(value[0]);
      }
      end = text.offsetByCodePoints(at, 1);
      return text.substring(at, end);
    }
  }
}
