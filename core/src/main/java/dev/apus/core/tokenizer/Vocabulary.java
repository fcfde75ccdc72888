package dev.apus.core.tokenizer;

import dev.apus.core.tokenizer.TokenizerFile.Piece;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Tokens by id and ids by token: those of the model, which text can produce, and added ones. */
final class Vocabulary {

  /** The bound keeps a hostile id from asking for gigabytes. */
  static final int LARGEST_ID = (1 << 24) - 1;

  static final int NONE = -1;

  private final TokenIds modelIds;
  private final Map<String, Integer> addedIds;

  /** The texts of ids that the model has no token for. */
  private final Map<Integer, String> addedTexts;

  private final int size;
  private final BitSet special;
  private final BitSet unused;

  private Vocabulary(
      TokenIds modelIds,
      Map<String, Integer> addedIds,
      Map<Integer, String> addedTexts,
      int size,
      BitSet special,
      BitSet unused) {
    this.modelIds = modelIds;
    this.addedIds = addedIds;
    this.addedTexts = addedTexts;
    this.size = size;
    this.special = special;
    this.unused = unused;
  }

  static Vocabulary of(String name, List<Piece> pieces, List<AddedToken> added) {
    return of(name, pieces, added, new BitSet());
  }

  /**
   * A vocabulary some of whose tokens no text gets.
   *
   * @param idle the ids of these tokens; those that are added are used nevertheless
   */
  static Vocabulary of(String name, List<Piece> pieces, List<AddedToken> added, BitSet idle) {
    TokenIds modelIds = new TokenIds(pieces.size());
    int size = 0;
    for (Piece piece : pieces) {
      String earlier = modelIds.text(piece.id());
      if (!modelIds.add(piece.text(), piece.id())) {
        throw new TokenizerException(
            name + ": the vocabulary holds " + quoted(piece.text()) + " twice");
      }
      requireSame(name, piece.id(), earlier, piece.text());
      size = Math.max(size, piece.id() + 1);
    }
    Map<String, Integer> addedIds = new HashMap<>();
    Map<Integer, String> addedTexts = new HashMap<>();
    BitSet special = new BitSet();
    BitSet unused = (BitSet) idle.clone();
    for (AddedToken token : added) {
      Integer modelId = modelIds.get(token.content());
      Integer earlier = addedIds.put(token.content(), token.id());
      if ((modelId != null && modelId != token.id())
          || (earlier != null && earlier != token.id())) {
        throw new TokenizerException(
            String.format(
                Locale.ROOT,
                "%s: the token %s has two ids, %d and %d",
                name,
                quoted(token.content()),
                modelId == null ? earlier : modelId,
                token.id()));
      }
      String earlierText = modelIds.text(token.id());
      if (earlierText == null) {
        earlierText = addedTexts.put(token.id(), token.content());
      }
      requireSame(name, token.id(), earlierText, token.content());
      size = Math.max(size, token.id() + 1);
      unused.clear(token.id());
      if (token.special()) {
        special.set(token.id());
      }
    }
    if (size == 0) {
      throw new TokenizerException(name + ": the vocabulary is empty");
    }
    return new Vocabulary(modelIds, addedIds, addedTexts, size, special, unused);
  }

  private static void requireSame(String name, int id, String earlier, String text) {
    if (earlier != null && !earlier.equals(text)) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s: id %d names two tokens, %s and %s",
              name,
              id,
              quoted(earlier),
              quoted(text)));
    }
  }

  int size() {
    return size;
  }

  /** The token of an id, or null where the ids have a hole. */
  String token(int id) {
    String token = modelIds.text(checked(id));
    return token != null ? token : addedTexts.get(id);
  }

  /** The id of a token, or {@link #NONE}. */
  int id(String token) {
    Integer added = addedIds.get(token);
    return added != null ? added : modelIds.id(token);
  }

  boolean isSpecial(int id) {
    return special.get(checked(id));
  }

  /** Whether there is a token, and one that texts may get. */
  boolean isUsed(int id) {
    return (modelIds.has(checked(id)) || addedTexts.containsKey(id)) && !unused.get(id);
  }

  /** The tokens that the model itself may produce. */
  Map<String, Integer> modelIds() {
    return modelIds;
  }

  private int checked(int id) {
    if (id < 0 || id >= size) {
      throw new IllegalArgumentException(
          "token id " + id + " is outside the vocabulary of " + size + " tokens");
    }
    return id;
  }

  /** A token in quotes, cut to a length that suits a sentence. */
  static String quoted(String text) {
    return '"' + (text.length() <= 60 ? text : text.substring(0, 60) + "…") + '"';
  }
}
