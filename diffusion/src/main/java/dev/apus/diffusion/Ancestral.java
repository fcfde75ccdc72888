package dev.apus.diffusion;

import java.util.List;
import java.util.function.DoubleSupplier;

/**
 * Each noisy position is fixed by itself with the probability that the noise's reverse process
 * gives it, and with remasking what is fixed may become noisy again, so that mistakes can be
 * mended. With {@code α = 1 − t}, from time t to s:
 *
 * <pre>
 *   P(fix) = (α_s − (1 − σ) α_t) / (1 − α_t)          P(renoise) = σ
 *   σ = min(η, (1 − α_s) / α_t)                        capped
 *   σ = η · min(1, (1 − α_s) / α_t)                    rescaled
 * </pre>
 *
 * <p>The last step fixes everything.
 *
 * @param schedule the times
 * @param remasking what σ is
 * @param strength η; 0 for no remasking
 * @param byConfidence whether σ is shared out by how unsure tokens were when they were fixed
 * @see <a href="https://arxiv.org/abs/2406.07524">MDLM</a>
 * @see <a href="https://arxiv.org/abs/2503.00307">ReMDM</a>
 */
public record Ancestral(
    Schedule schedule, Remasking remasking, double strength, boolean byConfidence)
    implements TransferRule {

  /** How strong remasking is. */
  public enum Remasking {
    CAPPED,
    RESCALED
  }

  public Ancestral {
    if (!(strength >= 0 && strength <= 1)) {
      throw new IllegalArgumentException("strength=" + strength + "; needed: 0 to 1");
    }
  }

  /** Without remasking. */
  public static Ancestral of(Schedule schedule) {
    return new Ancestral(schedule, Remasking.CAPPED, 0, false);
  }

  @Override
  public void transfer(Moment moment) {
    boolean last = moment.step() >= moment.steps() - 1;
    double t = last ? 0 : schedule.time(moment.step(), moment.steps());
    double s = last ? 0 : schedule.time(moment.step() + 1, moment.steps());
    double sigma = last ? 0 : sigma(t, s);
    double fix = last ? 1 : (1 - s - (1 - sigma) * (1 - t)) / t;
    for (Proposal proposal : moment.noisy()) {
      if (last || moment.nextDouble() < fix) {
        moment.fix(proposal);
      }
    }
    List<Moment.Fixed> fixed = moment.fixed();
    double[] shares = shares(fixed);
    for (int i = 0; sigma > 0 && i < fixed.size(); i++) {
      if (moment.nextDouble() < sigma * shares[i]) {
        moment.renoise(fixed.get(i).position());
      }
    }
  }

  @Override
  public double time(Progress before, DoubleSupplier random) {
    return schedule.time(before.step(), before.steps());
  }

  private double sigma(double t, double s) {
    double most = t >= 1 ? 1 : Math.min(1, s / (1 - t));
    return remasking == Remasking.CAPPED ? Math.min(strength, most) : strength * most;
  }

  /** A softmax of how unsure each was; all 1 if that does not count. */
  private double[] shares(List<Moment.Fixed> fixed) {
    double[] shares = new double[fixed.size()];
    double sum = 0;
    for (int i = 0; i < shares.length; i++) {
      shares[i] = byConfidence ? StrictMath.exp(-fixed.get(i).probability()) : 1;
      sum += shares[i];
    }
    for (int i = 0; byConfidence && i < shares.length; i++) {
      shares[i] /= sum;
    }
    return shares;
  }
}
