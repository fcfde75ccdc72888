package dev.apus.core.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Warpers beside their definitions, written down with full sorts and plain sums. */
class WarperTest {

  private static final int VOCABULARY = 60;
  private static final int[] NO_PROMPT = {};
  private static final Sampling PLAIN = Sampling.plain().withTemperature(0.8f);

  private static float[] logits(SplittableRandom random) {
    float[] logits = new float[VOCABULARY];
    for (int i = 0; i < VOCABULARY; i++) {
      logits[i] = random.nextInt(20) == 0 ? Float.NEGATIVE_INFINITY : 6 * random.nextFloat() - 3;
    }
    return logits;
  }

  /** The ids that a warper leaves. */
  private static Set<Integer> left(Warper warper, float[] logits, long seed) {
    var candidates = new Candidates(PLAIN);
    candidates.select(logits, VOCABULARY, max(logits));
    new Warping(List.of(warper), VOCABULARY).filter(candidates, logits, new SplitMix(seed));
    Set<Integer> ids = new TreeSet<>();
    for (int place = 0; place < candidates.count(); place++) {
      ids.add(candidates.id(place));
    }
    return ids;
  }

  private static float max(float[] logits) {
    return (float)
        IntStream.range(0, logits.length).mapToDouble(i -> logits[i]).max().orElseThrow();
  }

  private static Map<Integer, Double> probabilities(float[] logits) {
    Map<Integer, Double> weights = new HashMap<>();
    for (int id = 0; id < logits.length; id++) {
      if (logits[id] > Float.NEGATIVE_INFINITY) {
        weights.put(id, Math.exp((logits[id] - max(logits)) / PLAIN.temperature()));
      }
    }
    double sum = weights.values().stream().mapToDouble(w -> w).sum();
    weights.replaceAll((id, weight) -> weight / sum);
    return weights;
  }

  private static double entropy(Map<Integer, Double> probabilities) {
    return probabilities.values().stream().mapToDouble(p -> -p * Math.log(p)).sum();
  }

  private static Set<Integer> likelierThan(double least, Map<Integer, Double> probabilities) {
    Set<Integer> ids = new TreeSet<>();
    probabilities.forEach(
        (id, p) -> {
          if (p >= least) {
            ids.add(id);
          }
        });
    return ids;
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(floats = {0, 0.01f, 0.3f, 0.9f, 0.999f, 1})
  void typicalKeepsTheShortestListNearTheEntropy(float share) {
    var random = new SplittableRandom(1);
    for (int round = 0; round < 100; round++) {
      float[] logits = logits(random);
      Map<Integer, Double> all = probabilities(logits);
      double entropy = entropy(all);
      List<Integer> order =
          all.keySet().stream()
              .sorted(Comparator.comparingDouble(id -> Math.abs(-Math.log(all.get(id)) - entropy)))
              .toList();
      Set<Integer> expected = new TreeSet<>();
      double sum = 0;
      for (int i = 0; i < order.size() && (i == 0 || sum < share || share == 1); i++) {
        expected.add(order.get(i));
        sum += all.get(order.get(i));
      }
      assertEquals(expected, left(new Typical(share), logits, 0));
    }
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(floats = {0, 0.5f, 1, 2, 100})
  void topNSigmaKeepsWhatIsNearTheLargest(float deviations) {
    var random = new SplittableRandom(2);
    for (int round = 0; round < 100; round++) {
      float[] logits = logits(random);
      double[] finite =
          IntStream.range(0, VOCABULARY)
              .mapToDouble(i -> logits[i])
              .filter(logit -> logit > Double.NEGATIVE_INFINITY)
              .toArray();
      double mean =
          IntStream.range(0, finite.length).mapToDouble(i -> finite[i]).average().orElse(0);
      double variance =
          IntStream.range(0, finite.length)
              .mapToDouble(i -> Math.pow(finite[i] - mean, 2))
              .average()
              .orElse(0);
      Set<Integer> expected = new TreeSet<>();
      for (int id = 0; id < VOCABULARY; id++) {
        if (logits[id] >= max(logits) - deviations * Math.sqrt(variance)
            && logits[id] > Float.NEGATIVE_INFINITY) {
          expected.add(id);
        }
      }
      assertEquals(expected, left(new TopNSigma(deviations), logits, 0));
    }
  }

  @Test
  void cutoffsDropTheUnlikely() {
    var random = new SplittableRandom(3);
    for (int round = 0; round < 100; round++) {
      float[] logits = logits(random);
      Map<Integer, Double> all = probabilities(logits);
      float epsilon = 0.05f * random.nextFloat();
      assertEquals(likelierThan(epsilon, all), left(new EpsilonCutoff(epsilon), logits, 0));
      double eta = Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropy(all)));
      assertEquals(likelierThan(eta, all), left(new EtaCutoff(epsilon), logits, 0));
    }
  }

  static List<Warper> strict() {
    return List.of(
        new EpsilonCutoff(1),
        new TopNSigma(0),
        new Mirostat(0, 0.1f),
        new Typical(0),
        new EtaCutoff(1));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("strict")
  void somethingIsAlwaysLeft(Warper warper) {
    var random = new SplittableRandom(4);
    for (int round = 0; round < 100; round++) {
      assertTrue(!left(warper, logits(random), 0).isEmpty());
    }
  }

  @Test
  void xtcSparesTheLeastLikelyOfTheTopChoices() {
    var random = new SplittableRandom(5);
    int excluded = 0;
    for (int round = 0; round < 400; round++) {
      float[] logits = logits(random);
      Map<Integer, Double> all = probabilities(logits);
      Set<Integer> top = likelierThan(0.04, all);
      Set<Integer> left = left(new Xtc(0.25f, 0.04f), logits, round);
      if (left.equals(all.keySet())) {
        continue;
      }
      excluded++;
      int spared = top.stream().min(Comparator.comparing(all::get)).orElseThrow();
      Set<Integer> expected = new TreeSet<>(all.keySet());
      expected.removeAll(top);
      expected.add(spared);
      assertEquals(expected, left);
    }
    assertTrue(excluded > 60 && excluded < 140, "a quarter of 400 times: " + excluded);
  }

  @Test
  void mirostatReachesItsAim() {
    var random = new SplittableRandom(6);
    var sampler =
        new Sampler(Sampling.plain().withWarper(new Mirostat(2.5f, 0.1f)), VOCABULARY, NO_PROMPT);
    var plain = new Sampler(Sampling.plain(), VOCABULARY, NO_PROMPT);
    double surprise = 0;
    double unsteered = 0;
    for (int round = 0; round < 4000; round++) {
      float[] logits = logits(random);
      sampler.choose(logits);
      plain.choose(logits);
      if (round >= 1000) {
        surprise -= sampler.logProbability() / Math.log(2) / 3000;
        unsteered -= plain.logProbability() / Math.log(2) / 3000;
      }
    }
    assertTrue(unsteered > 4.5, "else there is nothing to steer: " + unsteered);
    // What is told is of the model's own distribution, of which a truncated one is a part.
    assertTrue(surprise > 2.5 && surprise < unsteered - 0.5, "bits: " + surprise);
  }

  @Test
  void biasesAreAddedAndBan() {
    float[] logits = {1, 2, 3, Float.NEGATIVE_INFINITY};
    assertEquals(0, choose(new LogitBias(Map.of(0, 2.5f)), logits));
    assertEquals(1, choose(new LogitBias(Map.of(2, Float.NEGATIVE_INFINITY)), logits));
    var e =
        assertThrows(
            IllegalArgumentException.class, () -> choose(new LogitBias(Map.of(4, 1f)), logits));
    assertTrue(e.getMessage().contains("ids 0 to 3"), e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> new LogitBias(Map.of(0, Float.NaN)));
  }

  private static int choose(Warper warper, float[] logits) {
    return new Sampler(Sampling.greedy().withWarper(warper), logits.length, NO_PROMPT)
        .choose(logits);
  }

  @Test
  void dryAgreesWithItsDefinition() {
    var random = new SplittableRandom(7);
    int punished = 0;
    for (int round = 0; round < 300; round++) {
      int window = random.nextInt(4) == 0 ? 20 : 0;
      Dry dry = new Dry(0.8f, 1.75f, 1 + random.nextInt(3), window, Set.of(3));
      int[] tokens = random.ints(1 + random.nextInt(60), 0, 5).toArray();
      float[] logits = new float[5];
      dry.new Repeats().apply(new TokenHistory(tokens), logits);
      int first = window == 0 ? 0 : Math.max(0, tokens.length - window);
      for (int id = 0; id < 5; id++) {
        int longest = longest(tokens, first, id, 3);
        float expected =
            longest < dry.allowed() ? 0 : (float) (0.8f * Math.pow(1.75, longest - dry.allowed()));
        assertEquals(-expected, logits[id], 1e-6f * expected);
        punished += expected > 0 ? 1 : 0;
      }
    }
    assertTrue(punished > 100, punished + " punished");
  }

  /** The longest end of the text that stood before {@code next} earlier, without a breaker. */
  private static int longest(int[] tokens, int first, int next, int breaker) {
    int longest = 0;
    for (int at = first + 1; at < tokens.length && next != breaker; at++) {
      int same = 0;
      while (tokens[at] == next
          && at - 1 - same >= first
          && tokens[at - 1 - same] == tokens[tokens.length - 1 - same]
          && tokens[at - 1 - same] != breaker) {
        same++;
      }
      longest = Math.max(longest, same);
    }
    return longest;
  }

  @Test
  void dryTakesTimeInProportionToTheText() {
    int[] same = new int[200_000];
    float[] logits = new float[5];
    new Dry(1, 1.001f, 2, 0, Set.of()).new Repeats().apply(new TokenHistory(same), logits);
    assertTrue(logits[0] < -1e30f && logits[0] > Float.NEGATIVE_INFINITY, "" + logits[0]);
  }

  static List<Supplier<Warper>> wrong() {
    return List.of(
        () -> new Typical(-0.1f),
        () -> new TopNSigma(Float.NaN),
        () -> new Xtc(2, 0.1f),
        () -> new Xtc(0.5f, -1),
        () -> new EpsilonCutoff(1.5f),
        () -> new EtaCutoff(Float.NaN),
        () -> new Mirostat(Float.POSITIVE_INFINITY, 0.1f),
        () -> new Mirostat(5, -1),
        () -> new Dry(-1, 2, 1, 0, Set.of()),
        () -> new Dry(1, 0.5f, 1, 0, Set.of()),
        () -> new Dry(1, 2, 0, 0, Set.of()),
        () -> new Dry(1, 2, 1, -1, Set.of()));
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void refusesWhatMakesNoSense(Supplier<Warper> warper) {
    assertThrows(IllegalArgumentException.class, warper::get);
  }

  @Test
  void oneWarperAfterAnother() {
    float[] logits = logits(new SplittableRandom(8));
    Set<Integer> both = new HashSet<>(left(new TopNSigma(1), logits, 0));
    both.retainAll(left(new TopNSigma(0.5f), logits, 0));
    var candidates = new Candidates(PLAIN);
    candidates.select(logits, VOCABULARY, max(logits));
    new Warping(List.of(new TopNSigma(1), new TopNSigma(0.5f)), VOCABULARY)
        .filter(candidates, logits, new SplitMix(0));
    assertEquals(both.size(), candidates.count());
  }
}
