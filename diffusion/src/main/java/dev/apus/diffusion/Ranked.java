package dev.apus.diffusion;

import java.util.List;

/**
 * Fixes the positions that come first in a ranking.
 *
 * @param quota how many
 * @param schedule how many a step has, for those quotas that ask
 */
public record Ranked(Ranking ranking, Quota quota, Schedule schedule) implements TransferRule {

  /** As many of the surest at each step. */
  public static Ranked by(Ranking ranking) {
    return new Ranked(ranking, Quota.SCHEDULED, Schedule.EVEN);
  }

  /** All that are surer than this, at least one. */
  public static Ranked above(double confidence) {
    return new Ranked(Ranking.CONFIDENCE, new Quota.Threshold(confidence, false), Schedule.EVEN);
  }

  @Override
  public void transfer(Moment moment) {
    List<Proposal> sorted = ranking.sorted(moment.noisy(), moment::nextDouble);
    int planned =
        schedule.count(moment.step(), moment.steps(), moment.noisyAtStart(), sorted.size());
    int count = Math.min(sorted.size(), quota.count(sorted, planned));
    sorted.subList(0, count).forEach(moment::fix);
  }

  @Override
  public boolean isIdle(int step, int steps, int atStart, int left) {
    return quota instanceof Quota.Scheduled && schedule.count(step, steps, atStart, left) == 0;
  }
}
