package dev.apus.core.generate;

/**
 * One more way to change what a token is chosen from; given to {@link Sampling#withWarper}, where
 * several are one after another.
 *
 * <p>{@link LogitBias} and {@link Dry} change logits, after the penalties, at any temperature. The
 * others drop tokens of those that temperature, top-k, top-p and min-p have left, and do nothing at
 * temperature 0; the likeliest token, or one that {@link Xtc} spares, is always left.
 */
public sealed interface Warper
    permits LogitBias, Dry, TopNSigma, Typical, EpsilonCutoff, EtaCutoff, Xtc, Mirostat {}
