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

/**
 * One implementation of every operation; stateless, so one set serves every model and thread.
 *
 * <p>There are two sets, and they give the same bits: {@link #scalar} is the definition, {@link
 * #vector} uses the Vector API. {@link #chosen} is the one that suits this JVM.
 */
public interface Kernels {

  /**
   * The system property that names the set: {@code auto} (the default), {@code vector}, {@code
   * scalar}.
   */
  String PROPERTY = "apus.kernels";

  /** The scalar set, which every JVM can run. */
  static Kernels scalar() {
    return ScalarKernels.SET;
  }

  /**
   * The Vector API set.
   *
   * @throws IllegalStateException if this JVM runs without the module {@code jdk.incubator.vector},
   *     or has vectors of a length that the kernels do not know
   */
  static Kernels vector() {
    JvmFacts facts = JvmFacts.read();
    String obstacle = Selection.obstacle(facts);
    if (obstacle != null) {
      throw new IllegalStateException(obstacle);
    }
    return VectorKernels.SET;
  }

  /**
   * The set that {@value #PROPERTY} names, or else the vector set where the JVM compiles it to
   * vector instructions and the scalar set where it does not. Decided once.
   *
   * @throws IllegalArgumentException if the property has another value
   * @throws IllegalStateException if the property says {@code vector} and {@link #vector} fails
   */
  static Kernels chosen() {
    return Selection.decided().kernels();
  }

  /** What {@link #chosen} chose, and what a user should know about it. Throws as it does. */
  static KernelReport report() {
    return Selection.decided().report();
  }

  /** What to call this set in a log line, such as {@code vector-512} or {@code scalar}. */
  String name();

  Activations activations();

  /** The attention over a cache of this format. */
  Attention attention(CacheFormat format);

  ShortConvolution convolution();

  AverageScan averageScan();

  FastWeights fastWeights();

  GatedScan gatedScan();

  LongConvolution longConvolution();

  MatrixMemory memory();

  LevelMemory levels();

  ConjugateGradients solver();

  Norms norms();

  Rotary rotary();

  SelectiveScan selectiveScan();

  ComplexScan complexScan();

  /** What matmuls multiply; exactly, unless {@link #with} says otherwise. */
  Products products();

  /** The same kernels, but with matmuls of these products. */
  Kernels with(Products products);

  /** The matmul of a weight format. */
  Matmul matmul(WeightFormat format);
}
