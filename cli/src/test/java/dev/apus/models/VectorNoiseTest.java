package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Evaluator;
import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.generate.GenerationException;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.StopReason;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NoiseSchedule;
import dev.apus.core.tensor.Matrix;
import dev.apus.diffusion.Bound;
import dev.apus.diffusion.Cache;
import dev.apus.diffusion.Canvas;
import dev.apus.diffusion.Denoising;
import dev.apus.diffusion.Draft;
import dev.apus.diffusion.Gaussian;
import dev.apus.diffusion.Likelihood;
import dev.apus.diffusion.Ranked;
import dev.apus.diffusion.Ranking;
import dev.apus.diffusion.Recipe;
import dev.apus.diffusion.VectorBound;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.block.WeightFormat;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A model whose noise is in the vectors of tokens, and what its authors' code makes of it. */
class VectorNoiseTest {

  private static final int STEPS = 7;

  private static Path golden() throws URISyntaxException {
    return Path.of(VectorNoiseTest.class.getResource("/goldens/plaid").toURI());
  }

  private static Model published() throws URISyntaxException {
    return Model.load(golden(), ModelOptions.standard().withThreads(2));
  }

  private static Config expected() throws URISyntaxException {
    return Config.read(golden().resolve("expected.json"));
  }

  private static Model model() {
    return Denoised.model("plaid");
  }

  private static Recipe recipe(Model model) {
    return Recipe.of(model).withSteps(STEPS);
  }

  /** A given beginning and end, and a gap between. */
  private static Canvas canvas(Model model) {
    return Canvas.of(model, 40).append(Denoised.tokens(8)).gap(15).append(Denoised.tokens(5));
  }

  private static List<int[]> drafts(Model model, Recipe recipe) {
    try (Canvas canvas = canvas(model);
        var drafts = canvas.fill(recipe)) {
      return drafts.map(Draft::tokens).toList();
    }
  }

  @Test
  void theScheduleIsTheLearnedOneAndGrows() throws URISyntaxException {
    try (Model model = published()) {
      NoiseSchedule schedule = model.noiseSchedule();
      for (Config point : expected().sections("schedule")) {
        assertEquals(point.number("level"), schedule.at(point.number("time")), 1e-9);
      }
      for (double time = 0.01; time < 1; time += 0.07) {
        double step = 1e-5;
        double slope = (schedule.at(time + step) - schedule.at(time - step)) / (2 * step);
        assertEquals(slope, schedule.rate(time), 1e-6 * slope);
        assertTrue(slope > 0);
      }
    }
  }

  @Test
  void theBoundIsThePublishedOneByItsParts() throws URISyntaxException {
    try (Model model = published()) {
      Config bound = expected().section("vector_bound");
      int[] tokens = bound.integers("tokens").stream().mapToInt(i -> i).toArray();
      List<Integer> seeds = bound.integers("seeds");
      double prior = VectorBound.of(model, tokens, 2, 1).prior();
      double reconstruction = VectorBound.reconstruction(model, tokens, seeds.getFirst());
      assertEquals(bound.number("prior"), prior, 1e-5 * prior);
      assertEquals(bound.number("reconstruction"), reconstruction, 1e-5 * reconstruction);
      List<Double> times = bound.numbers("times");
      double diffusion = 0;
      for (int i = 0; i < times.size(); i++) {
        diffusion += VectorBound.diffusion(model, tokens, times.get(i), seeds.get(i + 1));
      }
      double nats = bound.number("nats");
      assertEquals(nats, prior + reconstruction + diffusion / times.size(), 1e-5 * nats);
    }
  }

  @Test
  void theBoundIsTheSumOfItsPartsAndOfWholeTexts() {
    try (Model model = model()) {
      int[] tokens = Denoised.tokens(9);
      VectorBound parts = VectorBound.of(model, tokens, 12, 5);
      Bound bound = Bound.of(model, tokens, 0, 12, 5);
      assertEquals(parts.prior() + parts.reconstruction() + parts.diffusion(), bound.nats());
      assertEquals(9, bound.tokens());
      assertThrows(IllegalArgumentException.class, () -> Bound.of(model, tokens, 3, 12, 5));
      var thrown =
          assertThrows(
              IllegalArgumentException.class, () -> Likelihood.of(model, tokens, 3, recipe(model)));
      assertTrue(thrown.getMessage().contains("use Bound"), thrown::getMessage);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aTextIsThatOfItsSeedWhateverComputesIt(Gaussian.Predictor predictor) {
    List<int[]> texts;
    Recipe recipe;
    try (Model model = model()) {
      recipe = recipe(model).withRule(Gaussian.STANDARD.with(predictor));
      texts = drafts(model, recipe);
      Denoised.assertSame(texts, drafts(model, recipe));
      List<int[]> other = drafts(model, recipe.withSampling(Sampling.greedy().withSeed(8)));
      assertFalse(Arrays.equals(texts.getLast(), other.getLast()));
      Recipe warm = recipe.withSampling(Sampling.plain().withSeed(recipe.sampling().seed()));
      assertFalse(Arrays.equals(texts.getLast(), drafts(model, warm).getLast()));
    }
    for (ModelOptions options :
        List.of(
            ModelOptions.standard().withThreads(3),
            ModelOptions.standard().withThreads(1).withKernels(Kernels.scalar()))) {
      try (Model model = Denoised.model("plaid", options)) {
        Denoised.assertSame(texts, drafts(model, recipe));
      }
    }
  }

  @Test
  void whatIsGivenStaysAndTellsTheRest() {
    try (Model model = model();
        Canvas canvas = canvas(model)) {
      Denoising denoising = canvas.denoise(recipe(model));
      while (denoising.hasNext()) {
        Draft draft = denoising.next();
        assertArrayEquals(Denoised.tokens(8), Arrays.copyOf(draft.tokens(), 8));
        assertArrayEquals(Denoised.tokens(5), Arrays.copyOfRange(draft.tokens(), 23, 28));
        assertEquals(denoising.hasNext() ? 15 : 0, draft.noise());
      }
      assertEquals(StopReason.MAX_TOKENS, denoising.stopReason().orElseThrow());
      assertEquals(STEPS + 1, denoising.effort().evaluations());
      assertEquals(15, denoising.effort().tokens());
      try (Canvas other = Canvas.of(model, 40)) {
        other.append(IntStream.range(100, 108).toArray()).gap(15).append(Denoised.tokens(5));
        int[] found = other.denoise(recipe(model)).finish().tokens();
        assertFalse(
            Arrays.equals(
                Arrays.copyOfRange(canvas.tokens(), 8, 23), Arrays.copyOfRange(found, 8, 23)));
      }
    }
  }

  @Test
  void whatFailsLeavesTheCanvasAndWhatIsCancelledGoesOn() {
    try (Model model = model()) {
      try (Canvas canvas = canvas(model)) {
        int[] before = canvas.tokens();
        Denoising denoising = canvas.denoise(recipe(model));
        denoising.next();
        denoising.next();
        canvas.cancel();
        assertFalse(denoising.hasNext());
        assertEquals(StopReason.CANCELLED, denoising.stopReason().orElseThrow());
        assertEquals(15, canvas.noise());
        int[] whole = canvas.denoise(recipe(model)).finish().tokens();
        assertArrayEquals(drafts(model, recipe(model)).getLast(), whole);
        assertEquals(0, canvas.noise());
        assertArrayEquals(Arrays.copyOf(before, 8), Arrays.copyOf(whole, 8));
      }
    }
    Model closed = model();
    try (Canvas canvas = canvas(closed)) {
      int[] before = canvas.tokens();
      Denoising denoising = canvas.denoise(recipe(closed));
      denoising.next();
      closed.close();
      assertThrows(GenerationException.class, denoising::next);
      assertArrayEquals(before, canvas.tokens());
      assertEquals(15, canvas.noise());
    }
  }

  @Test
  void whatHasNoMeaningIsRefusedByName() {
    try (Model model = model();
        Canvas canvas = canvas(model)) {
      Recipe recipe = recipe(model);
      for (Recipe wrong :
          List.of(
              recipe.withGuidance(2),
              recipe.withEditing(0.9),
              recipe.withWindow(4),
              recipe.withCache(Cache.BLOCKS),
              recipe.withRule(Ranked.by(Ranking.CONFIDENCE)))) {
        var thrown = assertThrows(IllegalArgumentException.class, () -> canvas.denoise(wrong));
        assertTrue(thrown.getMessage().contains("vectors"), thrown::getMessage);
      }
      try (Evaluator text = Evaluator.of(model, 8)) {
        assertThrows(
            IllegalStateException.class, () -> text.read(new int[] {1}, new int[0], () -> false));
        Matrix narrow = Matrix.zeros(3, 2);
        assertThrows(IllegalArgumentException.class, () -> text.denoise(narrow, null, () -> false));
      }
    }
    try (Model tokens = Denoised.model("llada");
        Canvas canvas = Denoised.canvas(tokens);
        Evaluator text = Evaluator.of(tokens, 8)) {
      Recipe recipe = Denoised.recipe(tokens).withRule(Gaussian.STANDARD);
      assertThrows(IllegalArgumentException.class, () -> canvas.denoise(recipe));
      Matrix vectors = Matrix.zeros(3, 64);
      assertThrows(IllegalStateException.class, () -> text.denoise(vectors, null, () -> false));
    }
  }

  /** Vectors have a way of their own into the model, and no other goes with them. */
  @Test
  void documentsThatContradictThemselvesAreRefused() {
    String plaid = TinyModels.architecture("plaid").toJson();
    for (String[] change :
        new String[][] {
          {"\"tied\" : false", "\"tied\" : true"},
          {"\"positions\" : 0", "\"positions\" : 512"},
          {"\"visibility\" : \"bidirectional\"", "\"visibility\" : \"causal\""},
          {"\"gaussian\" : {", "\"block\" : 8, \"gaussian\" : {"},
          {"\"noise\" : \"gaussian\"", "\"noise\" : \"uniform\""}
        }) {
      String changed = plaid.replace(change[0], change[1]);
      assertFalse(changed.equals(plaid), change[0]);
      Config document = Config.parse("changed", changed.getBytes(StandardCharsets.UTF_8));
      assertThrows(
          ConfigException.class,
          () ->
              Model.random(
                      Architecture.read(document),
                      1,
                      WeightFormat.F32,
                      ModelOptions.standard().withThreads(1))
                  .close(),
          change[1]);
    }
  }
}
