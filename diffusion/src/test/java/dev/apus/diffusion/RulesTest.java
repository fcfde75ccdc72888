package dev.apus.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.generate.SplitMix;
import dev.apus.core.model.Diffusion;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The formulas of rules, without a model. */
class RulesTest {

  private static Proposal proposal(int position, double probability, double entropy) {
    return new Proposal(position, 7, probability, 7, probability, probability / 2, entropy);
  }

  private static List<Proposal> proposals(double... probabilities) {
    return IntStream.range(0, probabilities.length)
        .mapToObj(i -> proposal(i, probabilities[i], 1 - probabilities[i]))
        .toList();
  }

  private static int[] fixed(TransferRule rule, Moment moment) {
    rule.transfer(moment);
    return moment.chosen().stream().mapToInt(Proposal::position).toArray();
  }

  private static Moment moment(int step, int steps, List<Proposal> noisy) {
    return new Moment(step, steps, noisy.size(), noisy, List.of(), new SplitMix(5));
  }

  @Test
  void anEvenScheduleGivesTheRestToTheFirstSteps() {
    int[] counts = IntStream.range(0, 4).map(i -> Schedule.EVEN.count(i, 4, 10, 10)).toArray();
    assertArrayEquals(new int[] {3, 3, 2, 2}, counts);
    assertEquals(0, Schedule.EVEN.count(3, 8, 3, 1));
    assertEquals(5, Schedule.EVEN.count(8, 8, 16, 5), "what is left after the last step");
  }

  /** Counts of the reference for 32 masks in 16 steps, down to a thousandth. */
  @Test
  void timesAreThoseOfDream() {
    int left = 32;
    List<Integer> counts = new ArrayList<>();
    for (int step = 0; step < 16; step++) {
      int count = Schedule.TIMED.count(step, 16, 32, left);
      counts.add(count);
      left -= count;
    }
    assertEquals(0, left);
    assertEquals(List.of(1, 2, 2, 2, 2, 2, 2, 2), counts.subList(0, 8));
  }

  @Test
  void rankingsTakeTheSurestFirst() {
    List<Proposal> some = proposals(0.2, 0.9, 0.5, 0.7);
    assertArrayEquals(new int[] {1, 3}, fixed(Ranked.by(Ranking.CONFIDENCE), moment(0, 2, some)));
    assertArrayEquals(new int[] {1, 3}, fixed(Ranked.by(Ranking.ENTROPY), moment(0, 2, some)));
    assertArrayEquals(new int[] {1, 3}, fixed(Ranked.by(Ranking.MARGIN), moment(0, 2, some)));
    assertArrayEquals(new int[] {0, 1}, fixed(Ranked.by(Ranking.SEQUENTIAL), moment(0, 2, some)));
    assertEquals(2, fixed(Ranked.by(Ranking.RANDOM), moment(0, 2, some)).length);
  }

  @Test
  void aThresholdTakesAtLeastOne() {
    assertArrayEquals(
        new int[] {1, 3}, fixed(Ranked.above(0.6), moment(0, 4, proposals(.2, .9, .5, .7))));
    assertArrayEquals(
        new int[] {1}, fixed(Ranked.above(0.95), moment(0, 4, proposals(.2, .9, .5, .7))));
    TransferRule scheduled =
        new Ranked(Ranking.CONFIDENCE, new Quota.Threshold(0.95, true), Schedule.EVEN);
    assertArrayEquals(new int[] {1, 3}, fixed(scheduled, moment(0, 2, proposals(.2, .9, .5, .7))));
  }

  /** (n + 1)(1 − cₙ) is 0.2, 0.45 and 1.2 for the first three. */
  @Test
  void aFactorAsksForMoreTheMoreThereAre() {
    List<Proposal> sorted = proposals(0.9, 0.85, 0.7, 0.2);
    assertEquals(1, new Quota.Factor(0.1).count(sorted, 0));
    assertEquals(2, new Quota.Factor(0.5).count(sorted, 0));
    assertEquals(3, new Quota.Factor(1.3).count(sorted, 0));
    assertEquals(4, new Quota.Factor(9).count(sorted, 0));
  }

  /** Entropies 0.1, 0.2, 0.4 and 0.6: their sums without the greatest are 0, 0.1, 0.3, 0.7. */
  @Test
  void anEntropyBoundLeavesTheGreatestOut() {
    List<Proposal> sorted = proposals(0.9, 0.8, 0.6, 0.4);
    assertEquals(1, new Quota.EntropyBound(0.05).count(sorted, 0));
    assertEquals(2, new Quota.EntropyBound(0.15).count(sorted, 0));
    assertEquals(3, new Quota.EntropyBound(0.5).count(sorted, 0));
    assertEquals(4, new Quota.EntropyBound(0.8).count(sorted, 0));
    assertThrows(IllegalArgumentException.class, () -> new Quota.EntropyBound(-1));
  }

  /** At time t the share 1 − s/t of the noisy positions is fixed. */
  @Test
  void ancestorsFixAShare() {
    List<Proposal> many = IntStream.range(0, 40_000).mapToObj(i -> proposal(i, 0.5, 0.5)).toList();
    int count = fixed(Ancestral.of(Schedule.EVEN), moment(5, 10, many)).length;
    assertEquals(8_000, count, 300);
    assertEquals(40_000, fixed(Ancestral.of(Schedule.EVEN), moment(9, 10, many)).length);
  }

  /**
   * With σ of what is fixed noisy again, as many positions must be noisy as without: in a text of
   * which the share α_t is fixed, α_t (1 − σ) + (1 − α_t) P(fix) = α_s.
   */
  @Test
  void remaskingKeepsTheNoise() {
    int fixedBefore = 20_000;
    List<Proposal> noisy = IntStream.range(0, 20_000).mapToObj(i -> proposal(i, 0.5, 0.5)).toList();
    List<Moment.Fixed> fixed =
        IntStream.range(20_000, 20_000 + fixedBefore)
            .mapToObj(i -> new Moment.Fixed(i, 3, 0.5))
            .toList();
    for (Ancestral.Remasking how : Ancestral.Remasking.values()) {
      Moment moment = new Moment(5, 10, 40_000, noisy, fixed, new SplitMix(5));
      new Ancestral(Schedule.EVEN, how, 0.3, false).transfer(moment);
      int renoised = moment.renoised().size();
      double sigma = how == Ancestral.Remasking.CAPPED ? 0.3 : 0.3 * 0.8;
      assertEquals(sigma * fixedBefore, renoised, 300);
      assertEquals(0.6 * 40_000, fixedBefore - renoised + moment.chosen().size(), 400);
    }
  }

  @Test
  void windowsShareTheStepsByTheirNoise() {
    BitSet noisy = new BitSet();
    noisy.set(5, 25);
    noisy.clear(10, 15);
    Diffusion masked = Diffusion.masked(1);
    List<Window> windows =
        Window.of(noisy, Recipe.of(masked).withWindow(10).withSteps(6), 0, false);
    assertEquals(List.of(new Window(5, 15, 2), new Window(15, 25, 4)), windows);
    assertEquals(
        List.of(
            new Window(4, 8, 3),
            new Window(8, 12, 2),
            new Window(12, 16, 1),
            new Window(16, 20, 4),
            new Window(20, 24, 4),
            new Window(24, 25, 1)),
        Window.of(noisy, Recipe.of(masked.inBlocks(4)), 4, false));
    assertThrows(
        IllegalArgumentException.class,
        () -> Window.of(noisy, Recipe.of(masked.inBlocks(4)).withWindow(3), 4, false));
  }

  @Test
  void cachesSayWhatTheyCompute() {
    BitSet noisy = new BitSet();
    noisy.set(12, 16);
    BitSet changed = new BitSet();
    changed.set(11);
    Cache.View first = new Cache.View(8, 16, 20, 0, 4, noisy, changed);
    Cache.View third = new Cache.View(8, 16, 20, 2, 4, noisy, changed);
    assertEquals("{0, 1", Cache.NONE.rows(third).toString().substring(0, 5));
    assertEquals(20, Cache.NONE.rows(third).cardinality());
    assertEquals(16, Cache.BLOCKS.rows(third).cardinality());
    assertEquals(16, new Cache.Prefix(0).rows(first).cardinality());
    assertEquals(12, new Cache.Prefix(0).rows(third).cardinality());
    assertEquals(8, new Cache.Dual(0).rows(third).cardinality());
    assertEquals(16, new Cache.Dual(2).rows(third).cardinality());
    assertEquals("{11, 12, 13, 14, 15}", new Cache.Delayed(0).rows(third).toString());
    assertTrue(Cache.BLOCKS.isExact(Diffusion.masked(1).inBlocks(4)));
    assertFalse(Cache.BLOCKS.isExact(Diffusion.masked(1)));
    assertThrows(IllegalArgumentException.class, () -> new Cache.Dual(-1));
  }

  @Test
  void recipesAreChecked() {
    Recipe recipe = Recipe.of(Diffusion.masked(1));
    for (Runnable wrong :
        List.<Runnable>of(
            () -> recipe.withSteps(-1),
            () -> recipe.withWindow(-1),
            () -> recipe.withGuidance(Double.NaN),
            () -> recipe.withEditing(1.5),
            () -> recipe.withSampling(recipe.sampling().withPresencePenalty(1)),
            () -> recipe.withSampling(recipe.sampling().withTopLogProbabilities(2)))) {
      assertThrows(IllegalArgumentException.class, wrong::run);
    }
  }

  private static Moment standing(int step, List<Proposal> noisy, List<Proposal> rest, int stable) {
    return new Moment(step, 4, 4, noisy, List.of(), rest, stable, new SplitMix(5));
  }

  /** Entropies 0.1, 0.2, 0.4 and 0.6 of which a bound of 0.15 lets two through. */
  @Test
  void whatRevisesDecidesAnewUntilItIsSure() {
    Revising rule = new Revising(0.15, 4, 0.8f, 0.4f, 1, 0.4);
    List<Proposal> all = proposals(0.6, 0.9, 0.4, 0.8);
    Moment early = standing(0, all.subList(0, 2), all.subList(2, 4), 0);
    rule.transfer(early);
    assertEquals(List.of(1, 3), early.chosen().stream().map(Proposal::position).toList());
    assertEquals(List.of(0, 2), early.renoised());
    assertFalse(early.isDone());
    for (Moment last :
        List.of(
            standing(3, all.subList(0, 2), all.subList(2, 4), 0),
            standing(1, all.subList(0, 2), all.subList(2, 4), 1))) {
      rule.transfer(last);
      assertTrue(last.isDone());
      assertEquals(4, last.chosen().size());
      assertTrue(last.renoised().isEmpty());
    }
    Moment unsure = standing(1, all, List.of(), 1);
    new Revising(0.15, 4, 0.8f, 0.4f, 1, 0.3).transfer(unsure);
    assertFalse(unsure.isDone());
    float[] heats = {0.8f, 0.7f, 0.6f, 0.5f};
    for (int step = 0; step < 4; step++) {
      assertEquals(heats[step], rule.heat(step, 4), 1e-6f);
    }
    assertEquals(
        List.of(1, 2, 3),
        Ranking.ENTROPY.sorted(proposals(0.1, 0.9, 0.8, 0.7), () -> 0).stream()
            .map(Proposal::position)
            .limit(3)
            .toList());
    assertThrows(IllegalArgumentException.class, () -> rule.withBound(-1));
    assertThrows(IllegalArgumentException.class, () -> new Revising(1, 0, 0.8f, 0.4f, 1, 0.4));
    assertThrows(IllegalArgumentException.class, () -> new Revising(1, 4, 0.3f, 0.4f, 1, 0.4));
  }

  /** Canvases begin where the noise does, and may be shorter than the model's. */
  @Test
  void canvasesBeginWithTheNoise() {
    BitSet noisy = new BitSet();
    noisy.set(5, 17);
    noisy.set(30, 33);
    Diffusion uniform = Diffusion.uniform().inBlocks(8);
    assertEquals(
        List.of(new Window(5, 13, 48), new Window(13, 21, 48), new Window(30, 33, 48)),
        Window.of(noisy, Recipe.of(uniform), 8, true));
    assertEquals(5, Window.of(noisy, Recipe.of(uniform).withWindow(3), 8, true).size());
    assertThrows(
        IllegalArgumentException.class,
        () -> Window.of(noisy, Recipe.of(uniform).withWindow(9), 8, true));
  }
}
