package dev.apus.core.model;

import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;

/**
 * Where a part is built.
 *
 * @param width values of the rows it reads and writes
 * @param layer its layer, counted from 0
 * @param context the longest sequence the model was made for
 * @param kernels what computes it
 * @param cache how keys and values are kept
 * @param weights its weights, under the part's own names
 */
public record Site(
    int width, int layer, int context, Kernels kernels, CacheFormat cache, WeightScope weights) {}
