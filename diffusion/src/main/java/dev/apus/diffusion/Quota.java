package dev.apus.diffusion;

import java.util.List;

/** How many positions a step fixes, of those that come first in a ranking. */
public sealed interface Quota {

  /** As many as the schedule says. */
  Quota SCHEDULED = new Scheduled();

  /**
   * How many of the proposals to take; at least one, unless the schedule says otherwise.
   *
   * @param sorted all proposals of noisy positions, the first of the ranking first
   * @param planned how many the schedule would take
   */
  int count(List<Proposal> sorted, int planned);

  /** As many as the schedule says. */
  record Scheduled() implements Quota {
    @Override
    public int count(List<Proposal> sorted, int planned) {
      return planned;
    }
  }

  /**
   * All that come first with at least this confidence, however many.
   *
   * @param least the probability that a chosen token must have
   * @param scheduled whether the schedule's number is taken if more do not reach it, as in SDAR and
   *     LLaDA2; otherwise one is
   * @see <a href="https://arxiv.org/abs/2505.22618">Fast-dLLM</a>
   */
  record Threshold(double least, boolean scheduled) implements Quota {

    public Threshold {
      if (!(least >= 0 && least <= 1)) {
        throw new IllegalArgumentException("least=" + least + "; needed: 0 to 1");
      }
    }

    @Override
    public int count(List<Proposal> sorted, int planned) {
      int count = 0;
      while (count < sorted.size() && sorted.get(count).probability() >= least) {
        count++;
      }
      return Math.max(count, scheduled ? Math.max(1, planned) : 1);
    }
  }

  /**
   * The greatest n with {@code (n + 1)(1 − cₙ) < factor}, where cₙ is the confidence of the n-th:
   * the more are taken together, the surer each has to be.
   *
   * @see <a href="https://arxiv.org/abs/2505.22618">Fast-dLLM</a>
   */
  record Factor(double factor) implements Quota {

    public Factor {
      if (!(factor > 0 && factor < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException("factor=" + factor + "; needed: a positive number");
      }
    }

    @Override
    public int count(List<Proposal> sorted, int planned) {
      int n = 1;
      while (n < sorted.size() && (n + 2) * (1 - sorted.get(n).probability()) < factor) {
        n++;
      }
      return n;
    }
  }

  /**
   * As many as have entropies whose sum, without the greatest of them, is at most {@code bound}:
   * how far tokens that are chosen apart can be from tokens that are chosen together.
   *
   * @param bound in nats
   * @see <a href="https://arxiv.org/abs/2505.24857">EB-Sampler</a>
   */
  record EntropyBound(double bound) implements Quota {

    public EntropyBound {
      if (!(bound >= 0)) {
        throw new IllegalArgumentException("bound=" + bound + "; needed: 0 or more");
      }
    }

    @Override
    public int count(List<Proposal> sorted, int planned) {
      double sum = 0;
      double most = 0;
      int n = 0;
      while (n < sorted.size()) {
        sum += sorted.get(n).entropy();
        most = Math.max(most, sorted.get(n).entropy());
        if (sum - most > bound) {
          break;
        }
        n++;
      }
      return Math.max(1, n);
    }
  }
}
