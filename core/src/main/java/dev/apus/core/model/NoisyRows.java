package dev.apus.core.model;

import dev.apus.core.tensor.Matrix;

/**
 * What the rows of a noisy text are made of: tokens, or vectors where noise is {@linkplain
 * Diffusion.Noise#GAUSSIAN in these}.
 *
 * @param tokens one for each row, or null
 * @param vectors a row for each, or null
 * @param expected what was expected of each row, as {@link Network#expect} writes it; null for
 *     nothing
 */
public record NoisyRows(int[] tokens, Matrix vectors, Matrix expected) {}
