package dev.apus.core.tokenizer;

import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Finds added tokens in a text: from the left, the longest first, never two over each other. */
final class AddedTokens {

  /** What becomes of the parts of a text, from left to right. */
  interface Parts {

    void text(int from, int to);

    void token(int id);
  }

  private static final class Node {
    private final Map<Character, Node> next = new HashMap<>();
    private AddedToken token;
  }

  private final Node root = new Node();

  /** The characters that begin a token: most of a text is passed over with this alone. */
  private final BitSet starts = new BitSet();

  AddedTokens(List<AddedToken> tokens, UnaryOperator<String> spelling) {
    for (AddedToken token : tokens) {
      String text = spelling.apply(token.content());
      if (!text.isEmpty()) {
        insert(text, token);
      }
    }
  }

  private void insert(String text, AddedToken token) {
    Node node = root;
    for (int i = 0; i < text.length(); i++) {
      node = node.next.computeIfAbsent(text.charAt(i), _ -> new Node());
    }
    node.token = token;
    starts.set(text.charAt(0));
  }

  /**
   * Cuts a text into tokens and what lies between them.
   *
   * @param withSpecial whether special tokens count; if not, their names are text, and so is
   *     whatever begins inside such a name
   */
  void split(String text, boolean withSpecial, Parts parts) {
    int done = 0;
    int at = 0;
    while (at < text.length()) {
      AddedToken token = null;
      int end = at + 1;
      Node node = starts.get(text.charAt(at)) ? root : null;
      for (int i = at; node != null && i < text.length(); i++) {
        node = node.next.get(text.charAt(i));
        if (node != null && node.token != null) {
          token = node.token;
          end = i + 1;
        }
      }
      if (token != null && counts(token, withSpecial, text, at, end)) {
        int from = token.stripLeft() ? Characters.spacesBefore(text, Math.min(done, at), at) : at;
        if (from > done) {
          parts.text(done, from);
        }
        parts.token(token.id());
        done = token.stripRight() ? Characters.spacesAfter(text, Math.max(end, done)) : end;
      }
      at = end;
    }
    if (done < text.length()) {
      parts.text(done, text.length());
    }
  }

  private static boolean counts(
      AddedToken token, boolean withSpecial, String text, int from, int to) {
    if (token.special() && !withSpecial) {
      return false;
    }
    return !token.singleWord()
        || !(Characters.wordEndsAt(text, from) || Characters.wordStartsAt(text, to));
  }
}
