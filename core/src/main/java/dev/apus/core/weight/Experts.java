package dev.apus.core.weight;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;

/** The weights of a layer's experts, of which only those that are asked need be in memory. */
public interface Experts {

  /** What is in memory until this is closed. */
  interface Use extends AutoCloseable {
    @Override
    void close();
  }

  /** Says which experts a layer will probably ask. */
  @FunctionalInterface
  interface Guess {

    /**
     * @param x the rows that the experts of the layer before are asked with
     * @return ascending
     */
    int[] experts(Pass pass, Matrix x);
  }

  /** The weights of one expert. */
  WeightScope expert(int index);

  /**
   * Brings experts into memory, as far as there is room, and keeps them there. Those that find none
   * are computed with all the same, from where they lie.
   *
   * @param asked ascending
   * @param tokens that ask them
   */
  Use use(Pass pass, int[] asked, int tokens);

  /** Who says what this layer will ask. */
  void guessedBy(Guess guess);

  /**
   * Lets the experts that the next layer will probably ask be brought in meanwhile, if that is
   * wished.
   *
   * @param x the rows that these experts are asked with
   */
  void foresee(Pass pass, Matrix x);

  /** Experts that lie where all other weights lie. */
  static Experts of(WeightScope weights) {
    return new Experts() {
      @Override
      public WeightScope expert(int index) {
        return weights.expert(index);
      }

      @Override
      public Use use(Pass pass, int[] asked, int tokens) {
        return () -> {};
      }

      @Override
      public void guessedBy(Guess guess) {}

      @Override
      public void foresee(Pass pass, Matrix x) {}
    };
  }
}
