package dev.apus.kernels;

import dev.apus.kernels.activation.Activations;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.conv.ShortConvolution;
import dev.apus.kernels.matmul.Matmul;
import dev.apus.kernels.memory.MatrixMemory;
import dev.apus.kernels.norm.Norms;
import dev.apus.kernels.rope.Rotary;

/** One implementation of every operation; stateless, so one set serves every model and thread. */
public interface Kernels {

  /** What to call this set in a log line, such as {@code vector-512} or {@code scalar}. */
  String name();

  Activations activations();

  Attention attention();

  ShortConvolution convolution();

  MatrixMemory memory();

  Norms norms();

  Rotary rotary();

  /** The matmul of a weight format. */
  Matmul matmul(WeightFormat format);
}
