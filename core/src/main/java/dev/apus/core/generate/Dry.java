package dev.apus.core.generate;

import dev.apus.core.tokenizer.Tokenizer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Makes tokens less likely that would go on repeating a sequence: {@code multiplier · base^(n −
 * allowed)} is subtracted from the logit of a token that would follow, as it did before, the last n
 * tokens.
 *
 * @param multiplier of the penalty, such as 0.8; 0 for none
 * @param base how it grows with the length, such as 1.75
 * @param allowed the longest sequence that may repeat unpunished is one token shorter
 * @param window how many of the last tokens count; 0 for all
 * @param breakers tokens that sequences do not go across
 * @see <a href="https://github.com/oobabooga/text-generation-webui/pull/5677">its proposal</a>
 */
public record Dry(float multiplier, float base, int allowed, int window, Set<Integer> breakers)
    implements Warper {

  /** What usually breaks sequences: ends of lines, and what sets off speech and lists. */
  public static final List<String> BREAKERS = List.of("\n", ":", "\"", "*");

  /**
   * Checks every value.
   *
   * @throws IllegalArgumentException naming the first that is out of its range
   */
  public Dry {
    Ranges.require(multiplier, 0, Float.MAX_VALUE, "dry multiplier", "0 or a positive number");
    Ranges.require(base, 1, Float.MAX_VALUE, "dry base", "at least 1");
    Ranges.require(allowed, 1, Integer.MAX_VALUE, "dry allowed length", "at least 1");
    Ranges.require(window, 0, Integer.MAX_VALUE, "dry window", "at least 0");
    breakers = Set.copyOf(breakers);
  }

  /**
   * The usual one, broken by every token whose text has one of {@link #BREAKERS} in it.
   *
   * @param multiplier of the penalty, such as 0.8
   */
  public static Dry of(float multiplier, Tokenizer tokenizer) {
    return new Dry(multiplier, 1.75f, 2, 0, tokensWith(BREAKERS, tokenizer));
  }

  /** Every token whose text has one of these texts in it. */
  public static Set<Integer> tokensWith(List<String> texts, Tokenizer tokenizer) {
    Set<Integer> tokens = new HashSet<>();
    for (int id = 0; id < tokenizer.vocabularySize(); id++) {
      String text = tokenizer.decode(new int[] {id}, true);
      if (texts.stream().anyMatch(text::contains)) {
        tokens.add(id);
      }
    }
    return tokens;
  }

  /** The penalties of one generation. */
  final class Repeats {

    private int[] lengths = new int[0];

    void apply(TokenHistory history, float[] logits) {
      int first = window == 0 ? 0 : Math.max(0, history.length() - window);
      int length = history.length() - first;
      if (length < 2 || multiplier == 0 || isBreaker(history, history.length() - 1)) {
        return;
      }
      if (lengths.length < length) {
        lengths = new int[Math.max(64, 2 * length)];
      }
      int limit = 1;
      while (limit < length && !isBreaker(history, history.length() - 1 - limit)) {
        limit++;
      }
      match(history, length, limit);
      punish(history, length, logits);
    }

    private boolean isBreaker(TokenHistory history, int at) {
      return breakers.contains(history.token(at));
    }

    /**
     * For each place back from the last token, how many tokens up to there are the same as the last
     * ones: the Z function of the reversed text, which takes time in proportion to its length.
     */
    private void match(TokenHistory history, int length, int limit) {
      int last = history.length() - 1;
      int from = 0;
      int to = 0;
      for (int back = 1; back < length; back++) {
        int same = back < to ? Math.min(to - back, lengths[back - from]) : 0;
        while (back + same < length
            && history.token(last - same) == history.token(last - back - same)) {
          same++;
        }
        lengths[back] = same;
        if (back + same > to) {
          from = back;
          to = back + same;
        }
      }
      for (int back = 1; back < length; back++) {
        lengths[back] = Math.min(lengths[back], limit);
      }
    }

    /** A token that followed several such sequences is punished for the longest. */
    private void punish(TokenHistory history, int length, float[] logits) {
      int last = history.length() - 1;
      var longest = new HashMap<Integer, Integer>();
      for (int back = 1; back < length; back++) {
        int next = history.token(last - back + 1);
        if (lengths[back] >= allowed && next < logits.length && !breakers.contains(next)) {
          longest.merge(next, lengths[back], Math::max);
        }
      }
      longest.forEach((token, same) -> logits[token] -= penalty(same));
    }

    private float penalty(int same) {
      double penalty = multiplier * StrictMath.pow(base, same - allowed);
      return (float) Math.min(penalty, Float.MAX_VALUE / 4);
    }
  }
}
