package dev.apus.core.tokenizer;

import dev.apus.core.tokenizer.TokenizerFile.Piece;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Tokens by id and ids by token: those of the model, which text can produce, and added ones. */
final class Vocabulary {

  /** The bound keeps a hostile id from asking for gigabytes. */
  static final int LARGEST_ID = (1 << 24) - 1;

  static final int NONE = -1;

  private final Map<String, Integer> modelIds;
  private final Map<String, Integer> addedIds;
  private final List<String> tokens;
  private final BitSet special;
  private final BitSet unused;

  private Vocabulary(
      Map<String, Integer> modelIds,
      Map<String, Integer> addedIds,
      List<String> tokens,
      BitSet special,
      BitSet unused) {
    this.modelIds = modelIds;
    this.addedIds = addedIds;
    this.tokens = tokens;
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
    Map<String, Integer> modelIds = HashMap.newHashMap(pieces.size());
    List<String> tokens = new ArrayList<>(pieces.size());
    for (Piece piece : pieces) {
      if (modelIds.put(piece.text(), piece.id()) != null) {
        throw new TokenizerException(
            name + ": the vocabulary holds " + quoted(piece.text()) + " twice");
      }
      put(name, tokens, piece.id(), piece.text());
    }
    Map<String, Integer> addedIds = new HashMap<>();
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
      put(name, tokens, token.id(), token.content());
      unused.clear(token.id());
      if (token.special()) {
        special.set(token.id());
      }
    }
    if (tokens.isEmpty()) {
      throw new TokenizerException(name + ": the vocabulary is empty");
    }
    return new Vocabulary(Collections.unmodifiableMap(modelIds), addedIds, tokens, special, unused);
  }

  private static void put(String name, List<String> tokens, int id, String text) {
    while (tokens.size() <= id) {
      tokens.add(null);
    }
    String earlier = tokens.set(id, text);
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
    return tokens.size();
  }

  /** The token of an id, or null where the ids have a hole. */
  String token(int id) {
    return tokens.get(checked(id));
  }

  /** The id of a token, or {@link #NONE}. */
  int id(String token) {
    Integer added = addedIds.get(token);
    return added != null ? added : modelIds.getOrDefault(token, NONE);
  }

  boolean isSpecial(int id) {
    return special.get(checked(id));
  }

  /** Whether there is a token, and one that texts may get. */
  boolean isUsed(int id) {
    return token(id) != null && !unused.get(id);
  }

  /** The tokens that the model itself may produce. */
  Map<String, Integer> modelIds() {
    return modelIds;
  }

  private int checked(int id) {
    if (id < 0 || id >= tokens.size()) {
      throw new IllegalArgumentException(
          "token id " + id + " is outside the vocabulary of " + tokens.size() + " tokens");
    }
    return id;
  }

  /** A token in quotes, cut to a length that suits a sentence. */
  static String quoted(String text) {
    return '"' + (text.length() <= 60 ? text : text.substring(0, 60) + "…") + '"';
  }
}
