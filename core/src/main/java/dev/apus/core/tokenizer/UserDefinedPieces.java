package dev.apus.core.tokenizer;

import dev.apus.core.tokenizer.TokenizerFile.Piece;
import java.util.List;

/** The pieces of a SentencePiece model that stand for themselves, whatever is around them. */
final class UserDefinedPieces {

  private final SortedPieces pieces;
  private final int[] ids;

  UserDefinedPieces(List<Piece> own) {
    int[] order = new int[own.size()];
    pieces = SortedPieces.of(own.stream().map(Piece::text).toList(), order);
    ids = new int[order.length];
    for (int i = 0; i < order.length; i++) {
      ids[i] = own.get(order[i]).id();
    }
  }

  /** The id of the longest piece at a place, or {@link Vocabulary#NONE}. */
  int at(String text, int from) {
    int[] longest = {Vocabulary.NONE};
    pieces.find(text, from, (index, _) -> longest[0] = ids[index]);
    return longest[0];
  }

  /** Where the longest piece at a place ends, or the place itself. */
  int end(String text, int from) {
    int[] longest = {from};
    pieces.find(text, from, (_, end) -> longest[0] = end);
    return longest[0];
  }
}
