package dev.apus.core.tokenizer;

import java.util.List;

/** SentencePiece's spelling of spaces as a visible character, which begins each word. */
final class Metaspace implements PreTokenizer {

  private enum Prepend {
    ALWAYS,
    FIRST,
    NEVER
  }

  private final char replacement;
  private final Prepend prepend;
  private final boolean split;

  private Metaspace(char replacement, Prepend prepend, boolean split) {
    this.replacement = replacement;
    this.prepend = prepend;
    this.split = split;
  }

  /** Reads the section of a pre-tokenizer or of a decoder, which have the same settings. */
  static Metaspace read(Section section) {
    section.only("type", "replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep");
    String replacement = section.text("replacement");
    if (replacement.length() != 1) {
      throw section.wrong("replacement", "one character");
    }
    return new Metaspace(replacement.charAt(0), prepend(section), section.flag("split", true));
  }

  private static Prepend prepend(Section section) {
    if (!section.has("prepend_scheme")) {
      return section.flag("add_prefix_space", true) ? Prepend.ALWAYS : Prepend.NEVER;
    }
    return switch (section.text("prepend_scheme")) {
      case "always" -> Prepend.ALWAYS;
      case "first" -> Prepend.FIRST;
      case "never" -> Prepend.NEVER;
      default -> throw section.wrongValue("prepend_scheme", "always, first, never");
    };
  }

  @Override
  public void split(Piece piece, List<Piece> pieces) {
    String text = piece.text().replace(' ', replacement);
    boolean wanted = prepend == Prepend.ALWAYS || (prepend == Prepend.FIRST && piece.first());
    if (wanted && text.charAt(0) != replacement) {
      text = replacement + text;
    }
    int from = 0;
    for (int at = 1; split && at < text.length(); at++) {
      if (text.charAt(at) == replacement) {
        pieces.add(new Piece(text.substring(from, at), piece.first() && from == 0));
        from = at;
      }
    }
    pieces.add(new Piece(text.substring(from), piece.first() && from == 0));
  }

  /** A token as text; what was prepended to the first one goes. */
  String decoded(String token, boolean first) {
    boolean dropped = first && prepend != Prepend.NEVER;
    return token.replace(Character.toString(replacement), dropped ? "" : " ");
  }
}
