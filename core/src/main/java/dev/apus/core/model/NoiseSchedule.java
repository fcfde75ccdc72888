package dev.apus.core.model;

/**
 * How much noise a text has had at a time from 0, the least, to 1, the most. What a level is
 * depends on the noise: that of tokens has {@link NoiseLevels}, that of vectors γ, by which signal
 * and noise are {@code α² = 1 / (1 + e^γ)} and {@code σ² = 1 − α²}.
 */
public interface NoiseSchedule {

  /** The level at a time. */
  double at(double time);

  /** How fast the level grows at a time. */
  double rate(double time);
}
