package dev.apus.core.tokenizer;

import dev.apus.core.tokenizer.TokenizerFile.Piece;
import java.util.Arrays;
import java.util.List;

/**
 * A unigram language model: of all ways to cut a pre-token into pieces, the likeliest.
 *
 * <p>Kudo, <i>Subword Regularization</i>, ACL 2018.
 */
final class UnigramModel implements TokenModel {

  /** How much less likely than the least likely piece an unknown character is. */
  private static final double UNKNOWN_PENALTY = 10;

  private final SortedPieces pieces;
  private final int[] ids;
  private final double[] scores;
  private final int unknownId;
  private final double unknownScore;

  /** Null where unknown characters stay unknown. */
  private final ByteTokens byteTokens;

  /** Whether sums are kept in single precision, which decides between cuts that are as likely. */
  private final boolean single;

  /**
   * Makes a model.
   *
   * @param unknownId the token of unknown characters, or {@link Vocabulary#NONE} if they are
   *     refused
   */
  UnigramModel(
      List<Piece> producible,
      double leastScore,
      int unknownId,
      ByteTokens byteTokens,
      boolean single) {
    this.single = single;
    int[] order = new int[producible.size()];
    this.pieces = SortedPieces.of(producible.stream().map(Piece::text).toList(), order);
    this.ids = Arrays.stream(order).map(i -> producible.get(i).id()).toArray();
    this.scores = Arrays.stream(order).mapToDouble(i -> producible.get(i).score()).toArray();
    this.unknownId = unknownId;
    this.unknownScore =
        single ? (float) leastScore - (float) UNKNOWN_PENALTY : leastScore - UNKNOWN_PENALTY;
    this.byteTokens = byteTokens;
  }

  static UnigramModel read(TokenizerFile file, Vocabulary vocabulary) {
    Section model = file.model().only("type", "unk_id", "byte_fallback");
    // Special tokens are no pieces, so that plain text can never become one.
    List<Piece> producible =
        file.pieces().stream()
            .filter(piece -> !piece.text().isEmpty() && !vocabulary.isSpecial(piece.id()))
            .toList();
    return new UnigramModel(
        producible,
        file.pieces().stream().mapToDouble(Piece::score).min().orElse(0),
        model.has("unk_id") ? model.number("unk_id", 0, vocabulary.size() - 1) : Vocabulary.NONE,
        model.flag("byte_fallback", false) ? new ByteTokens(vocabulary.modelIds()) : null,
        false);
  }

  /**
   * The best cuts of all beginnings of a text: for each end the score, last piece and its start.
   */
  private record Best(double[] score, int[] piece, int[] start, boolean single) {

    static Best of(int length, boolean single) {
      Best best =
          new Best(new double[length + 1], new int[length + 1], new int[length + 1], single);
      Arrays.fill(best.start, Vocabulary.NONE);
      return best;
    }

    void offer(int from, int to, int candidate, double sum) {
      double total = single ? (float) sum : sum;
      if (start[to] == Vocabulary.NONE || total > score[to]) {
        score[to] = total;
        piece[to] = candidate;
        start[to] = from;
      }
    }
  }

  @Override
  public void tokenize(String text, Ids out) {
    Best best = Best.of(text.length(), single);
    for (int at = 0, next; at < text.length(); at = next) {
      next = at + Character.charCount(text.codePointAt(at));
      int from = at;
      int afterOne = next;
      boolean[] known = {false};
      int looks =
          pieces.find(
              text,
              at,
              (index, end) -> {
                best.offer(from, end, index, best.score[from] + scores[index]);
                known[0] |= end == afterOne;
              });
      out.worked(looks);
      if (!known[0]) {
        best.offer(at, next, Vocabulary.NONE, best.score[at] + unknownScore);
      }
    }
    write(text, best, out);
  }

  /** Writes the pieces of the best cut; a run of what is unknown is one token. */
  private void write(String text, Best best, Ids out) {
    int[] ends = new int[text.length()];
    int count = 0;
    for (int end = text.length(); end > 0; end = best.start[end]) {
      ends[count++] = end;
    }
    int unknownFrom = Vocabulary.NONE;
    for (int i = count - 1; i >= 0; i--) {
      int end = ends[i];
      boolean unknown = isUnknown(best, end);
      if (unknown && unknownFrom == Vocabulary.NONE) {
        unknownFrom = best.start[end];
      }
      if (!unknown) {
        out.add(ids[best.piece[end]]);
      } else if (i == 0 || !isUnknown(best, ends[i - 1])) {
        writeUnknown(text.substring(unknownFrom, end), out);
        unknownFrom = Vocabulary.NONE;
      }
    }
  }

  /** Whether no piece ends there, or the one whose name is that of the unknown. */
  private boolean isUnknown(Best best, int end) {
    return best.piece[end] == Vocabulary.NONE || ids[best.piece[end]] == unknownId;
  }

  private void writeUnknown(String text, Ids out) {
    if (byteTokens != null && byteTokens.add(text, out)) {
      return;
    }
    if (unknownId == Vocabulary.NONE) {
      throw new TokenizerException(
          "the vocabulary has nothing for "
              + Vocabulary.quoted(text)
              + " and names no token for what is unknown");
    }
    out.add(unknownId);
  }
}
