package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;

class ScalarMatmulTest extends MatmulLaws {

  @Override
  Matmul matmul(WeightFormat format) {
    return Matmuls.scalar(format);
  }
}
