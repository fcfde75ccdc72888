package dev.apus.diffusion;

/** How a number of steps is spread over the tokens of a window. */
public sealed interface Schedule {

  /** As many tokens at each step, one more at the first where there is a remainder; LLaDA's. */
  Schedule EVEN = new Even();

  /** Times from 1 down to a thousandth; Dream's. */
  Schedule TIMED = new Timed(1e-3f);

  /**
   * How many noisy positions a step fixes.
   *
   * @param step from 0 on
   * @param steps of the window
   * @param atStart positions that were noisy at the window's first step
   * @param left positions that are noisy now
   */
  int count(int step, int steps, int atStart, int left);

  /** How noisy the text is before a step, from 1 down to nearly 0. */
  double time(int step, int steps);

  /** As many tokens at each step. */
  record Even() implements Schedule {

    @Override
    public int count(int step, int steps, int atStart, int left) {
      int planned = atStart / steps + (step < atStart % steps ? 1 : 0);
      return step < steps ? Math.min(left, planned) : left;
    }

    @Override
    public double time(int step, int steps) {
      return 1 - (double) step / steps;
    }
  }

  /**
   * The share of the noisy positions by which the time, from 1 to {@code end}, becomes shorter. The
   * last step fixes all that are left. Times are in single precision, which decides how many tokens
   * a step has.
   */
  record Timed(float end) implements Schedule {

    public Timed {
      if (!(end >= 0 && end < 1)) {
        throw new IllegalArgumentException("end=" + end + "; needed: 0 or more, below 1");
      }
    }

    private float at(int step, int steps) {
      float width = (end - 1) / steps;
      return step < (steps + 1) / 2 ? 1 + width * step : end - width * (steps - step);
    }

    @Override
    public int count(int step, int steps, int atStart, int left) {
      return step < steps - 1 ? (int) (left * (1 - at(step + 1, steps) / at(step, steps))) : left;
    }

    @Override
    public double time(int step, int steps) {
      return at(step, steps);
    }
  }
}
