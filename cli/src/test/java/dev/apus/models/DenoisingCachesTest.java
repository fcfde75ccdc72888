package dev.apus.models;

import static dev.apus.models.Denoised.GAP;
import static dev.apus.models.Denoised.PROMPT;
import static dev.apus.models.Denoised.RULES;
import static dev.apus.models.Denoised.assertSame;
import static dev.apus.models.Denoised.canvas;
import static dev.apus.models.Denoised.drafts;
import static dev.apus.models.Denoised.evaluate;
import static dev.apus.models.Denoised.model;
import static dev.apus.models.Denoised.recipe;
import static dev.apus.models.Denoised.tokens;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Evaluator;
import dev.apus.core.Evaluator.Change;
import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Session;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Diffusion;
import dev.apus.core.tensor.Matrix;
import dev.apus.diffusion.Cache;
import dev.apus.diffusion.Canvas;
import dev.apus.diffusion.Denoising;
import dev.apus.diffusion.Likelihood;
import dev.apus.diffusion.Ranked;
import dev.apus.diffusion.Ranking;
import dev.apus.diffusion.Recipe;
import dev.apus.diffusion.TransferRule;
import dev.apus.kernels.block.WeightFormat;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** What caches keep, and that it does not show where they say so. */
class DenoisingCachesTest {

  static final List<String> inBlocks = Denoised.IN_BLOCKS;
  static final List<String> asAWhole = Denoised.AS_A_WHOLE;

  /** Rows that are computed again from the same tokens have the same bits, and so all others. */
  @ParameterizedTest
  @FieldSource("asAWhole")
  void whatIsComputedAgainIsTheSame(String family) {
    int[] tokens = tokens(300);
    int[] all = IntStream.range(0, tokens.length).toArray();
    int[] some = {0, 7, 8, 9, 255, 256, 257, 299};
    int[] chosen = Arrays.stream(some).map(i -> tokens[i]).toArray();
    int[] wanted = IntStream.range(0, some.length).toArray();
    try (Model model = model(family);
        Evaluator text = Evaluator.of(model, 300)) {
      Matrix whole = evaluate(text, all, tokens, some);
      assertArrayEquals(whole.data(), evaluate(text, some, chosen, wanted).data());
      assertArrayEquals(whole.data(), evaluate(text, all, tokens, some).data());
      chosen[3] = (chosen[3] + 1) % 191;
      float[] other = evaluate(text, some, chosen, wanted).data();
      assertFalse(Arrays.equals(whole.data(), other), "another token shows");
      evaluate(text, some, Arrays.stream(some).map(i -> tokens[i]).toArray(), wanted);
      assertArrayEquals(whole.data(), evaluate(text, all, tokens, some).data());
    }
  }

  /** Two texts in one pass do not see each other. */
  @ParameterizedTest
  @FieldSource("asAWhole")
  void textsTogetherHaveTheBitsOfEachAlone(String family) {
    int[] one = tokens(31);
    int[] two = tokens(45);
    int[] ones = IntStream.range(0, 31).toArray();
    int[] twos = IntStream.range(0, 45).toArray();
    try (Model model = model(family);
        Evaluator a = Evaluator.of(model, 50);
        Evaluator b = Evaluator.of(model, 50)) {
      Matrix together =
          Evaluator.evaluate(
              List.of(new Change(a, ones, one, ones), new Change(b, twos, two, twos)), () -> false);
      a.forget();
      b.forget();
      float[] alone = evaluate(a, ones, one, ones).data();
      float[] other = evaluate(b, twos, two, twos).data();
      int split = alone.length;
      assertArrayEquals(alone, Arrays.copyOf(together.data(), split));
      assertArrayEquals(other, Arrays.copyOfRange(together.data(), split, split + other.length));
    }
  }

  @ParameterizedTest
  @FieldSource("asAWhole")
  void cachesThatAreRefreshedEachTimeAreExact(String family) {
    try (Model model = model(family)) {
      for (TransferRule rule : RULES) {
        Recipe recipe = recipe(model).withRule(rule).withSteps(9).withWindow(10);
        List<int[]> expected = drafts(model, recipe);
        for (Cache cache : List.of(new Cache.Prefix(1), new Cache.Dual(1), new Cache.Delayed(1))) {
          assertSame(expected, drafts(model, recipe.withCache(cache)));
        }
      }
    }
  }

  /** Rows of tokens that changed are computed at once, and what they change in others later. */
  @ParameterizedTest
  @FieldSource("asAWhole")
  void otherCachesComputeLessAndSaySo(String family) {
    try (Model model = model(family)) {
      Recipe recipe = recipe(model).withRule(Ranked.by(Ranking.CONFIDENCE)).withWindow(9);
      assertEquals(27L * (PROMPT + GAP), rows(model, recipe));
      long refreshes = 3L * (PROMPT + GAP);
      long prefix = refreshes + 8L * (27 + 18 + 9);
      long dual = refreshes + 3L * 8 * 9;
      assertEquals(prefix, rows(model, recipe.withCache(new Cache.Prefix(0))));
      assertEquals(dual, rows(model, recipe.withCache(new Cache.Dual(0))));
      assertTrue(rows(model, recipe.withCache(new Cache.Delayed(0))) < 27L * (PROMPT + GAP));
      Diffusion diffusion = model.architecture().diffusion();
      assertTrue(Cache.NONE.isExact(diffusion));
      for (Cache cache :
          List.of(Cache.BLOCKS, new Cache.Prefix(0), new Cache.Dual(0), new Cache.Delayed(0))) {
        assertFalse(cache.isExact(diffusion));
      }
      double exact = nats(model, recipe);
      for (Cache cache : List.of(new Cache.Prefix(0), new Cache.Dual(0), new Cache.Delayed(0))) {
        double approximate = nats(model, recipe.withCache(cache));
        assertNotEquals(exact, approximate, cache + " approximates");
        // Random scores are no ratios of probabilities, so that some tokens have none.
        if (!diffusion.output().isScore()) {
          assertEquals(exact, approximate, 0.35 * exact, cache + " is not far off");
        }
      }
    }
  }

  private static long rows(Model model, Recipe recipe) {
    try (Canvas canvas = canvas(model)) {
      Denoising denoising = canvas.denoise(recipe);
      denoising.finish();
      return denoising.effort().rows();
    }
  }

  private static double nats(Model model, Recipe recipe) {
    return Likelihood.of(model, tokens(PROMPT + GAP), PROMPT, recipe).nats();
  }

  @ParameterizedTest
  @FieldSource("inBlocks")
  void blocksThatAreKeptAreExact(String family) {
    try (Model model = model(family)) {
      assertTrue(Cache.BLOCKS.isExact(model.architecture().diffusion()));
      for (TransferRule rule : RULES) {
        Recipe recipe = recipe(model).withRule(rule).withSteps(20).withCache(Cache.BLOCKS);
        assertSame(drafts(model, recipe.withCache(Cache.NONE)), drafts(model, recipe));
        assertTrue(rows(model, recipe) <= rows(model, recipe.withCache(Cache.NONE)));
      }
      Recipe slow = recipe(model).withRule(Ranked.by(Ranking.CONFIDENCE));
      assertTrue(rows(model, slow) < rows(model, slow.withCache(Cache.NONE)));
    }
  }

  /** The prompt of a second call is not computed again, and that does not show. */
  @ParameterizedTest
  @FieldSource("inBlocks")
  void blocksAreKeptFromOneCallToTheNext(String family) {
    try (Model model = model(family);
        Canvas going = Canvas.of(model, 120).append(tokens(33)).gap(17)) {
      Recipe recipe = recipe(model);
      going.denoise(recipe).finish();
      going.append(tokens(5)).gap(11);
      try (Canvas anew = going.fork()) {
        Denoising second = going.denoise(recipe);
        second.finish();
        Denoising fresh = anew.denoise(recipe);
        fresh.finish();
        assertArrayEquals(anew.tokens(), going.tokens());
        assertTrue(second.effort().rows() < fresh.effort().rows());
        // A change at the beginning is seen.
        going.erase(2, 4).denoise(recipe).finish();
        anew.erase(2, 4).denoise(recipe.withCache(Cache.NONE)).finish();
        assertArrayEquals(anew.tokens(), going.tokens());
      }
    }
  }

  /** A block of one token sees what a causal model's token sees. */
  @Test
  void blocksOfOneTokenAreCausal() {
    Architecture sdar = TinyModels.architecture("sdar");
    Architecture single = sdar.denoising(sdar.diffusion().inBlocks(1));
    int[] tokens = tokens(40);
    int[] all = IntStream.range(0, 40).toArray();
    try (Model causal =
            Model.random(
                TinyModels.architecture("qwen3"),
                5,
                WeightFormat.F32,
                ModelOptions.standard().withThreads(2));
        Model blocks =
            Model.random(single, 5, WeightFormat.F32, ModelOptions.standard().withThreads(2));
        Session session = causal.newSession(40);
        Evaluator text = Evaluator.of(blocks, 40)) {
      float[][] expected = session.score(tokens);
      text.logits(
          text.read(tokens, all, () -> false),
          (row, worker, logits, at) ->
              assertArrayEquals(expected[row], Arrays.copyOfRange(logits, at, at + 192)));
    }
  }
}
