package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;

class ScalarIntegerMatmulTest extends MatmulLaws {

  @Override
  Matmul matmul(WeightFormat format) {
    return Matmuls.scalar(format, Products.INTEGER);
  }

  @Override
  Products products() {
    return Products.INTEGER;
  }
}
