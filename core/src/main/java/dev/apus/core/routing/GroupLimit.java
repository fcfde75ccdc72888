package dev.apus.core.routing;

import dev.apus.core.config.Config;

/**
 * A limit of a token's choice to the experts of a few groups: expert {@code e} of {@code n} is in
 * group {@code e · groups / n}. Groups often share a machine, which is why models are trained so.
 *
 * @param groups how many there are, of equal sizes
 * @param top how many stay
 * @param worth what ranks them
 * @see <a href="https://arxiv.org/abs/2405.04434">DeepSeek-V2, section 2.2.2</a>
 */
public record GroupLimit(int groups, int top, Worth worth) {

  /** What a group is worth. */
  public enum Worth {
    /** The rank of its best expert, as in DeepSeek-V2. */
    BEST,
    /** The sum of the ranks of its two best experts, as in DeepSeek-V3. */
    TWO_BEST
  }

  /** The settings {@code groups}, {@code topGroups} and {@code groupWorth}; null for one group. */
  public static GroupLimit read(Config c, int experts, int top) {
    int groups = c.positive("groups", 1);
    if (groups == 1) {
      if (c.positive("topGroups", 1) > 1) {
        throw c.errorAt("topGroups", "topGroups=%d is more than groups=1", c.positive("topGroups"));
      }
      return null;
    }
    int topGroups = c.positive("topGroups");
    if (topGroups > groups) {
      throw c.errorAt("topGroups", "topGroups=%d is more than groups=%d", topGroups, groups);
    }
    if (experts % groups != 0) {
      throw c.errorAt("groups", "experts=%d is not divisible by groups=%d", experts, groups);
    }
    int size = experts / groups;
    if (top > topGroups * size) {
      throw c.errorAt(
          "topGroups",
          "top=%d is more than the %d experts of topGroups=%d",
          top,
          topGroups * size,
          topGroups);
    }
    boolean best = c.choice("groupWorth", "two-best", "two-best", "best").equals("best");
    if (!best && size < 2) {
      throw c.errorAt(
          "groups", "groups=%d of one expert have no two best; set groupWorth=best", groups);
    }
    return new GroupLimit(groups, topGroups, best ? Worth.BEST : Worth.TWO_BEST);
  }

  /**
   * Gives the experts of all but the best groups the rank −∞; of equal groups the lower stays.
   *
   * @param ranks the experts' ranks, followed by room for {@code groups} values
   */
  public void apply(float[] ranks, int experts) {
    int size = experts / groups;
    for (int group = 0; group < groups; group++) {
      ranks[experts + group] = worth(ranks, group * size, size);
    }
    for (int group = 0; group < groups; group++) {
      if (better(ranks, experts, group) >= top) {
        for (int expert = group * size; expert < (group + 1) * size; expert++) {
          ranks[expert] = Float.NEGATIVE_INFINITY;
        }
      }
    }
  }

  /** How many groups go before this one; NaN counts as the best, as in the choice of experts. */
  private int better(float[] ranks, int at, int group) {
    int better = 0;
    for (int other = 0; other < groups; other++) {
      int order = Float.compare(ranks[at + other], ranks[at + group]);
      if (order > 0 || order == 0 && other < group) {
        better++;
      }
    }
    return better;
  }

  private float worth(float[] ranks, int from, int size) {
    float best = ranks[from];
    float second = Float.NEGATIVE_INFINITY;
    for (int expert = from + 1; expert < from + size; expert++) {
      float rank = ranks[expert];
      if (Float.compare(rank, best) > 0) {
        second = best;
        best = rank;
      } else if (Float.compare(rank, second) > 0) {
        second = rank;
      }
    }
    return worth == Worth.BEST ? best : best + second;
  }
}
