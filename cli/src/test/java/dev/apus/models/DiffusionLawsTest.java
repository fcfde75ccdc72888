package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Evaluator;
import dev.apus.core.Evaluator.Change;
import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Session;
import dev.apus.core.config.ConfigException;
import dev.apus.core.generate.GenerationException;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.StopReason;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Diffusion;
import dev.apus.core.tensor.Matrix;
import dev.apus.diffusion.Ancestral;
import dev.apus.diffusion.Cache;
import dev.apus.diffusion.Canvas;
import dev.apus.diffusion.Denoising;
import dev.apus.diffusion.Draft;
import dev.apus.diffusion.Likelihood;
import dev.apus.diffusion.Quota;
import dev.apus.diffusion.Ranked;
import dev.apus.diffusion.Ranking;
import dev.apus.diffusion.Recipe;
import dev.apus.diffusion.Schedule;
import dev.apus.diffusion.TransferRule;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.block.WeightFormat;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** What holds for every diffusion model, whatever the rule and the cache. */
class DiffusionLawsTest {

  static final List<String> families = TinyModels.DIFFUSION_FAMILIES;

  static final List<String> blockFamilies =
      families.stream().filter(f -> diffusion(f).block() > 0).toList();

  static final List<String> wholeFamilies =
      families.stream().filter(f -> diffusion(f).block() == 0).toList();

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
          new Ancestral(Schedule.TIMED, Ancestral.Remasking.RESCALED, 0.5, true),
          new Ancestral(Schedule.EVEN, Ancestral.Remasking.CAPPED, 0.2, false));

  private static final int PROMPT = 21;
  private static final int GAP = 27;

  private static Diffusion diffusion(String family) {
    return TinyModels.architecture(family).diffusion();
  }

  private static Model model(String family, ModelOptions options) {
    return Model.random(TinyModels.architecture(family), 5, WeightFormat.F32, options);
  }

  private static Model model(String family) {
    return model(family, ModelOptions.standard().withThreads(2));
  }

  private static int[] tokens(int count) {
    return Arrays.stream(TinyModels.tokens(count, 3)).map(token -> token % 191).toArray();
  }

  private static Canvas canvas(Model model) {
    return Canvas.of(model, 80).append(tokens(PROMPT)).gap(GAP);
  }

  private static Recipe recipe(Model model) {
    return Recipe.of(model.architecture().diffusion());
  }

  private static List<int[]> drafts(Model model, Recipe recipe) {
    try (Canvas canvas = canvas(model);
        Stream<Draft> drafts = canvas.fill(recipe)) {
      return drafts.map(Draft::tokens).toList();
    }
  }

  private static void assertSame(List<int[]> expected, List<int[]> found) {
    assertEquals(expected.size(), found.size(), "evaluations");
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), found.get(i), "draft " + i);
    }
  }

  @ParameterizedTest
  @FieldSource("families")
  void everyRuleFillsWhatWasOpenAndNothingElse(String family) {
    try (Model model = model(family)) {
      for (TransferRule rule : RULES) {
        for (float temperature : new float[] {0, 1}) {
          Recipe recipe =
              recipe(model)
                  .withRule(rule)
                  .withSteps(9)
                  .withSampling(Sampling.greedy().withTemperature(temperature).withSeed(4));
          try (Canvas canvas = canvas(model)) {
            Denoising denoising = canvas.denoise(recipe);
            Draft last = denoising.finish();
            assertEquals(0, last.noise(), rule::toString);
            assertEquals(StopReason.MAX_TOKENS, denoising.stopReason().orElseThrow());
            assertArrayEquals(last.tokens(), canvas.tokens());
            assertArrayEquals(tokens(PROMPT), Arrays.copyOf(canvas.tokens(), PROMPT));
            int mask = model.architecture().diffusion().mask();
            assertTrue(Arrays.stream(canvas.tokens()).noneMatch(token -> token == mask));
            assertEquals(GAP, denoising.effort().tokens());
          }
        }
      }
    }
  }

  @ParameterizedTest
  @FieldSource("families")
  void neitherThreadsNorKernelsShow(String family) {
    List<int[]> expected;
    Sampling drawn = Sampling.plain().withSeed(9).withTopK(20);
    try (Model model = model(family, ModelOptions.standard().withThreads(1))) {
      expected = drafts(model, recipe(model).withSampling(drawn));
    }
    for (ModelOptions options :
        List.of(
            ModelOptions.standard().withThreads(3),
            ModelOptions.standard().withThreads(2).withKernels(Kernels.scalar()))) {
      try (Model model = model(family, options)) {
        assertSame(expected, drafts(model, recipe(model).withSampling(drawn)));
      }
    }
  }

  @ParameterizedTest
  @FieldSource("families")
  void aSeedIsATextAndAnotherSeedAnotherOne(String family) {
    try (Model model = model(family)) {
      Recipe one = recipe(model).withSampling(Sampling.plain().withSeed(1));
      Recipe two = recipe(model).withSampling(Sampling.plain().withSeed(2));
      assertSame(drafts(model, one), drafts(model, one));
      assertFalse(Arrays.equals(drafts(model, one).getLast(), drafts(model, two).getLast()));
    }
  }

  /** Rows that are computed again from the same tokens have the same bits, and so all others. */
  @ParameterizedTest
  @FieldSource("wholeFamilies")
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

  private static Matrix evaluate(Evaluator text, int[] positions, int[] tokens, int[] wanted) {
    return Evaluator.evaluate(List.of(new Change(text, positions, tokens, wanted)), () -> false);
  }

  /** Two texts in one pass do not see each other. */
  @ParameterizedTest
  @FieldSource("wholeFamilies")
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
  @FieldSource("wholeFamilies")
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
  @FieldSource("wholeFamilies")
  void otherCachesComputeLessAndSaySo(String family) {
    try (Model model = model(family)) {
      Recipe recipe = recipe(model).withRule(Ranked.by(Ranking.CONFIDENCE)).withWindow(9);
      int shift = model.architecture().diffusion().shifted() ? 1 : 0;
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
      assertTrue(shift >= 0);
      double exact = nats(model, recipe);
      for (Cache cache : List.of(new Cache.Prefix(0), new Cache.Dual(0), new Cache.Delayed(0))) {
        double approximate = nats(model, recipe.withCache(cache));
        assertNotEquals(exact, approximate, cache + " approximates");
        assertEquals(exact, approximate, 0.35 * exact, cache + " is not far off");
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
  @FieldSource("blockFamilies")
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
  @FieldSource("blockFamilies")
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

  @ParameterizedTest
  @FieldSource("families")
  void guidanceOfNothingChangesNothingAndMoreDoes(String family) {
    try (Model model = model(family)) {
      Recipe recipe = recipe(model).withSteps(9);
      Recipe guided = recipe.withGuidance(1.5);
      List<int[]> with = drafts(model, guided);
      assertFalse(Arrays.equals(drafts(model, recipe).getLast(), with.getLast()));
      assertSame(with, drafts(model, guided.withCache(Cache.NONE)));
    }
  }

  @ParameterizedTest
  @FieldSource("families")
  void editingReplacesTokensAndEnds(String family) {
    try (Model model = model(family)) {
      Recipe recipe = recipe(model).withRule(Ranked.by(Ranking.RANDOM)).withSteps(9);
      List<int[]> edited = drafts(model, recipe.withEditing(0.001));
      boolean replaced = false;
      for (int i = 1; i < edited.size(); i++) {
        for (int at = 0; at < edited.get(i).length; at++) {
          int before = edited.get(i - 1)[at];
          replaced |= before != 191 && before != edited.get(i)[at];
        }
      }
      assertTrue(replaced, "no token was replaced");
    }
  }

  @ParameterizedTest
  @FieldSource("families")
  void whatIsCancelledGoesOn(String family) {
    try (Model model = model(family);
        Canvas canvas = canvas(model)) {
      Recipe recipe = recipe(model).withCache(Cache.NONE).withRule(Ranked.by(Ranking.CONFIDENCE));
      Denoising first = canvas.denoise(recipe);
      for (int i = 0; i < 5; i++) {
        first.next();
      }
      int[] soFar = canvas.tokens();
      canvas.cancel();
      assertFalse(first.hasNext());
      assertEquals(StopReason.CANCELLED, first.stopReason().orElseThrow());
      assertArrayEquals(soFar, canvas.tokens());
      assertEquals(GAP - 5, canvas.noise());
      canvas.denoise(recipe).finish();
      assertArrayEquals(drafts(model, recipe).getLast(), canvas.tokens());
    }
  }

  @ParameterizedTest
  @FieldSource("families")
  void whatFailsLeavesTheCanvasAsItWas(String family) {
    try (Model model = model(family);
        Canvas canvas = canvas(model)) {
      int[] before = canvas.tokens();
      Recipe failing =
          recipe(model)
              .withRule(
                  moment -> {
                    if (moment.step() == 2) {
                      throw new IllegalStateException("on purpose");
                    }
                    moment.fix(moment.noisy().getFirst());
                  });
      var e = assertThrows(GenerationException.class, () -> canvas.denoise(failing).finish());
      assertEquals(
          "evaluation 4 failed: java.lang.IllegalStateException: on purpose", e.getMessage());
      assertArrayEquals(before, canvas.tokens());
      assertEquals(GAP, canvas.noise());
      Recipe recipe = recipe(model);
      var callback =
          assertThrows(
              GenerationException.class,
              () ->
                  canvas
                      .denoise(recipe)
                      .forEachRemaining(
                          draft -> {
                            throw new IllegalStateException("of the callback");
                          }));
      assertTrue(callback.getMessage().startsWith("the callback failed after evaluation 1"));
      assertArrayEquals(before, canvas.tokens());
      canvas.denoise(recipe).finish();
      assertArrayEquals(drafts(model, recipe).getLast(), canvas.tokens());
    }
  }

  @Test
  void anEvaluationThatIsCancelledKeepsNothing() {
    try (Model model = model("llada");
        Evaluator text = Evaluator.of(model, 20)) {
      int[] all = IntStream.range(0, 20).toArray();
      float[] expected = evaluate(text, all, tokens(20), all).data();
      assertEquals(20, text.length());
      int[] asked = {0};
      assertThrows(
          CancellationException.class,
          () ->
              Evaluator.evaluate(
                  List.of(new Change(text, all, new int[20], all)), () -> ++asked[0] > 3));
      assertEquals(0, text.length());
      assertArrayEquals(expected, evaluate(text, all, tokens(20), all).data());
    }
  }

  @Test
  void gapsMayBeAnywhereAndSpansMayBeErased() {
    try (Model model = model("llada");
        Canvas canvas = Canvas.of(model, 60)) {
      canvas.append(tokens(10)).gap(6).append(tokens(9)).gap(3).append(tokens(4));
      assertEquals(9, canvas.noise());
      canvas.denoise(recipe(model).withWindow(4)).finish();
      int[] filled = canvas.tokens();
      assertEquals(0, canvas.noise());
      assertArrayEquals(tokens(9), Arrays.copyOfRange(filled, 16, 25));
      assertArrayEquals(tokens(4), Arrays.copyOfRange(filled, 28, 32));
      canvas.replace(12, 20, 3);
      assertEquals(27, canvas.length());
      assertEquals(3, canvas.noise());
      assertArrayEquals(
          Arrays.copyOfRange(filled, 20, 32), Arrays.copyOfRange(canvas.tokens(), 15, 27));
      assertThrows(IllegalArgumentException.class, () -> canvas.gap(34));
      assertThrows(IllegalArgumentException.class, () -> canvas.append(192));
      assertThrows(IllegalArgumentException.class, () -> canvas.erase(3, 28));
      assertEquals(27, canvas.length());
    }
  }

  @Test
  void aCanvasThatIsChangedMeanwhileIsNotDenoised() {
    try (Model model = model("llada");
        Canvas canvas = canvas(model)) {
      Denoising denoising = canvas.denoise(recipe(model));
      denoising.next();
      canvas.append(3);
      assertThrows(IllegalStateException.class, denoising::next);
    }
  }

  @Test
  void whatCannotLookAheadIsRefusedByName() {
    try (Model hybrid = model("qwen3_next")) {
      var e = assertThrows(IllegalArgumentException.class, () -> Canvas.of(hybrid));
      assertTrue(e.getMessage().contains("gated-delta-net"), e.getMessage());
      assertThrows(IllegalArgumentException.class, () -> Evaluator.of(hybrid, 9));
    }
    Architecture mamba = TinyModels.architecture("mamba").denoising(Diffusion.masked(1));
    var refused =
        assertThrows(
            ConfigException.class, () -> TinyModels.of(mamba, Kernels.chosen(), 1).close());
    assertTrue(
        refused.getMessage().startsWith("layer 0: the mixer \"mamba\" cannot look ahead"),
        refused.getMessage());
    try (Model model = model("llada")) {
      var e = assertThrows(IllegalArgumentException.class, model::newSession);
      assertTrue(e.getMessage().startsWith("llada is a diffusion model"), e.getMessage());
      assertThrows(IllegalStateException.class, model::newEncoder);
    }
  }

  @Test
  void recipesThatDoNotFitAreRefused() {
    try (Model model = model("sdar");
        Canvas canvas = canvas(model)) {
      Recipe recipe = recipe(model);
      assertThrows(IllegalArgumentException.class, () -> canvas.denoise(recipe.withWindow(3)));
      assertThrows(
          IllegalArgumentException.class,
          () -> recipe.withSampling(Sampling.greedy().withRepetitionPenalty(2)));
      assertThrows(
          IllegalArgumentException.class,
          () -> canvas.denoise(recipe.withSampling(Sampling.greedy().withStop("x"))));
      assertEquals(GAP, canvas.noise());
    }
  }

  /** One position's probabilities add up to 1: a likelihood is one of a distribution. */
  @Test
  void likelihoodsAddUpToOne() {
    try (Model model = model("llada")) {
      int[] tokens = tokens(12);
      double sum = 0;
      for (int token = 0; token < 192; token++) {
        tokens[11] = token;
        sum += Math.exp(-Likelihood.of(model, tokens, 11, recipe(model)).nats());
      }
      assertEquals(1, sum, 1e-9);
    }
  }
}
