package dev.apus.diffusion;

import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.StopReason;
import dev.apus.core.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Set;

/**
 * Where a text ends early: at a token that ends texts or after a stop text, once everything before
 * it stands. Only what comes after all that was given can end a text; in a gap before, such tokens
 * are not chosen.
 *
 * @param tailFrom the first position at which the text may end
 */
record Ending(
    int tailFrom,
    BitSet modelEnds,
    BitSet stopTokens,
    List<String> stopTexts,
    Tokenizer tokenizer) {

  /**
   * How a text ends.
   *
   * @param length of what is left of it
   * @param stop the stop text that its end holds, or null
   */
  record Found(StopReason reason, int length, String stop) {}

  /**
   * @param given the positions whose tokens were given
   * @param never whether a text is taken as it is
   * @throws IllegalArgumentException if a stop token is not in the vocabulary, or a stop text can
   *     never be found
   */
  static Ending of(Canvas canvas, Sampling sampling, BitSet given, int length, boolean never) {
    int tailFrom = given.length();
    int vocabulary = canvas.model().architecture().vocabulary();
    BitSet stops = ids(sampling.stopTokens());
    if (stops.length() > vocabulary) {
      throw new IllegalArgumentException(
          "stopTokens holds "
              + (stops.length() - 1)
              + "; the vocabulary has the ids 0 to "
              + (vocabulary - 1));
    }
    Tokenizer tokenizer = canvas.tokenizerOrNull();
    List<String> stopTexts = never ? List.of() : sampling.stopTexts();
    if (!stopTexts.isEmpty() && (tailFrom == length || tokenizer == null)) {
      throw new IllegalArgumentException(
          tokenizer == null
              ? "stopTexts need a tokenizer, and the checkpoint has none"
              : "stopTexts end a text, and the end of this one is given");
    }
    BitSet ends = never ? new BitSet() : ids(canvas.model().endTokens());
    return new Ending(tailFrom, ends, never ? new BitSet() : stops, stopTexts, tokenizer);
  }

  private static BitSet ids(Set<Integer> ids) {
    BitSet bits = new BitSet();
    ids.forEach(bits::set);
    return bits;
  }

  /** What proposes tokens with these ends in mind. */
  Proposer proposer(Canvas canvas, Sampling how, int[] truth) {
    BitSet never = ids(canvas.model().unusedTokens());
    if (canvas.diffusion().mask() >= 0) {
      never.set(canvas.diffusion().mask());
    }
    BitSet ends = (BitSet) modelEnds.clone();
    ends.or(stopTokens);
    int vocabulary = canvas.model().architecture().vocabulary();
    if (tokenizer != null && tokenizer.vocabularySize() < vocabulary) {
      // A score says something of all others.
      vocabulary = canvas.diffusion().output().isScore() ? vocabulary : tokenizer.vocabularySize();
    }
    return new Proposer(
        canvas.diffusion(), how, vocabulary, canvas.model().threads(), never, ends, truth);
  }

  /** Where a text ends, or null if nothing ends it yet. */
  Found find(int[] tokens, BitSet noisy) {
    int stands = noisy.nextSetBit(tailFrom);
    stands = stands < 0 ? tokens.length : stands;
    for (int i = tailFrom; i < stands; i++) {
      if (modelEnds.get(tokens[i])) {
        return stopText(tokens, i, new Found(StopReason.END_OF_TEXT, i, null));
      }
      if (stopTokens.get(tokens[i])) {
        return stopText(tokens, i, new Found(StopReason.STOP_TOKEN, i, null));
      }
    }
    return stopText(tokens, stands, null);
  }

  /** The first stop text in what stands, or else what was found without it. */
  private Found stopText(int[] tokens, int stands, Found otherwise) {
    if (stopTexts.isEmpty()) {
      return otherwise;
    }
    for (int end = tailFrom + 1; end <= stands; end++) {
      String text = tokenizer.decode(Arrays.copyOfRange(tokens, tailFrom, end), false);
      for (String stop : stopTexts) {
        if (text.contains(stop)) {
          return new Found(StopReason.STOP_TEXT, end, stop);
        }
      }
    }
    return otherwise;
  }
}
