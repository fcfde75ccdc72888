package dev.apus.kernels.matmul;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.apus.kernels.VectorApi;
import dev.apus.kernels.block.WeightFormat;
import org.junit.jupiter.api.BeforeAll;

class VectorIntegerMatmulTest extends MatmulLaws {

  @BeforeAll
  static void needsTheVectorApi() {
    assumeTrue(VectorApi.isPresent(), "the vector forms need jdk.incubator.vector");
  }

  @Override
  Matmul matmul(WeightFormat format) {
    return Matmuls.vector(format, Products.INTEGER);
  }

  @Override
  Products products() {
    return Products.INTEGER;
  }
}
