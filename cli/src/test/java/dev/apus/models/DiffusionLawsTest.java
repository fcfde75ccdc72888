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
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Evaluator;
import dev.apus.core.Evaluator.Change;
import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.config.ConfigException;
import dev.apus.core.generate.GenerationException;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.StopReason;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Diffusion;
import dev.apus.core.tensor.Matrix;
import dev.apus.diffusion.Cache;
import dev.apus.diffusion.Canvas;
import dev.apus.diffusion.Denoising;
import dev.apus.diffusion.Draft;
import dev.apus.diffusion.Likelihood;
import dev.apus.diffusion.Ranked;
import dev.apus.diffusion.Ranking;
import dev.apus.diffusion.Recipe;
import dev.apus.diffusion.Revising;
import dev.apus.diffusion.TransferRule;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.block.WeightFormat;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** What holds for every diffusion model, whatever the rule and the cache. */
class DiffusionLawsTest {

  static final List<String> families = Denoised.FAMILIES;
  static final List<String> masked = Denoised.MASKED;

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

  @ParameterizedTest
  @FieldSource("masked")
  void guidanceOfNothingChangesNothingAndMoreDoes(String family) {
    try (Model model = model(family)) {
      Recipe recipe = recipe(model).withSteps(9);
      Recipe guided = recipe.withGuidance(1.5);
      if (model.architecture().diffusion().mask() < 0) {
        assertThrows(IllegalArgumentException.class, () -> drafts(model, guided));
        return;
      }
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

  /** Other noise is no less random when it is drawn anew. */
  @ParameterizedTest
  @FieldSource("masked")
  void whatIsCancelledGoesOn(String family) {
    try (Model model = model(family);
        Canvas canvas = canvas(model)) {
      Recipe recipe =
          recipe(model)
              .withCache(Cache.NONE)
              .withRule(Ranked.by(Ranking.CONFIDENCE))
              .withSampling(Sampling.greedy());
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
      assertEquals(0, canvas.noise());
      // What is told how noisy the text is hears now that all is noise.
      if (!model.architecture().diffusion().isTold()) {
        assertArrayEquals(drafts(model, recipe).getLast(), canvas.tokens());
      }
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
          "evaluation 3 could not be computed: java.lang.IllegalStateException: on purpose",
          e.getMessage());
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
      assertTrue(callback.getMessage().startsWith("the callback failed at evaluation 1"));
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

  @ParameterizedTest
  @FieldSource("families")
  void gapsMayBeAnywhereAndSpansMayBeErased(String family) {
    try (Model model = model(family);
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

  /** Noise that is any token in a text that is seen as a whole, of a model that knows no masks. */
  @Test
  void uniformNoiseIsOfNoOtherKind() {
    Architecture uniform = TinyModels.architecture("llada").denoising(Diffusion.uniform());
    ModelOptions options = ModelOptions.standard().withThreads(2);
    try (Model model = Model.random(uniform, 5, WeightFormat.F32, options);
        Model other =
            Model.random(
                uniform,
                5,
                WeightFormat.F32,
                options.withThreads(1).withKernels(Kernels.scalar()))) {
      assertEquals(Revising.STANDARD, recipe(model).rule());
      for (TransferRule rule : RULES) {
        Recipe recipe = recipe(model).withRule(rule).withSteps(9);
        List<int[]> found = drafts(model, recipe);
        assertSame(found, drafts(other, recipe));
        assertArrayEquals(tokens(PROMPT), Arrays.copyOf(found.getLast(), PROMPT));
        for (Cache cache : List.of(new Cache.Prefix(1), new Cache.Dual(1))) {
          assertSame(found, drafts(model, recipe.withCache(cache)));
        }
      }
      // What is noise changes from evaluation to evaluation, and follows from the seed.
      Recipe slow = recipe(model).withRule(Ranked.by(Ranking.CONFIDENCE));
      List<int[]> drafts = drafts(model, slow);
      assertFalse(Arrays.equals(drafts.getFirst(), drafts.get(1)));
      Recipe seeded = slow.withSampling(slow.sampling().withTemperature(0).withSeed(2));
      assertFalse(Arrays.equals(drafts(model, seeded).getLast(), drafts.getLast()));
      try (Canvas canvas = canvas(model)) {
        assertThrows(IllegalArgumentException.class, () -> canvas.denoise(slow.withGuidance(1)));
        assertThrows(
            IllegalArgumentException.class, () -> canvas.denoise(recipe(model).withEditing(0.5)));
        assertThrows(
            IllegalArgumentException.class,
            () -> Likelihood.of(model, tokens(12), 4, recipe(model)));
      }
    }
  }

  @Test
  void canvasesStandBehindAText() {
    try (Model model = model("diffusion_gemma");
        Canvas canvas = canvas(model);
        Evaluator text = Evaluator.of(model, 60)) {
      text.read(tokens(30), new int[0], () -> false);
      int[] noisy = tokens(16);
      float[] first = text.denoise(noisy, null, () -> false).data();
      assertEquals(30, text.length());
      assertArrayEquals(first, text.denoise(noisy, null, () -> false).data());
      Matrix zeros = Matrix.zeros(16, model.architecture().width());
      assertArrayEquals(first, text.denoise(noisy, zeros, () -> false).data());
      Arrays.fill(zeros.data(), 1);
      assertFalse(Arrays.equals(first, text.denoise(noisy, zeros, () -> false).data()));
      assertThrows(
          IllegalArgumentException.class, () -> text.denoise(tokens(17), null, () -> false));
      int[] all = {30, 31};
      assertThrows(
          IllegalStateException.class, () -> evaluate(text, all, new int[2], new int[] {0}));
      int[] asked = {0};
      assertThrows(
          CancellationException.class, () -> text.denoise(noisy, null, () -> ++asked[0] > 3));
      assertEquals(0, text.length());
      text.read(tokens(30), new int[0], () -> false);
      assertArrayEquals(first, text.denoise(noisy, null, () -> false).data());
      for (Cache cache : List.of(new Cache.Prefix(0), new Cache.Dual(0), new Cache.Delayed(0))) {
        assertThrows(
            IllegalArgumentException.class, () -> canvas.denoise(recipe(model).withCache(cache)));
      }
      assertThrows(
          IllegalArgumentException.class, () -> canvas.denoise(recipe(model).withWindow(17)));
      // What follows a gap on its canvas is seen, and stays.
      canvas.append(tokens(5));
      int[] filled = canvas.denoise(recipe(model)).finish().tokens();
      assertArrayEquals(tokens(5), Arrays.copyOfRange(filled, PROMPT + GAP, PROMPT + GAP + 5));
    }
  }
}
