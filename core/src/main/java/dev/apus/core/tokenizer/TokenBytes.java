package dev.apus.core.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * What every token of a vocabulary writes, in bytes, and tries of them. A token may write part of a
 * character. Special tokens, and those that do not exist, write nothing. Safe to share between
 * threads.
 *
 * <p>The first token of a text may write something else than it does later, where a vocabulary
 * marks the beginnings of words: a space goes.
 */
public final class TokenBytes {

  private static final int PROBES = 256;

  /** So much of what others found out is kept. */
  private static final int MOST_FOUND = 8;

  private final byte[][] later;
  private final byte[][] first;
  private final TokenTrie laterTrie;
  private final TokenTrie firstTrie;
  private final Map<String, Integer> specials;
  private final Map<Object, Object> found = new LinkedHashMap<>();

  private TokenBytes(byte[][] later, byte[][] first, Map<String, Integer> specials) {
    this.specials = Map.copyOf(specials);
    this.later = later;
    this.first = first;
    this.laterTrie = TokenTrie.of(later);
    this.firstTrie = later == first ? laterTrie : TokenTrie.of(first);
  }

  /**
   * Asks a tokenizer for all of its tokens.
   *
   * @throws TokenizerException if what a token writes depends on those around it
   */
  public static TokenBytes of(Tokenizer tokenizer) {
    byte[][] later = new byte[tokenizer.vocabularySize()][];
    byte[][] first = new byte[tokenizer.vocabularySize()][];
    Map<String, Integer> specials = new HashMap<>();
    boolean same = true;
    for (int id = 0; id < later.length; id++) {
      later[id] = tokenizer.bytes(id, false);
      first[id] = tokenizer.bytes(id, true);
      if (later[id].length == 0 && isSpecial(tokenizer, id)) {
        specials.put(tokenizer.token(id), id);
      }
      if (Arrays.equals(first[id], later[id])) {
        first[id] = later[id];
      } else {
        same = false;
      }
    }
    TokenBytes tokens = new TokenBytes(later, same ? later : first, specials);
    tokens.requireOwnBytes(tokenizer);
    return tokens;
  }

  private static boolean isSpecial(Tokenizer tokenizer, int id) {
    try {
      return tokenizer.isSpecial(id) && !tokenizer.token(id).isEmpty();
    } catch (IllegalArgumentException gap) {
      return false;
    }
  }

  /** Makes sure of some tokens in a row that their bytes are the text. */
  private void requireOwnBytes(Tokenizer tokenizer) {
    int[] texts =
        IntStream.range(0, size())
            .filter(id -> later[id].length > 0 && first[id].length > 0)
            .toArray();
    for (int i = 0; i < PROBES && texts.length > 0; i++) {
      int[] ids = new int[3];
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      for (int at = 0; at < ids.length; at++) {
        ids[at] = texts[(int) ((3L * i + at) * texts.length / (3 * PROBES))];
        bytes.writeBytes(of(ids[at], at == 0));
      }
      String own = bytes.toString(StandardCharsets.UTF_8);
      String text = tokenizer.decode(ids);
      if (own.indexOf('\uFFFD') < 0 && !own.equals(text)) {
        throw new TokenizerException(
            "the tokens "
                + Arrays.toString(ids)
                + " write "
                + Vocabulary.quoted(text)
                + " together, and "
                + Vocabulary.quoted(own)
                + " each by itself; texts of a given form need a tokenizer without such rules");
      }
    }
  }

  /** How many ids there are. */
  public int size() {
    return later.length;
  }

  /**
   * What a token writes; not to be changed.
   *
   * @param atBeginning whether it is the first of its text
   */
  public byte[] of(int id, boolean atBeginning) {
    return atBeginning ? first[id] : later[id];
  }

  /**
   * Something about the tokens that is found out once and kept, as long as not much else is.
   *
   * @param key equal for whatever is the same
   */
  @SuppressWarnings("unchecked")
  public <T> T once(Key<T> key, Supplier<T> finding) {
    synchronized (found) {
      Object known = found.remove(key);
      T result = known == null ? finding.get() : (T) known;
      if (found.size() == MOST_FOUND) {
        found.remove(found.keySet().iterator().next());
      }
      found.put(key, result);
      return result;
    }
  }

  /** By what something is known that has been found out about the tokens. */
  public interface Key<T> {}

  /** The special tokens, which write nothing, by their names. */
  public Map<String, Integer> specials() {
    return specials;
  }

  /**
   * All tokens that write something.
   *
   * @param atBeginning as the first of their text
   */
  public TokenTrie trie(boolean atBeginning) {
    return atBeginning ? firstTrie : laterTrie;
  }
}
