package dev.apus.core.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** What penalties do to the choice of a {@link Sampler}. */
class PenaltiesTest {

  private static final int[] NO_PROMPT = {};

  @Test
  void theRepetitionPenaltySeesThePromptAndTheOthersDoNot() {
    float[] logits = {4, 3, -1, 0.5f};
    int[] prompt = {0, 0, 7, 2};
    assertEquals(1, chooseAfter(prompt, Sampling.greedy().withRepetitionPenalty(1.5f), logits));
    assertEquals(0, chooseAfter(prompt, Sampling.greedy().withRepetitionPenalty(1.2f), logits));
    assertEquals(0, chooseAfter(prompt, Sampling.greedy().withFrequencyPenalty(50), logits));
    assertEquals(0, chooseAfter(prompt, Sampling.greedy().withPresencePenalty(50), logits));
    Sampling window = Sampling.greedy().withRepetitionPenalty(10).withPenaltyWindow(2);
    assertEquals(0, chooseAfter(prompt, window, logits), "token 0 is out of the window");
  }

  @Test
  void theRepetitionPenaltyMultipliesNegativeLogits() {
    Sampling sampling = Sampling.greedy().withRepetitionPenalty(2);
    assertEquals(1, chooseAfter(new int[] {0}, sampling, -2, -3));
    assertEquals(0, chooseAfter(new int[] {0}, sampling, -2, -4.5f));
  }

  @Test
  void penaltiesAgreeWithTheirDefinition() {
    Sampling sampling =
        Sampling.greedy()
            .withRepetitionPenalty(1.3f)
            .withFrequencyPenalty(0.25f)
            .withPresencePenalty(0.5f)
            .withPenaltyWindow(12);
    var random = new SplittableRandom(3);
    int[] prompt = random.ints(9, 0, 25).toArray();
    int[] history = Arrays.copyOf(prompt, 60);
    var sampler = new Sampler(sampling, 20, prompt);
    for (int length = prompt.length; length < history.length; length++) {
      float[] logits = logits(random, 20, 0.5f);
      float[] untouched = logits.clone();
      float[] expected = logits.clone();
      for (int id = 0; id < 20; id++) {
        boolean seen = false;
        int chosen = 0;
        for (int at = Math.max(0, length - 12); at < length; at++) {
          seen |= history[at] == id;
          chosen += history[at] == id && at >= prompt.length ? 1 : 0;
        }
        if (seen) {
          expected[id] = expected[id] < 0 ? expected[id] * 1.3f : expected[id] / 1.3f;
        }
        expected[id] -= 0.25f * chosen + (chosen > 0 ? 0.5f : 0);
      }
      history[length] = sampler.choose(logits);
      assertEquals(choose(Sampling.greedy(), expected), history[length], "at " + length);
      assertArrayEquals(untouched, logits, "the model's logits must stay as they are");
    }
  }

  @Test
  void penaltiesThatBanEverythingAreAnError() {
    Sampling sampling = Sampling.greedy().withFrequencyPenalty(Float.MAX_VALUE);
    var sampler = new Sampler(sampling, 1, NO_PROMPT);
    sampler.choose(new float[] {0});
    sampler.choose(new float[] {0});
    var e = assertThrows(GenerationException.class, () -> sampler.choose(new float[] {0}));
    assertEquals(
        "all 1 logits, after the penalties, are -Infinity; no token can be chosen", e.getMessage());
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
