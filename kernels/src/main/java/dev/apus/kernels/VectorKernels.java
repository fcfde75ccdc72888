package dev.apus.kernels;

import dev.apus.kernels.activation.ScalarActivations;
import dev.apus.kernels.attention.ScalarAttention;
import dev.apus.kernels.conv.ScalarShortConvolution;
import dev.apus.kernels.matmul.Matmuls;
import dev.apus.kernels.memory.ScalarMatrixMemory;
import dev.apus.kernels.norm.ScalarNorms;
import dev.apus.kernels.rope.ScalarRotary;

/**
 * Holds the vector set. A class of its own, because nothing may touch a vector class before it is
 * known that the module is there.
 */
final class VectorKernels {

  static final Kernels SET =
      new KernelSet(
          "vector-" + bits(),
          new ScalarActivations(),
          new ScalarAttention(),
          new ScalarShortConvolution(),
          new ScalarMatrixMemory(),
          new ScalarNorms(),
          new ScalarRotary(),
          Matmuls::vector);

  private VectorKernels() {}

  static int bits() {
    return Lanes.F32.vectorBitSize();
  }
}
