package dev.apus.core.tokenizer;

import java.util.Arrays;
import java.util.Comparator;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * Strings of bytes in a tree, each with the tokens that write it. Nodes are numbered as a walk
 * meets them that goes into each node before it goes to the next one, so that a walk is a loop.
 * Immutable.
 */
public final class TokenTrie {

  private final byte[][] texts;

  /** Tokens by their bytes. */
  private final int[] tokens;

  private final byte[] values;
  private final short[] depths;
  private final int[] ends;

  /**
   * Where the tokens of a node begin in {@link #tokens}; they end where the next node's begin.
   * Nodes on the way to a token begin where it does, and so have none of their own.
   */
  private final int[] firstTokens;

  private final int deepest;

  private TokenTrie(byte[][] texts, int[] tokens) {
    this.texts = texts;
    this.tokens = tokens;
    int[] shared = new int[tokens.length];
    int nodes = 0;
    int longest = 0;
    for (int i = 0; i < tokens.length; i++) {
      byte[] text = texts[tokens[i]];
      int mismatch = i == 0 ? 0 : Arrays.mismatch(texts[tokens[i - 1]], text);
      shared[i] = mismatch < 0 ? text.length : mismatch;
      nodes += text.length - shared[i];
      longest = Math.max(longest, text.length);
    }
    values = new byte[nodes];
    depths = new short[nodes];
    ends = new int[nodes];
    firstTokens = new int[nodes + 1];
    deepest = longest;
    fill(shared);
  }

  private void fill(int[] shared) {
    int[] open = new int[deepest];
    int depth = 0;
    int node = 0;
    for (int i = 0; i < tokens.length; i++) {
      byte[] text = texts[tokens[i]];
      for (; depth > shared[i]; depth--) {
        ends[open[depth - 1]] = node;
      }
      for (; depth < text.length; depth++) {
        open[depth] = node;
        values[node] = text[depth];
        depths[node] = (short) depth;
        firstTokens[node] = i;
        node++;
      }
    }
    for (; depth > 0; depth--) {
      ends[open[depth - 1]] = node;
    }
    firstTokens[node] = tokens.length;
  }

  static TokenTrie of(byte[][] texts) {
    int[] tokens =
        IntStream.range(0, texts.length)
            .filter(id -> texts[id].length > 0 && texts[id].length <= Short.MAX_VALUE)
            .boxed()
            .sorted(Comparator.comparing(id -> texts[id], Arrays::compareUnsigned))
            .mapToInt(Integer::intValue)
            .toArray();
    return new TokenTrie(texts, tokens);
  }

  /** The trie of some of the tokens. */
  public TokenTrie only(IntPredicate wanted) {
    return new TokenTrie(texts, Arrays.stream(tokens).filter(wanted).toArray());
  }

  /** How many nodes there are, the root apart. */
  public int size() {
    return values.length;
  }

  /** How many bytes the longest string has. */
  public int deepest() {
    return deepest;
  }

  /** The byte of a node, 0 to 255. */
  public int value(int node) {
    return values[node] & 0xFF;
  }

  /** How many bytes come before the one of a node. */
  public int depth(int node) {
    return depths[node];
  }

  /** The first node after a node and all below it. */
  public int end(int node) {
    return ends[node];
  }

  /**
   * Where the tokens begin that end at a node, for {@link #token}; they end where the next's do.
   */
  public int firstToken(int node) {
    return firstTokens[node];
  }

  /** A token by its place in the order of bytes. */
  public int token(int place) {
    return tokens[place];
  }
}
