package dev.apus.kernels;

import dev.apus.kernels.activation.VectorActivations;
import dev.apus.kernels.attention.SettlingAttention;
import dev.apus.kernels.conv.VectorLongConvolution;
import dev.apus.kernels.conv.VectorShortConvolution;
import dev.apus.kernels.learning.VectorFastWeights;
import dev.apus.kernels.levels.VectorLevelMemory;
import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.matmul.Matmuls;
import dev.apus.kernels.matmul.Products;
import dev.apus.kernels.memory.VectorMatrixMemory;
import dev.apus.kernels.norm.VectorNorms;
import dev.apus.kernels.rope.VectorRotary;
import dev.apus.kernels.scan.VectorAverageScan;
import dev.apus.kernels.scan.VectorComplexScan;
import dev.apus.kernels.scan.VectorGatedScan;
import dev.apus.kernels.scan.VectorSelectiveScan;
import dev.apus.kernels.solve.VectorConjugateGradients;

/**
 * Holds the vector set. A class of its own, because nothing may touch a vector class before it is
 * known that the module is there.
 */
final class VectorKernels {

  static final Kernels SET =
      new KernelSet(
          "vector-" + bits(),
          new VectorActivations(),
          SettlingAttention::vector,
          new VectorShortConvolution(),
          new VectorAverageScan(),
          new VectorFastWeights(),
          new VectorGatedScan(),
          new VectorMatrixMemory(),
          new VectorLevelMemory(),
          new VectorConjugateGradients(),
          new VectorNorms(),
          new VectorRotary(),
          new VectorSelectiveScan(),
          new VectorLongConvolution(),
          new VectorComplexScan(),
          Matmuls::vector,
          Products.EXACT);

  private VectorKernels() {}

  static int bits() {
    return Lanes.F32.vectorBitSize();
  }
}
