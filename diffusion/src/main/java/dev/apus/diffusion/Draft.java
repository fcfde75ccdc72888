package dev.apus.diffusion;

import dev.apus.core.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/** A text on its way from noise to text, after one evaluation. */
public final class Draft {

  private final int evaluations;
  private final int[] tokens;
  private final BitSet noisy;
  private final List<Proposal> changes;
  private final Tokenizer tokenizer;
  private final String stop;
  private final boolean legible;

  /**
   * @param tokenizer or null
   * @param stop the text before which this one ends, or null
   * @param legible whether tokens at noisy positions are what the text looks like there
   */
  Draft(
      int evaluations,
      int[] tokens,
      BitSet noisy,
      List<Proposal> changes,
      Tokenizer tokenizer,
      String stop,
      boolean legible) {
    this.evaluations = evaluations;
    this.tokens = tokens.clone();
    this.noisy = (BitSet) noisy.clone();
    this.changes = List.copyOf(changes);
    this.tokenizer = tokenizer;
    this.stop = stop;
    this.legible = legible;
  }

  /** How often the model has been asked. */
  public int evaluations() {
    return evaluations;
  }

  /**
   * The tokens of the whole text; what stands at a noisy position is noise, or, where the noise is
   * in vectors, what is proposed for it.
   */
  public int[] tokens() {
    return tokens.clone();
  }

  public boolean isNoisy(int position) {
    return noisy.get(position);
  }

  /** How many positions are noisy still. */
  public int noise() {
    return noisy.cardinality();
  }

  /** What the last evaluation fixed or replaced, from left to right. */
  public List<Proposal> changes() {
    return changes;
  }

  /**
   * The text with a mark for each noisy position; where the noise is in vectors, what is proposed
   * stands there.
   *
   * @throws IllegalStateException if the checkpoint has no tokenizer
   */
  public String text(String mark) {
    return text(0, mark);
  }

  /** The text from a position on, with a mark for each noisy one. */
  public String text(int from, String mark) {
    if (tokenizer == null) {
      throw new IllegalStateException("there is no tokenizer; ask for tokens instead of text");
    }
    var text = new StringBuilder();
    BitSet hidden = legible ? new BitSet() : noisy;
    for (int at = from, to; at < tokens.length; at = to) {
      boolean noise = hidden.get(at);
      to = noise ? hidden.nextClearBit(at) : hidden.nextSetBit(at);
      to = to < 0 ? tokens.length : Math.min(to, tokens.length);
      text.append(
          noise
              ? mark.repeat(to - at)
              : tokenizer.decode(Arrays.copyOfRange(tokens, at, to), false));
    }
    int end = stop == null ? -1 : text.lastIndexOf(stop);
    return end < 0 ? text.toString() : text.substring(0, end);
  }

  @Override
  public String toString() {
    return "draft after " + evaluations + " evaluations, " + noise() + " positions noisy";
  }
}
