package dev.apus.core.compute;

import dev.apus.kernels.Kernels;
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
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A set of kernels of which most calls go to another, until the JVM has compiled it: interpreted,
 * the vector kernels are many times slower than the scalar ones, which give the same bits.
 *
 * <p>That is so for kernels that share nothing between calls. Attention and matrix memories own the
 * layout of their state, so theirs are the late ones from the beginning; so are matmuls, whose
 * weights are packed for them.
 */
public final class EasedKernels implements Kernels {

  /** One of so many early calls goes to the late set, to get it compiled. */
  private static final int SHARE = 16;

  /** Calls that are early: those of the first dozen tokens of a small model. */
  static final int CALLS = 4096;

  private final Kernels early;
  private final Kernels late;
  private final AtomicInteger calls = new AtomicInteger();

  /** Two sets that give the same bits. */
  public EasedKernels(Kernels early, Kernels late) {
    this.early = early;
    this.late = late;
  }

  private Kernels next() {
    if (calls.get() >= CALLS) {
      return late;
    }
    return calls.incrementAndGet() % SHARE == 0 ? late : early;
  }

  @Override
  public String name() {
    return late.name();
  }

  @Override
  public Activations activations() {
    return next().activations();
  }

  @Override
  public ShortConvolution convolution() {
    return next().convolution();
  }

  @Override
  public AverageScan averageScan() {
    return next().averageScan();
  }

  @Override
  public FastWeights fastWeights() {
    return next().fastWeights();
  }

  @Override
  public GatedScan gatedScan() {
    return next().gatedScan();
  }

  @Override
  public LongConvolution longConvolution() {
    return next().longConvolution();
  }

  @Override
  public Norms norms() {
    return next().norms();
  }

  @Override
  public Rotary rotary() {
    return next().rotary();
  }

  @Override
  public SelectiveScan selectiveScan() {
    return next().selectiveScan();
  }

  @Override
  public ComplexScan complexScan() {
    return next().complexScan();
  }

  @Override
  public LevelMemory levels() {
    return next().levels();
  }

  @Override
  public ConjugateGradients solver() {
    return next().solver();
  }

  @Override
  public Attention attention(CacheFormat cache) {
    return late.attention(cache);
  }

  @Override
  public MatrixMemory memory() {
    return late.memory();
  }

  @Override
  public Products products() {
    return late.products();
  }

  @Override
  public Kernels with(Products products) {
    return new EasedKernels(early.with(products), late.with(products));
  }

  @Override
  public Matmul matmul(WeightFormat format) {
    return late.matmul(format);
  }
}
