package dev.apus.kernels;

import dev.apus.kernels.activation.ScalarActivations;
import dev.apus.kernels.attention.SettlingAttention;
import dev.apus.kernels.conv.ScalarLongConvolution;
import dev.apus.kernels.conv.ScalarShortConvolution;
import dev.apus.kernels.learning.ScalarFastWeights;
import dev.apus.kernels.levels.ScalarLevelMemory;
import dev.apus.kernels.matmul.Matmuls;
import dev.apus.kernels.matmul.Products;
import dev.apus.kernels.memory.ScalarMatrixMemory;
import dev.apus.kernels.norm.ScalarNorms;
import dev.apus.kernels.rope.ScalarRotary;
import dev.apus.kernels.scan.ScalarAverageScan;
import dev.apus.kernels.scan.ScalarComplexScan;
import dev.apus.kernels.scan.ScalarGatedScan;
import dev.apus.kernels.scan.ScalarSelectiveScan;
import dev.apus.kernels.solve.ScalarConjugateGradients;

/** Holds the scalar set. */
final class ScalarKernels {

  static final Kernels SET =
      new KernelSet(
          "scalar",
          new ScalarActivations(),
          SettlingAttention::scalar,
          new ScalarShortConvolution(),
          new ScalarAverageScan(),
          new ScalarFastWeights(),
          new ScalarGatedScan(),
          new ScalarMatrixMemory(),
          new ScalarLevelMemory(),
          new ScalarConjugateGradients(),
          new ScalarNorms(),
          new ScalarRotary(),
          new ScalarSelectiveScan(),
          new ScalarLongConvolution(),
          new ScalarComplexScan(),
          Matmuls::scalar,
          Products.EXACT);

  private ScalarKernels() {}
}
