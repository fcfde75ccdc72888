package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.core.Evaluator;
import dev.apus.core.Evaluator.Change;
import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.model.Diffusion;
import dev.apus.core.model.Diffusion.Noise;
import dev.apus.core.tensor.Matrix;
import dev.apus.diffusion.Ancestral;
import dev.apus.diffusion.Canvas;
import dev.apus.diffusion.Draft;
import dev.apus.diffusion.Quota;
import dev.apus.diffusion.Ranked;
import dev.apus.diffusion.Ranking;
import dev.apus.diffusion.Recipe;
import dev.apus.diffusion.Revising;
import dev.apus.diffusion.Schedule;
import dev.apus.diffusion.TransferRule;
import dev.apus.kernels.block.WeightFormat;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** A prompt and a gap for small diffusion models, and the drafts of filling it. */
final class Denoised {

  static final List<String> FAMILIES =
      TinyModels.DIFFUSION_FAMILIES.stream()
          .filter(family -> !TinyVectors.FAMILIES.contains(family))
          .toList();

  static final List<String> IN_BLOCKS =
      FAMILIES.stream().filter(f -> diffusion(f).block() > 0).toList();

  static final List<String> MASKED =
      FAMILIES.stream().filter(f -> diffusion(f).noise() == Noise.ABSORBING).toList();

  static final List<String> AS_A_WHOLE =
      FAMILIES.stream().filter(f -> diffusion(f).block() == 0).toList();

  static final List<TransferRule> RULES =
      List.of(
          Ranked.by(Ranking.CONFIDENCE),
          Ranked.by(Ranking.RANDOM),
          Ranked.by(Ranking.SEQUENTIAL),
          Ranked.above(0.02),
          new Ranked(Ranking.CONFIDENCE, new Quota.Factor(1.9), Schedule.EVEN),
          new Ranked(Ranking.ENTROPY, new Quota.EntropyBound(9), Schedule.EVEN),
          new Ranked(Ranking.MARGIN, Quota.SCHEDULED, Schedule.TIMED),
          Ancestral.of(Schedule.EVEN),
          new Revising(3, 9, 0.8f, 0.4f, 1, 0.005),
          new Ancestral(Schedule.TIMED, Ancestral.Remasking.RESCALED, 0.5, true),
          new Ancestral(Schedule.EVEN, Ancestral.Remasking.CAPPED, 0.2, false));

  /** Tokens before the gap. */
  static final int PROMPT = 21;

  static final int GAP = 27;

  static Diffusion diffusion(String family) {
    return TinyModels.architecture(family).diffusion();
  }

  static Model model(String family, ModelOptions options) {
    return Model.random(TinyModels.architecture(family), 5, WeightFormat.F32, options);
  }

  static Model model(String family) {
    return model(family, ModelOptions.standard().withThreads(2));
  }

  static int[] tokens(int count) {
    return Arrays.stream(TinyModels.tokens(count, 3)).map(token -> token % 191).toArray();
  }

  static Canvas canvas(Model model) {
    return Canvas.of(model, 80).append(tokens(PROMPT)).gap(GAP);
  }

  static Recipe recipe(Model model) {
    return Recipe.of(model.architecture().diffusion());
  }

  static List<int[]> drafts(Model model, Recipe recipe) {
    try (Canvas canvas = canvas(model);
        Stream<Draft> drafts = canvas.fill(recipe)) {
      return drafts.map(Draft::tokens).toList();
    }
  }

  static void assertSame(List<int[]> expected, List<int[]> found) {
    assertEquals(expected.size(), found.size(), "evaluations");
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), found.get(i), "draft " + i);
    }
  }

  static Matrix evaluate(Evaluator text, int[] positions, int[] tokens, int[] wanted) {
    return Evaluator.evaluate(List.of(new Change(text, positions, tokens, wanted)), () -> false);
  }

  private Denoised() {}
}
