package dev.apus.core.tokenizer;

import java.util.List;

/**
 * Cuts decimal digits in threes from the right, as in 1|234|567, unless a letter follows them. It
 * is what {@code \d{1,3}(?=(?:\d{3})*\b)} says, in one pass.
 */
final class DigitThrees implements PreTokenizer {

  @Override
  public void split(Piece piece, List<Piece> pieces) {
    String text = piece.text();
    int done = 0;
    for (int at = 0; at < text.length(); ) {
      int end = at;
      int count = 0;
      while (end < text.length() && isDigit(text.codePointAt(end))) {
        end += Character.charCount(text.codePointAt(end));
        count++;
      }
      if (count == 0) {
        at = text.offsetByCodePoints(at, 1);
        continue;
      }
      if (!Characters.wordStartsAt(text, end)) {
        add(piece, done, at, pieces);
        int size = count % 3 == 0 ? 3 : count % 3;
        for (int from = at; from < end; size = 3) {
          int to = text.offsetByCodePoints(from, size);
          add(piece, from, to, pieces);
          from = to;
        }
        done = end;
      }
      at = end;
    }
    add(piece, done, text.length(), pieces);
  }

  private static boolean isDigit(int c) {
    return Character.getType(c) == Character.DECIMAL_DIGIT_NUMBER;
  }

  private static void add(Piece piece, int from, int to, List<Piece> pieces) {
    if (from < to) {
      pieces.add(new Piece(piece.text().substring(from, to), piece.first() && from == 0));
    }
  }
}
