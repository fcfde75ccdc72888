package dev.apus.diffusion;

import dev.apus.core.Model;
import java.util.BitSet;
import java.util.List;
import java.util.function.BooleanSupplier;

/** The evaluations of one text: what is computed, and what is kept of it. */
interface Passes extends AutoCloseable {

  /** What computes a text of at most {@code limit} tokens by a recipe. */
  static Passes of(Model model, int limit, Recipe recipe) {
    return model.architecture().diffusion().gaussian() == null
        ? new TokenPasses(model, limit, recipe)
        : new VectorPasses(model, limit, recipe);
  }

  /** How often the model was asked. */
  int evaluations();

  /** How many rows went through it; one with guidance counts once. */
  long computed();

  /** Keeps nothing but what holds for the first {@code same} tokens. */
  void keep(int same);

  /** Says what comes next, and how noisy the text is then. */
  void begin(Progress now, double level);

  /**
   * Asks the model once.
   *
   * @param tokens of the text
   * @param given which of them are known; noise takes their place for guidance
   * @param evaluation of this window, from 0 on
   */
  void evaluate(
      int[] tokens,
      BitSet given,
      Window window,
      int evaluation,
      BitSet noisy,
      BitSet changed,
      BooleanSupplier cancelled);

  /**
   * What is proposed for some positions of the window that was evaluated last.
   *
   * @param evaluation how often the model has been asked for this filling, for random numbers
   * @param tailFrom the first position at which the text may end
   * @param heat what logits are divided by first
   */
  List<Proposal> proposals(
      int[] positions, Proposer proposer, int evaluation, int tailFrom, float heat);

  @Override
  void close();
}
