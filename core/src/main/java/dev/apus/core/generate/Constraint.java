package dev.apus.core.generate;

import dev.apus.core.tokenizer.TokenBytes;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Supplier;

/**
 * What the text of a generation must be. Immutable, so that any number of generations on any
 * threads may share one; what one of them has written is in its {@link Follower}.
 */
public interface Constraint {

  /**
   * Begins to follow a text, which is still empty.
   *
   * @param tokens what the tokens of the vocabulary write
   * @param ends the tokens that end a text
   * @throws IllegalArgumentException if no text of the vocabulary does what is asked for
   */
  Follower start(TokenBytes tokens, Set<Integer> ends);

  /**
   * Begins to follow a text that a sampling constrains; null if it does not.
   *
   * @param ends the tokens with which the model ends a text
   * @param tokens asked for if there is a constraint
   */
  static Follower of(Sampling sampling, Set<Integer> ends, Supplier<TokenBytes> tokens) {
    if (sampling.constraint() == null) {
      return null;
    }
    Set<Integer> all = new HashSet<>(ends);
    all.addAll(sampling.stopTokens());
    return sampling.constraint().start(tokens.get(), all);
  }

  /** Follows one text, on one thread at a time. */
  interface Follower {

    /**
     * Bans, by negative infinity, all tokens after which the text could not become what it must be,
     * and those that end the text where it is not.
     *
     * @throws GenerationException if no token is left
     */
    void restrict(float[] logits);

    /** Goes on by a token that was not banned. */
    void accept(int token);

    /** Whether the text may end here. */
    boolean isComplete();

    /** Whether the text must end here, because nothing may follow. */
    boolean isFinished();
  }
}
