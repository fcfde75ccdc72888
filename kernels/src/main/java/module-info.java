/**
 * The arithmetic: one package for each operation, every operation with a scalar definition and a
 * Vector API form. Nothing here knows what a model is.
 */
module dev.apus.kernels {
  requires jdk.incubator.vector;
  requires static jdk.management;

  exports dev.apus.kernels;
  exports dev.apus.kernels.activation;
  exports dev.apus.kernels.attention;
  exports dev.apus.kernels.block;
  exports dev.apus.kernels.conv;
  exports dev.apus.kernels.learning;
  exports dev.apus.kernels.levels;
  exports dev.apus.kernels.matmul;
  exports dev.apus.kernels.memory;
  exports dev.apus.kernels.norm;
  exports dev.apus.kernels.rope;
  exports dev.apus.kernels.scan;
  exports dev.apus.kernels.solve;
}
