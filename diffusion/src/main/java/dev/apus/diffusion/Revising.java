package dev.apus.diffusion;

import dev.apus.core.config.Config;
import dev.apus.core.generate.Ranges;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Decides about all positions anew at each step: as many as a bound of their entropies lets through
 * get the tokens that are proposed, and all others noise. Logits are cooled down from step to step.
 * A window is done when the likeliest tokens stay the same and are sure, or after its last step;
 * these are then what it holds. So the noise may be any tokens, and a step may take back what
 * another one fixed.
 *
 * @param bound in nats, as in {@link Quota.EntropyBound}
 * @param steps of a window at most, if a recipe does not say
 * @param hottest what logits are divided by before the first step, from where it falls in equal
 *     parts
 * @param coldest what they would be divided by after the last
 * @param stability for how many evaluations the likeliest tokens must have been the same before
 * @param sureness below which the mean entropy must be, in nats
 * @see <a href="https://arxiv.org/abs/2505.24857">EB-Sampler</a>
 */
public record Revising(
    double bound, int steps, float hottest, float coldest, int stability, double sureness)
    implements TransferRule {

  /** What DiffusionGemma's makers do. */
  public static final Revising STANDARD = new Revising(0.1, 48, 0.8f, 0.4f, 1, 0.005);

  public Revising {
    Ranges.require(bound >= 0, "bound", bound, "0 or more");
    Ranges.require(steps > 0, "steps", steps, "1 or more");
    Ranges.require(coldest > 0, "coldest", coldest, "above 0");
    Ranges.require(
        hottest >= coldest && hottest < Float.POSITIVE_INFINITY,
        "hottest",
        hottest,
        "coldest or more");
    Ranges.require(stability >= 0, "stability", stability, "0 or more");
    Ranges.require(sureness >= 0, "sureness", sureness, "0 or more");
  }

  /** This rule with another bound. */
  public Revising withBound(double other) {
    return new Revising(other, steps, hottest, coldest, stability, sureness);
  }

  /**
   * This rule with what a config says, as {@code generation_config.json} or the record of a decode
   * spells it.
   *
   * @throws dev.apus.core.config.ConfigException if a setting is no value that it can have
   */
  Revising over(Config c) {
    Config sampler = c.hasSection("sampler_config") ? c.section("sampler_config") : c;
    try {
      return new Revising(
          sampler.number("entropy_bound", bound),
          c.positive("max_denoising_steps", steps),
          c.real("t_max", hottest),
          c.real("t_min", coldest),
          c.count("stability_threshold", stability),
          c.number("confidence_threshold", sureness));
    } catch (IllegalArgumentException e) {
      throw c.error("%s", e.getMessage());
    }
  }

  @Override
  public boolean revises() {
    return true;
  }

  @Override
  public int steps(int noisy) {
    return steps;
  }

  @Override
  public float heat(int step, int of) {
    return coldest + (hottest - coldest) * ((of - step) / (float) of);
  }

  @Override
  public void transfer(Moment moment) {
    List<Proposal> all = new ArrayList<>(moment.noisy());
    all.addAll(moment.standing());
    double mean = all.stream().mapToDouble(Proposal::entropy).average().orElse(0);
    boolean settled = moment.stable() >= stability && mean < sureness;
    if (settled || moment.step() >= moment.steps() - 1) {
      all.forEach(one -> moment.fix(one.with(one.likeliest(), one.best())));
      moment.finish();
      return;
    }
    all.sort(Comparator.comparingInt(Proposal::position));
    List<Proposal> sorted = Ranking.ENTROPY.sorted(all, moment::nextDouble);
    int count = new Quota.EntropyBound(bound).count(sorted, 0);
    sorted.subList(0, count).forEach(moment::fix);
    for (Proposal refused : sorted.subList(count, sorted.size())) {
      moment.renoise(refused.position());
    }
  }
}
