package dev.apus.attention.linear;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.memory.MatrixMemory.Decay;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.util.List;

/**
 * What the memories of a layer's heads forget at each token, and what the keys are where they
 * follow from it.
 */
sealed interface Forgetting
    permits Never, ConstantRates, ForgetGates, ComplementaryKeys, RunningSoftmax {

  /**
   * The heads that forget.
   *
   * @param kvHeads heads of keys and values, each of {@code heads / kvHeads} neighbours
   */
  record Heads(int heads, int kvHeads, int keyDim, int valueDim) {

    /** The head whose keys and values a head has. */
    int kvHead(int head) {
      return head / (heads / kvHeads);
    }
  }

  /** The settings of a way to forget. */
  sealed interface Spec
      permits Never.Spec,
          ConstantRates.Spec,
          ForgetGates.Spec,
          ComplementaryKeys.Spec,
          RunningSoftmax.Spec {

    /** For what there are decays. */
    Decay decay();

    /** What each head keeps at every token; null if that depends on the token. */
    default float[] factors(int heads) {
      return null;
    }

    /** Whether the keys follow from what is forgotten. */
    default boolean makesKeys() {
      return false;
    }

    /**
     * @param weights where gates have theirs, under {@code decay}
     * @param width values of the rows that gates are made of
     */
    Forgetting build(Heads heads, WeightScope weights, int width);

    /** What the section {@code decay} says: {@code rates}, a {@code gate}, or {@code keys}. */
    static Spec read(Config settings) {
      if (!settings.has("decay")) {
        return new Never.Spec();
      }
      Config c = settings.section("decay");
      if (c.has("gate")) {
        return ForgetGates.Spec.read(c);
      }
      if (c.has("keys")) {
        return c.choice("keys", null, "complement", "softmax").equals("complement")
            ? ComplementaryKeys.Spec.read(c)
            : RunningSoftmax.Spec.read(c);
      }
      return ConstantRates.Spec.read(c);
    }
  }

  /** Decays of a row; 0 if they do not depend on the token. */
  default int cols() {
    return 0;
  }

  /** What a sequence remembers for it besides the memories. */
  default List<Region> regions() {
    return List.of();
  }

  /** Adds what has to be done before {@link #finish} to one list, and what follows to another. */
  default void add(
      Pass pass,
      Pass.Frame frame,
      Matrix x,
      Matrix decays,
      List<Divisible> first,
      List<LowRank.Rest> second) {}

  /**
   * Makes the decays of each row, and the keys where they follow from them.
   *
   * @param region the first of its {@link #regions} in the states
   * @param keys what keys are made of; the keys, if it makes them
   * @param decays null if none depends on the token
   */
  default void finish(
      Pass pass, Batch<RecurrentState> batch, int region, Matrix keys, Matrix decays) {}

  /** The decays of a head in a run. */
  Rows rows(Matrix decays, Run<?> run, int head);
}
