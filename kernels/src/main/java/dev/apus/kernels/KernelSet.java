package dev.apus.kernels;

import dev.apus.kernels.activation.Activations;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.conv.LongConvolution;
import dev.apus.kernels.conv.ShortConvolution;
import dev.apus.kernels.learning.FastWeights;
import dev.apus.kernels.levels.LevelMemory;
import dev.apus.kernels.matmul.Matmul;
import dev.apus.kernels.matmul.Products;
import dev.apus.kernels.memory.MatrixMemory;
import dev.apus.kernels.norm.Norms;
import dev.apus.kernels.rope.Rotary;
import dev.apus.kernels.scan.AverageScan;
import dev.apus.kernels.scan.ComplexScan;
import dev.apus.kernels.scan.GatedScan;
import dev.apus.kernels.scan.SelectiveScan;
import dev.apus.kernels.solve.ConjugateGradients;
import java.util.function.BiFunction;
import java.util.function.Function;

/** A set of kernels as a list of its parts. */
record KernelSet(
    String name,
    Activations activations,
    Function<CacheFormat, Attention> attentions,
    ShortConvolution convolution,
    AverageScan averageScan,
    FastWeights fastWeights,
    GatedScan gatedScan,
    MatrixMemory memory,
    LevelMemory levels,
    ConjugateGradients solver,
    Norms norms,
    Rotary rotary,
    SelectiveScan selectiveScan,
    LongConvolution longConvolution,
    ComplexScan complexScan,
    BiFunction<WeightFormat, Products, Matmul> matmuls,
    Products products)
    implements Kernels {

  @Override
  public Attention attention(CacheFormat format) {
    return attentions.apply(format);
  }

  @Override
  public Matmul matmul(WeightFormat format) {
    return matmuls.apply(format, products);
  }

  @Override
  public Kernels with(Products other) {
    return new KernelSet(
        name,
        activations,
        attentions,
        convolution,
        averageScan,
        fastWeights,
        gatedScan,
        memory,
        levels,
        solver,
        norms,
        rotary,
        selectiveScan,
        longConvolution,
        complexScan,
        matmuls,
        other);
  }

  @Override
  public String toString() {
    return name;
  }
}
