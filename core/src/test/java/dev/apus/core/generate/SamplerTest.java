package dev.apus.core.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SamplerTest {

  private static final int[] NO_PROMPT = {};
  private static final float BANNED = Float.NEGATIVE_INFINITY;

  @ParameterizedTest(name = "vocabulary {0}")
  @ValueSource(ints = {1, 2, 3, 15, 16, 17, 1000})
  void greedyIsTheLargestLogitAndTheLowestIdAmongEquals(int vocabulary) {
    var random = new SplittableRandom(vocabulary);
    for (int round = 0; round < 50; round++) {
      float[] logits = new float[vocabulary];
      for (int i = 0; i < vocabulary; i++) {
        logits[i] = random.nextInt(-5, 5);
      }
      int expected = 0;
      for (int i = 0; i < vocabulary; i++) {
        expected = logits[i] > logits[expected] ? i : expected;
      }
      assertEquals(expected, choose(Sampling.greedy(), logits));
    }
    assertEquals(0, choose(Sampling.greedy(), -0.0f, 0.0f));
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(strings = {"topK 1", "topP 0", "topP tiny", "temperature tiny", "minP 1"})
  void narrowFiltersAreGreedy(String which) {
    Sampling plain = Sampling.plain();
    Sampling narrow =
        switch (which) {
          case "topK 1" -> plain.withTopK(1);
          case "topP 0" -> plain.withTopP(0);
          case "topP tiny" -> plain.withTopP(1e-30f);
          case "temperature tiny" -> plain.withTemperature(1e-38f);
          default -> plain.withMinP(1);
        };
    var random = new SplittableRandom(22);
    var greedy = new Sampler(Sampling.greedy(), 500, NO_PROMPT);
    var sampler = new Sampler(narrow, 500, NO_PROMPT);
    for (int round = 0; round < 50; round++) {
      float[] logits = logits(random, 500, 3);
      assertEquals(greedy.choose(logits), sampler.choose(logits));
    }
  }

  @ParameterizedTest(name = "top-k {0}, top-p {1}, min-p {2}")
  @CsvSource({"50, 1, 0", "51, 1, 0", "2147483647, 1, 0", "0, 1, 1e-45"})
  void wideFiltersArePlain(int topK, float topP, float minP) {
    var random = new SplittableRandom(23);
    var plain = new Sampler(Sampling.plain().withSeed(5), 50, NO_PROMPT);
    Sampling wide = Sampling.plain().withSeed(5).withTopK(topK).withTopP(topP).withMinP(minP);
    var sampler = new Sampler(wide, 50, NO_PROMPT);
    for (int round = 0; round < 200; round++) {
      float[] logits = logits(random, 50, 2);
      assertEquals(plain.choose(logits), sampler.choose(logits));
    }
  }

  @ParameterizedTest(name = "temperature {0}, top-k {1}, top-p {2}, min-p {3}, spread {4}")
  @CsvSource({
    "1, 0, 1, 0.05, 3", "1, 7, 1, 0, 3", "0.7, 40, 0.95, 0, 3", "1, 0, 0.9, 0, 5",
    "1, 0, 0.999, 0, 0.01", "1.3, 0, 0.5, 0.3, 4", "2, 100, 0.8, 0.1, 6", "0.1, 0, 0.99, 0, 1",
    "1, 0, 0.9, 0, 0", "1, 3, 0.4, 0, 0", "5, 999, 0.9999, 0.001, 2"
  })
  void filtersAgreeWithASortedDefinition(
      float temperature, int topK, float topP, float minP, float spread) {
    Sampling sampling =
        Sampling.plain().withTemperature(temperature).withTopK(topK).withTopP(topP).withMinP(minP);
    var random = new SplittableRandom(topK + 17);
    var candidates = new Candidates(sampling);
    for (int vocabulary : new int[] {1, 2, 63, 64, 65, 1000}) {
      float[] logits = logits(random, vocabulary + 5, spread);
      logits[random.nextInt(vocabulary)] = BANNED;
      logits[random.nextInt(vocabulary)] = 0.5f;
      float max = logits[Logits.best(logits, vocabulary, "here")];
      candidates.select(logits, vocabulary, max);
      List<Integer> expected =
          NaiveFilters.apply(logits, vocabulary, sampling).stream()
              .map(NaiveFilters.Choice::id)
              .sorted()
              .toList();
      assertEquals(expected, ids(candidates), "vocabulary " + vocabulary);
    }
  }

  @Test
  void topKAndMinPMayBeExchanged() {
    var random = new SplittableRandom(6);
    var both = new Candidates(Sampling.plain().withTopK(12).withMinP(0.1f));
    var topK = new Candidates(Sampling.plain().withTopK(12));
    var minP = new Candidates(Sampling.plain().withMinP(0.1f));
    for (int round = 0; round < 50; round++) {
      float[] logits = logits(random, 200, 0.4f + round / 25f);
      float max = logits[Logits.best(logits, 200, "here")];
      List.of(both, topK, minP).forEach(candidates -> candidates.select(logits, 200, max));
      Set<Integer> expected = new TreeSet<>(ids(topK));
      expected.retainAll(ids(minP));
      assertEquals(List.copyOf(expected), ids(both));
    }
  }

  private static List<Integer> ids(Candidates candidates) {
    return IntStream.range(0, candidates.count()).mapToObj(candidates::id).toList();
  }

  /** Equal weights, and shares that are exact, leave no doubt about where a nucleus ends. */
  @ParameterizedTest(name = "{0} keeps {1} of 16")
  @CsvSource({"0, 1", "0.0625, 1", "0.125, 2", "0.25, 4", "0.5, 8", "0.51, 9", "0.9375, 15"})
  void aNucleusIsTheShortestThatReachesItsShare(float topP, int expected) {
    var candidates = new Candidates(Sampling.plain().withTopP(topP));
    candidates.select(new float[16], 16, 0);
    assertEquals(IntStream.range(0, expected).boxed().toList(), ids(candidates));
  }

  /** Pearson's statistic stays below the 99.9 % point of its distribution. */
  @ParameterizedTest(name = "temperature {0}, top-k {1}, top-p {2}, min-p {3}: below {4}")
  @CsvSource({
    "1, 0, 1, 0, 27.88",
    "0.5, 0, 1, 0, 27.88",
    "1, 5, 1, 0, 18.47",
    "2, 0, 0.8, 0, 27.88",
    "1.5, 0, 1, 0.2, 27.88"
  })
  void frequenciesMatchTheProbabilities(
      float temperature, int topK, float topP, float minP, double bound) {
    Sampling sampling =
        Sampling.plain()
            .withTemperature(temperature)
            .withTopK(topK)
            .withTopP(topP)
            .withMinP(minP)
            .withSeed(99);
    float[] logits = {0.1f, 1.2f, -0.7f, 0.8f, BANNED, 0.3f, 1.1f, -1.4f, 0.6f, 0f, 0.9f};
    var sampler = new Sampler(sampling, logits.length, NO_PROMPT);
    int draws = 20_000;
    int[] counts = new int[logits.length];
    for (int i = 0; i < draws; i++) {
      counts[sampler.choose(logits)]++;
    }
    double statistic = 0;
    for (var choice : NaiveFilters.apply(logits, logits.length, sampling)) {
      double expected = draws * choice.probability();
      statistic += Math.pow(counts[choice.id()] - expected, 2) / expected;
      counts[choice.id()] = 0;
    }
    assertTrue(statistic < bound, "statistic " + statistic);
    assertEquals(0, Arrays.stream(counts).sum(), "draws of tokens that were filtered out");
  }

  /** Multiples of 1/64 stay exact when a whole number is added. */
  @ParameterizedTest(name = "plus {0}")
  @ValueSource(floats = {-1000, -1, 3, 4096})
  void addingAConstantChangesNothing(float constant) {
    Sampling sampling =
        Sampling.standard().withMinP(0.01f).withTopLogProbabilities(3).withPresencePenalty(0.5f);
    var sampler = new Sampler(sampling, 300, NO_PROMPT);
    var shifted = new Sampler(sampling, 300, NO_PROMPT);
    var random = new SplittableRandom(8);
    for (int round = 0; round < 100; round++) {
      float[] logits = new float[300];
      float[] more = new float[300];
      for (int i = 0; i < 300; i++) {
        logits[i] = random.nextInt(-200, 200) / 64f;
        more[i] = logits[i] + constant;
      }
      assertEquals(sampler.choose(logits), shifted.choose(more));
      assertEquals(sampler.logProbability(), shifted.logProbability());
      assertEquals(sampler.topProbabilities(), shifted.topProbabilities());
    }
  }

  /** The tokens were computed by another program from the same formulas. */
  @Test
  void aSeedGivesTheseTokensForEver() {
    int[] standard = {699, 137, 258, 352, 32, 863, 204, 793, 333, 583, 193, 470};
    int[] plain = {731, 153, 274, 351, 37, 868, 220, 798, 343, 615, 209, 496};
    assertArrayEquals(standard, chooseTwelve(Sampling.standard().withSeed(42)));
    assertArrayEquals(plain, chooseTwelve(Sampling.plain().withSeed(42)));
  }

  private static int[] chooseTwelve(Sampling sampling) {
    var sampler = new Sampler(sampling, 1000, NO_PROMPT);
    int[] tokens = new int[12];
    float[] logits = new float[1000];
    for (int step = 0; step < tokens.length; step++) {
      for (int i = 0; i < logits.length; i++) {
        logits[i] = (i * 37 + step * 101) % 199 / 16f - 6;
      }
      tokens[step] = sampler.choose(logits);
    }
    return tokens;
  }

  @Test
  void seedsDiffer() {
    var random = new SplittableRandom(2);
    var one = new Sampler(Sampling.plain().withSeed(1), 1000, NO_PROMPT);
    var two = new Sampler(Sampling.plain().withSeed(2), 1000, NO_PROMPT);
    int equal = 0;
    for (int i = 0; i < 100; i++) {
      float[] logits = logits(random, 1000, 1);
      equal += one.choose(logits) == two.choose(logits) ? 1 : 0;
    }
    assertTrue(equal < 10, equal + " of 100 choices are the same");
  }

  @ParameterizedTest(name = "{0} at {1}, temperature {2}")
  @CsvSource({"NaN, 0, 0", "NaN, 6, 0", "NaN, 3, 1", "Infinity, 0, 0", "Infinity, 6, 1"})
  void aLogitThatIsNotFiniteNeverBecomesAToken(float bad, int at, float temperature) {
    float[] logits = {1, 2, 3, 4, 5, 6, 7};
    logits[at] = bad;
    var sampling = Sampling.plain().withTemperature(temperature);
    var e = assertThrows(GenerationException.class, () -> choose(sampling, logits));
    assertEquals(
        "the logit of token " + at + ", from the model, is " + bad + "; it must be finite",
        e.getMessage());
  }

  @ParameterizedTest(name = "temperature {0}")
  @ValueSource(floats = {0, 1})
  void bannedTokensAreNeverChosen(float temperature) {
    var sampling = Sampling.plain().withTemperature(temperature);
    assertEquals(2, choose(sampling, BANNED, BANNED, -3e38f, BANNED));
    var e = assertThrows(GenerationException.class, () -> choose(sampling, BANNED, BANNED));
    assertEquals(
        "all 2 logits, from the model, are -Infinity; no token can be chosen", e.getMessage());
  }

  @ParameterizedTest(name = "temperature {0}")
  @ValueSource(floats = {0, 1})
  void extremeLogitsAreFine(float temperature) {
    var sampling = Sampling.plain().withTemperature(temperature);
    assertEquals(1, choose(sampling, -Float.MAX_VALUE, Float.MAX_VALUE, 0));
  }

  @Test
  void logitsBeyondTheVocabularyAreIgnored() {
    float[] logits = {1, 2, 3, 100, Float.NaN};
    Sampling plain = Sampling.plain().withTopLogProbabilities(10);
    for (Sampling sampling : List.of(plain, plain.withTopP(0.9f), plain.withTemperature(0))) {
      var sampler = new Sampler(sampling, 3, NO_PROMPT);
      assertTrue(sampler.choose(logits) < 3);
      assertEquals(3, sampler.topProbabilities().size());
    }
    var sampler = new Sampler(plain, 6, NO_PROMPT);
    var e = assertThrows(IllegalArgumentException.class, () -> sampler.choose(logits));
    assertEquals("the model gives 5 logits; the vocabulary has 6 tokens", e.getMessage());
  }

  @Test
  void logProbabilitiesAreTheModelsOwn() {
    float[] logits = {0.5f, BANNED, 2, -1, 2};
    Sampling sampling =
        Sampling.plain().withTemperature(0.3f).withTopK(1).withTopLogProbabilities(9);
    var sampler = new Sampler(sampling, 5, NO_PROMPT);
    assertEquals(2, sampler.choose(logits));
    double sum = Math.exp(0.5) + 2 * Math.exp(2) + Math.exp(-1);
    assertEquals(2 - Math.log(sum), sampler.logProbability(), 1e-6);
    List<TokenProbability> top = sampler.topProbabilities();
    assertEquals(List.of(2, 4, 0, 3), top.stream().map(TokenProbability::id).toList());
    assertEquals(0.5 - Math.log(sum), top.get(2).logProbability(), 1e-6);
    assertEquals(sampler.logProbability(), top.get(1).logProbability());
  }

  @Test
  void theLogProbabilityIsOfTheChosenToken() {
    var random = new SplittableRandom(10);
    Sampling sampling = Sampling.plain().withPresencePenalty(1).withTopLogProbabilities(40);
    var sampler = new Sampler(sampling, 40, NO_PROMPT);
    for (int round = 0; round < 50; round++) {
      int token = sampler.choose(logits(random, 40, 1));
      var chosen = new TokenProbability(token, sampler.logProbability());
      assertTrue(sampler.topProbabilities().contains(chosen), chosen.toString());
    }
  }

  @Test
  void processorsSeeTheTokensAndMayBan() {
    Sampling sampling =
        Sampling.greedy()
            .withProcessor(
                (tokens, logits) -> {
                  assertTrue(tokens.isReadOnly());
                  logits[tokens.get(tokens.limit() - 1)] = BANNED;
                });
    var sampler = new Sampler(sampling, 3, new int[] {9, 2});
    float[] logits = {1, 2, 3};
    assertEquals(1, sampler.choose(logits));
    assertEquals(2, sampler.choose(logits));
    assertEquals(1, sampler.choose(logits));
    Sampling banAll = sampling.withProcessor((tokens, all) -> Arrays.fill(all, BANNED));
    var e =
        assertThrows(GenerationException.class, () -> chooseAfter(new int[] {0}, banAll, 1, 2, 3));
    assertEquals(
        "all 3 logits, after a logits processor, are -Infinity; no token can be chosen",
        e.getMessage());
  }

  @Test
  void refusesImpossibleArguments() {
    assertThrows(IllegalArgumentException.class, () -> new Sampler(Sampling.plain(), 0, NO_PROMPT));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Sampler(Sampling.plain(), 5, new int[] {1, -1, 2}));
  }

  /** The history of tokens grows by half now and then: at most 20 bytes a token here. */
  @ParameterizedTest(name = "temperature {0}, top-k {1}, top-p {2}, penalty {3}")
  @CsvSource({"0, 0, 1, 1", "1, 0, 1, 1", "1, 20, 0.9, 1", "1, 0, 0.9, 1.1"})
  void choosingAllocatesNothingButItsHistory(float temperature, int topK, float topP, float penalty)
      throws ReflectiveOperationException {
    Sampling sampling =
        Sampling.plain()
            .withTemperature(temperature)
            .withTopK(topK)
            .withTopP(topP)
            .withRepetitionPenalty(penalty);
    float[] logits = logits(new SplittableRandom(4), 300, 2);
    var sampler = new Sampler(sampling, 300, NO_PROMPT);
    var allocation = new Allocation();
    for (int i = 0; i < 500; i++) {
      sampler.choose(logits);
    }
    long before = allocation.bytes();
    for (int i = 0; i < 2_000; i++) {
      sampler.choose(logits);
    }
    long perToken = (allocation.bytes() - before) / 2_000;
    assertTrue(perToken <= 20, perToken + " bytes a token");
  }

  private static int choose(Sampling sampling, float... logits) {
    return chooseAfter(NO_PROMPT, sampling, logits);
  }

  private static int chooseAfter(int[] prompt, Sampling sampling, float... logits) {
    return new Sampler(sampling, logits.length, prompt).choose(logits);
  }

  private static float[] logits(SplittableRandom random, int count, float spread) {
    float[] logits = new float[count];
    for (int i = 0; i < count; i++) {
      logits[i] = (float) (spread * random.nextGaussian());
    }
    return logits;
  }
}
