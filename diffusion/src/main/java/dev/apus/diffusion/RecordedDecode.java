package dev.apus.diffusion;

import dev.apus.core.Model;
import dev.apus.core.config.Config;
import dev.apus.core.generate.Sampling;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * One greedy text of a reference implementation, and what this library makes of the same prompt:
 * the entries of {@code decodes} in {@code expected.json}. An entry's name says by which rule and
 * cache: {@code full}, {@code prefix_cache} or {@code dual_cache}, or Dream's {@code entropy},
 * {@code maskgit_plus} or {@code topk_margin}; its settings are {@code steps}, {@code block_length}
 * and {@code threshold}. Where there is a {@code seed}, the reference drew with this library's
 * numbers, by {@code ancestral}, {@code first_hitting}, {@code analytic} or {@code euler}; or,
 * where there is a bound of entropies, by {@link Revising}, whose settings the others are then,
 * with a {@code temperature}. Where noise is in vectors, the settings are those of {@link
 * Gaussian}, in its authors' words.
 *
 * @param firstDifference the first token that differs; −1 if none does
 * @param evaluations of this library
 * @param recorded those of the reference; 0 if it does not say
 */
public record RecordedDecode(
    String name, int tokens, int firstDifference, int evaluations, int recorded) {

  /** Whether all tokens are equal, and as many evaluations were made. */
  public boolean agrees() {
    return firstDifference < 0 && (recorded == 0 || recorded == evaluations);
  }

  /**
   * Decodes whatever a file of answers records.
   *
   * @return none if it records nothing
   * @throws dev.apus.core.config.ConfigException if an entry has another form, or settings that are
   *     not known
   */
  public static List<RecordedDecode> all(Model model, Path expected) {
    Config json = Config.read(expected);
    List<RecordedDecode> all = new ArrayList<>();
    if (!json.has("decodes")) {
      return all;
    }
    int[] prompt = ints(json, "prompt");
    int length = json.positive("gen_length");
    Config decodes = json.section("decodes");
    for (String name : decodes.asMap().keySet()) {
      all.add(one(model, name, decodes.section(name), prompt, length));
    }
    return all;
  }

  private static RecordedDecode one(
      Model model, String name, Config entry, int[] prompt, int length) {
    Recipe makers = Recipe.of(model.architecture().diffusion());
    if (makers.rule() instanceof Gaussian gaussian) {
      Sampling sampling = Sampling.greedy().withSeed(entry.count("seed"));
      return one(
          model,
          name,
          entry,
          prompt,
          length,
          makers.withSampling(sampling).withRule(gaussian.over(entry)));
    }
    Recipe recipe =
        makers.rule() instanceof Revising revising
            ? makers
                .withSampling(
                    Sampling.plain()
                        .withTemperature(entry.real("temperature", 0))
                        .withSeed(entry.count("seed", 0)))
                .withRule(revising.over(entry))
            : makers
                .withSampling(
                    entry.has("seed")
                        ? Sampling.plain().withSeed(entry.count("seed"))
                        : Sampling.greedy())
                .withRule(rule(name, entry))
                .withCache(cache(name))
                .withSteps(entry.count("steps", 0))
                .withWindow(entry.count("block_length", 0));
    return one(model, name, entry, prompt, length, recipe);
  }

  private static RecordedDecode one(
      Model model, String name, Config entry, int[] prompt, int length, Recipe recipe) {
    int[] expected = ints(entry, "tokens");
    entry.ignore("text");
    int recorded = entry.count("evaluations", 0);
    try (Canvas canvas = Canvas.of(model, prompt.length + length)) {
      Denoising denoising = canvas.append(prompt).gap(length).denoise(recipe);
      int[] found = denoising.finish().tokens();
      int first = -1;
      for (int i = 0; i < expected.length && first < 0; i++) {
        boolean equal = prompt.length + i < found.length && found[prompt.length + i] == expected[i];
        first = equal ? -1 : i;
      }
      return new RecordedDecode(
          name, expected.length, first, denoising.effort().evaluations(), recorded);
    }
  }

  private static TransferRule rule(String name, Config entry) {
    for (var dream :
        List.of(
            new Named("entropy", Ranking.ENTROPY),
            new Named("maskgit_plus", Ranking.TOP_PROBABILITY),
            new Named("topk_margin", Ranking.MARGIN))) {
      if (name.startsWith(dream.name())) {
        return new Ranked(dream.ranking(), Quota.SCHEDULED, Schedule.TIMED);
      }
    }
    for (var drawn :
        Map.of(
                "ancestral", Ancestral.of(Schedule.EVEN),
                "first_hitting", new FirstHitting(),
                "analytic", new Reverse(Reverse.Predictor.ANALYTIC),
                "euler", new Reverse(Reverse.Predictor.EULER))
            .entrySet()) {
      if (name.startsWith(drawn.getKey())) {
        return drawn.getValue();
      }
    }
    return entry.has("threshold")
        ? Ranked.above(entry.number("threshold"))
        : Ranked.by(Ranking.CONFIDENCE);
  }

  private record Named(String name, Ranking ranking) {}

  private static Cache cache(String name) {
    if (name.startsWith("prefix_cache")) {
      return new Cache.Prefix(0);
    }
    if (name.endsWith("_cached")) {
      return Cache.BLOCKS;
    }
    return name.startsWith("dual_cache") ? new Cache.Dual(0) : Cache.NONE;
  }

  private static int[] ints(Config c, String key) {
    return c.integers(key).stream().mapToInt(i -> i).toArray();
  }
}
