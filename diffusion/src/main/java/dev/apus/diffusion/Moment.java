package dev.apus.diffusion;

import dev.apus.core.generate.SplitMix;
import java.util.ArrayList;
import java.util.List;

/** What a transfer rule sees of a window after an evaluation, and what it decides. */
public final class Moment {

  /**
   * A position of the window that was fixed before.
   *
   * @param probability that the token had when it was fixed
   */
  public record Fixed(int position, int token, double probability) {}

  private final int step;
  private final int steps;
  private final int noisyAtStart;
  private final List<Proposal> noisy;
  private final List<Fixed> fixed;
  private final List<Proposal> standing;
  private final int stable;
  private final SplitMix random;
  private final List<Proposal> chosen = new ArrayList<>();
  private final List<Proposal> moved = new ArrayList<>();
  private final List<Integer> renoised = new ArrayList<>();
  private boolean done;

  Moment(
      int step,
      int steps,
      int noisyAtStart,
      List<Proposal> noisy,
      List<Fixed> fixed,
      SplitMix random) {
    this(step, steps, noisyAtStart, noisy, fixed, List.of(), 0, random);
  }

  /**
   * @param standing what is proposed for positions that were fixed before
   */
  Moment(
      int step,
      int steps,
      int noisyAtStart,
      List<Proposal> noisy,
      List<Fixed> fixed,
      List<Proposal> standing,
      int stable,
      SplitMix random) {
    this.step = step;
    this.steps = steps;
    this.noisyAtStart = noisyAtStart;
    this.noisy = List.copyOf(noisy);
    this.fixed = List.copyOf(fixed);
    this.standing = List.copyOf(standing);
    this.stable = stable;
    this.random = random;
  }

  /** Which step of the window this is, from 0 on. */
  public int step() {
    return step;
  }

  /** How many steps the window is to have; some rules take fewer or more. */
  public int steps() {
    return steps;
  }

  /** How many positions of the window were noisy at its first step. */
  public int noisyAtStart() {
    return noisyAtStart;
  }

  /** What is proposed for the noisy positions of the window, from left to right. */
  public List<Proposal> noisy() {
    return noisy;
  }

  /** The positions of the window that were fixed at earlier steps, from left to right. */
  public List<Fixed> fixed() {
    return fixed;
  }

  /**
   * What is proposed for the positions that were fixed at earlier steps, from left to right; empty
   * for a rule that does not {@linkplain TransferRule#revises revise}.
   */
  public List<Proposal> standing() {
    return standing;
  }

  /** For how many evaluations the likeliest token of each position was what it is now. */
  public int stable() {
    return stable;
  }

  /** A random number in [0, 1), from the seed. */
  public double nextDouble() {
    return random.nextDouble();
  }

  /** Fixes a position with the token of a proposal. */
  public void fix(Proposal proposal) {
    chosen.add(proposal);
  }

  /**
   * Puts the proposed token at a noisy position, which stays noisy: where noise is any token, this
   * is one of a text with less noise. Where noise leaves masks, all but these stand, as if fixed.
   */
  public void move(Proposal proposal) {
    moved.add(proposal);
  }

  /** Moves all noisy positions, or fixes them in the last step. */
  void moveAll(boolean last) {
    (last ? chosen : moved).addAll(noisy);
  }

  /** Makes a position noisy again. */
  public void renoise(int position) {
    renoised.add(position);
  }

  /** Says that the window is done, which a rule that revises has to. */
  public void finish() {
    done = true;
  }

  boolean isDone() {
    return done;
  }

  List<Proposal> chosen() {
    return chosen;
  }

  List<Proposal> moved() {
    return moved;
  }

  boolean isEmpty() {
    return chosen.isEmpty() && moved.isEmpty() && renoised.isEmpty();
  }

  List<Integer> renoised() {
    return renoised;
  }
}
