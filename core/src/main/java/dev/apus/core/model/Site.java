package dev.apus.core.model;

import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.Kernels;

/**
 * Where a part is built.
 *
 * @param width values of the rows it reads and writes
 * @param layer its layer, counted from 0
 * @param context the longest sequence the model was made for
 * @param kernels what computes it
 * @param weights its weights, under the part's own names
 */
public record Site(int width, int layer, int context, Kernels kernels, WeightScope weights) {}
