package dev.apus.core.tokenizer;

import dev.apus.core.tokenizer.TokenizerFile.Piece;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * SentencePiece's byte-pair encoding: any two neighbours that spell a piece may be joined, and the
 * pair whose piece has the greatest score is joined first.
 */
final class JoiningModel implements TokenModel {

  private final UserDefinedPieces userDefined;
  private final ByteTokens byteTokens;
  private final int unknownId;

  /** What may stand in a text: pieces, and characters that are none but are part of some. */
  private final Map<String, Integer> symbols = new HashMap<>();

  /** The texts of all symbols; those from {@link #known} on are no pieces. */
  private final List<String> texts;

  private final int known;
  private final BitSet unused;
  private final Merges merges;

  /**
   * Makes a model.
   *
   * @param byteTokens or null if unknown characters have no bytes
   */
  JoiningModel(
      SentencePiece model,
      Vocabulary vocabulary,
      UserDefinedPieces userDefined,
      ByteTokens byteTokens) {
    this.userDefined = userDefined;
    this.byteTokens = byteTokens;
    this.unknownId = model.types().indexOf(PieceType.UNKNOWN);
    this.unused = model.ofType(PieceType.UNUSED);
    this.texts = new ArrayList<>(model.pieces().stream().map(Piece::text).toList());
    this.known = texts.size();
    Map<String, Integer> joinable = new HashMap<>();
    for (Piece piece : model.pieces()) {
      PieceType type = model.types().get(piece.id());
      if (!vocabulary.isSpecial(piece.id()) && type.isText()) {
        joinable.put(piece.text(), piece.id());
        if (type != PieceType.USER_DEFINED) {
          symbols.put(piece.text(), piece.id());
        }
      }
    }
    for (String text : joinable.keySet()) {
      text.codePoints().mapToObj(Character::toString).forEach(this::addCharacter);
    }
    int[] ranks = ranks(model.pieces());
    boolean whole = model.kind() == SentencePiece.Kind.BYTE_PAIRS;
    this.merges = Merges.spelling(symbols, whole ? joinable : Map.of(), id -> ranks[id]);
  }

  private void addCharacter(String character) {
    if (symbols.putIfAbsent(character, texts.size()) == null) {
      texts.add(character);
    }
  }

  /** The place of each piece's score among all scores, the greatest first. */
  private static int[] ranks(List<Piece> pieces) {
    double[] costs =
        pieces.stream().mapToDouble(piece -> 0 - piece.score()).sorted().distinct().toArray();
    return pieces.stream()
        .mapToInt(piece -> Arrays.binarySearch(costs, 0 - piece.score()))
        .toArray();
  }

  @Override
  public void tokenize(String text, Ids out) {
    Ids begun = new Ids();
    for (int at = 0, end; at < text.length(); at = end) {
      int own = userDefined.at(text, at);
      end = own == Vocabulary.NONE ? text.offsetByCodePoints(at, 1) : at + texts.get(own).length();
      begun.add(
          own != Vocabulary.NONE
              ? own
              : symbols.getOrDefault(text.substring(at, end), texts.size()));
    }
    new Writing(text, out).write(begun.toArray());
  }

  /** One text on its way to ids. */
  private final class Writing {

    private final String text;
    private final Ids out;

    /** Which two symbols an unused piece was last offered to be made of. */
    private final Map<Integer, int[]> halves = new HashMap<>();

    private int at;
    private boolean unknownBefore;

    Writing(String text, Ids out) {
      this.text = text;
      this.out = out;
    }

    void write(int[] begun) {
      int[] joined =
          merges.join(
              begun,
              out,
              (left, right, result) -> {
                if (unused.get(result)) {
                  halves.put(result, new int[] {left, right});
                }
              });
      for (int symbol : joined) {
        write(symbol);
      }
    }

    private void write(int symbol) {
      int[] pair = halves.get(symbol);
      if (pair != null) {
        write(pair[0]);
        write(pair[1]);
        return;
      }
      int from = at;
      at = symbol < texts.size() ? at + texts.get(symbol).length() : text.offsetByCodePoints(at, 1);
      if (symbol < known) {
        out.add(symbol);
      } else if (byteTokens == null || !byteTokens.add(text.substring(from, at), out)) {
        if (!unknownBefore) {
          out.add(unknownId);
        }
        unknownBefore = true;
        return;
      }
      unknownBefore = false;
    }
  }
}
