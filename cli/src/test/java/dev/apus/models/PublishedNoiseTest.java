package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Evaluator;
import dev.apus.core.Evaluator.Change;
import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.config.Config;
import dev.apus.core.file.Safetensors;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.generate.Sampling;
import dev.apus.core.model.Diffusion;
import dev.apus.core.model.NoiseLevels;
import dev.apus.core.tensor.Matrix;
import dev.apus.diffusion.Ancestral;
import dev.apus.diffusion.Bound;
import dev.apus.diffusion.Cache;
import dev.apus.diffusion.Canvas;
import dev.apus.diffusion.Denoising;
import dev.apus.diffusion.FirstHitting;
import dev.apus.diffusion.Likelihood;
import dev.apus.diffusion.Posterior;
import dev.apus.diffusion.Recipe;
import dev.apus.diffusion.Reverse;
import dev.apus.diffusion.Schedule;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What models of research are told of noise, and what their authors' code makes of it. */
class PublishedNoiseTest {

  private static final ModelOptions OPTIONS = ModelOptions.standard().withThreads(2);

  private static Path golden(String name) throws URISyntaxException {
    return Path.of(PublishedNoiseTest.class.getResource("/goldens/" + name).toURI());
  }

  private static Config expected(String name) throws URISyntaxException {
    return Config.read(golden(name).resolve("expected.json"));
  }

  private static int[] ints(Config c, String key) {
    return c.integers(key).stream().mapToInt(i -> i).toArray();
  }

  private static int[] inputs(String name) throws URISyntaxException, IOException {
    try (Safetensors file = Safetensors.open(golden(name).resolve("expected.safetensors"))) {
      StoredTensor tensor = file.tensors().get("input_ids");
      int[] tokens = new int[(int) tensor.data().byteSize() / 4];
      tensor.data().asByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(tokens);
      return tokens;
    }
  }

  /** Logarithms of scores of every position, at a level. */
  private static double[][] scores(Model model, int[] tokens, double level) {
    Diffusion diffusion = model.architecture().diffusion();
    int vocabulary = model.architecture().vocabulary();
    boolean scaled = diffusion.output() == Diffusion.Output.SCALED_SCORES;
    double scale = scaled ? Math.log(Math.expm1(level) * (vocabulary - 1)) : 0;
    double[][] scores = new double[tokens.length][vocabulary];
    int[] all = IntStream.range(0, tokens.length).toArray();
    try (Evaluator text = Evaluator.of(model, tokens.length)) {
      text.setLevel(level);
      text.logits(
          text.read(tokens, all, () -> false),
          (row, worker, logits, at) ->
              Arrays.setAll(
                  scores[row], i -> i == tokens[row] ? 1 : Math.exp(logits[at + i] - scale)));
    }
    return scores;
  }

  @ParameterizedTest
  @ValueSource(strings = {"sedd", "sedd-uniform"})
  void stepsHaveThePublishedProbabilities(String name) throws URISyntaxException, IOException {
    List<Config> updates = expected(name).sections("updates");
    assertEquals(12, updates.size());
    int[] tokens = inputs(name);
    try (Model model = Model.load(golden(name), OPTIONS)) {
      Diffusion of = model.architecture().diffusion();
      NoiseLevels levels = of.levels();
      for (Config update : updates) {
        double time = update.number("time");
        double step = update.number("step");
        int at = update.count("position");
        Posterior posterior =
            switch (update.word("rule")) {
              case "analytic" -> Posterior.analytic(of, levels.at(time) - levels.at(time - step));
              case "euler" -> Posterior.euler(of, step * levels.rate(time));
              default -> Posterior.denoised(of, levels.at(time));
            };
        double[] weights = scores(model, tokens, levels.at(time))[at];
        posterior.weigh(weights, tokens[at]);
        double sum = Arrays.stream(weights).map(w -> Math.max(0, w)).sum();
        List<Double> expected = update.numbers("probabilities");
        assertTrue(expected.size() >= weights.length - 1);
        for (int y = 0; y < expected.size(); y++) {
          assertEquals(expected.get(y), Math.max(0, weights[y]) / sum, 2e-6, update + " of " + y);
        }
      }
    }
  }

  /** The time of a draw decides both the noise and the weight, so that each text is compared. */
  @ParameterizedTest
  @ValueSource(strings = {"mdlm", "sedd", "sedd-uniform"})
  void lossesAreThePublishedOnes(String name) throws URISyntaxException {
    try (Model model = Model.load(golden(name), OPTIONS)) {
      for (Config bound : expected(name).sections("bounds")) {
        double found =
            Bound.at(model, ints(bound, "clean"), ints(bound, "noisy"), 0, bound.number("time"));
        double nats = bound.number("nats");
        assertEquals(nats, found, 2e-5 * nats);
      }
    }
  }

  @Test
  void lossesOfBlocksAreThoseOfTraining() throws URISyntaxException {
    try (Model model = Model.load(golden("bd3lm"), OPTIONS)) {
      Config bounds = expected("bd3lm").section("blockwise_bounds");
      double[] times = bounds.numbers("times").stream().mapToDouble(t -> t).toArray();
      double nats = bounds.numbers("nats").stream().mapToDouble(t -> t).sum();
      double found = Bound.at(model, ints(bounds, "clean"), ints(bounds, "noisy"), 0, times);
      assertEquals(nats, found, 2e-5 * nats);
    }
  }

  /**
   * The bound of a model that is not told the level is the mean, over all orders, of the likelihood
   * of a text that is filled in one by one.
   */
  @ParameterizedTest
  @ValueSource(strings = {"mdlm", "bd3lm"})
  void theBoundIsTheMeanOverAllOrders(String name) throws URISyntaxException {
    try (Model model = Model.load(golden(name), OPTIONS)) {
      int[] tokens = IntStream.range(0, 12).map(i -> i * 17 % 63).toArray();
      Bound bound = Bound.of(model, tokens, 4, 400, 3);
      assertEquals(8, bound.tokens());
      double sum = 0;
      int orders = 100;
      for (int seed = 0; seed < orders; seed++) {
        Recipe recipe =
            Recipe.of(model.architecture().diffusion())
                .withRule(new FirstHitting())
                .withSampling(Sampling.plain().withSeed(seed));
        sum += Likelihood.of(model, tokens, 4, recipe).nats();
      }
      assertTrue(bound.error() < 0.06 * bound.nats(), bound::toString);
      assertEquals(sum / orders, bound.nats(), 4 * bound.error() + 0.02 * bound.nats());
    }
    try (Model model = Denoised.model("llada")) {
      assertThrows(IllegalArgumentException.class, () -> Bound.of(model, new int[] {1}, 1, 4, 1));
    }
  }

  /** As many evaluations as change something, however many steps there are. */
  @Test
  void stepsThatChangeNothingAskNoModel() {
    try (Model model = Denoised.model("mdlm")) {
      Recipe recipe = Denoised.recipe(model).withRule(Ancestral.of(Schedule.EVEN));
      for (int steps : new int[] {1, 5, 500}) {
        try (Canvas canvas = Denoised.canvas(model)) {
          Denoising denoising = canvas.denoise(recipe.withSteps(steps));
          denoising.finish();
          int asked = denoising.effort().evaluations();
          assertTrue(asked <= Math.min(steps, Denoised.GAP), steps + " steps: " + asked);
        }
      }
      assertThrows(
          IllegalArgumentException.class,
          () ->
              Denoised.drafts(model, recipe.withRule(new Reverse(Reverse.Predictor.EULER))).size());
    }
  }

  @Test
  void scoresFollowTheirNoise() {
    for (String family : List.of("sedd", "sedd-uniform")) {
      try (Model model = Denoised.model(family)) {
        for (Reverse.Predictor predictor : Reverse.Predictor.values()) {
          Recipe recipe = Denoised.recipe(model).withRule(new Reverse(predictor)).withSteps(30);
          List<int[]> drafts = Denoised.drafts(model, recipe);
          int[] last = drafts.getLast();
          assertEquals(Denoised.PROMPT + Denoised.GAP, last.length);
          assertTrue(Arrays.stream(last).noneMatch(t -> t == (family.equals("sedd") ? 191 : -1)));
          Recipe likelihood = recipe;
          var thrown =
              assertThrows(
                  IllegalArgumentException.class,
                  () -> Likelihood.of(model, Denoised.tokens(9), 3, likelihood));
          assertTrue(thrown.getMessage().contains("use Bound"), thrown::getMessage);
        }
      }
    }
  }

  /** Rows at another level are others, and texts at several in one pass are as each alone. */
  @Test
  void theLevelIsTold() {
    int[] tokens = Denoised.tokens(20);
    int[] all = IntStream.range(0, 20).toArray();
    try (Model model = Denoised.model("sedd");
        Evaluator little = Evaluator.of(model, 20);
        Evaluator much = Evaluator.of(model, 20)) {
      little.setLevel(0.1);
      much.setLevel(3);
      List<Change> changes =
          List.of(new Change(little, all, tokens, all), new Change(much, all, tokens, all));
      float[] both = Evaluator.evaluate(changes, () -> false).data();
      little.forget();
      much.forget();
      float[] first = Denoised.evaluate(little, all, tokens, all).data();
      float[] second = Denoised.evaluate(much, all, tokens, all).data();
      int half = first.length;
      assertTrue(Arrays.equals(first, Arrays.copyOf(both, half)));
      assertTrue(Arrays.equals(second, Arrays.copyOfRange(both, half, 2 * half)));
      assertFalse(Arrays.equals(first, second));
      assertFalse(Cache.BLOCKS.isExact(model.architecture().diffusion().inBlocks(4)));
    }
    try (Model model = Denoised.model("mdlm");
        Evaluator text = Evaluator.of(model, 20)) {
      Matrix rows = Denoised.evaluate(text, all, tokens, all);
      text.setLevel(3);
      Matrix again = Denoised.evaluate(text, all, tokens, all);
      assertTrue(Arrays.equals(rows.data(), again.data()), "a model that is not told");
      assertNotEquals(0, rows.data()[0]);
    }
  }
}
