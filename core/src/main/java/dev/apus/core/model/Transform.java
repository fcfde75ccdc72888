package dev.apus.core.model;

/**
 * {@code norm(f(W x + b))}.
 *
 * @param activation f, as channel mixers name it
 * @param biased whether there is a b
 */
public record Transform(String activation, boolean biased, NormSpec norm) {}
