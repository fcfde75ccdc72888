package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import java.util.EnumMap;
import java.util.Map;

/** The matmul of every weight format, in both forms; one stateless instance each. */
public final class Matmuls {

  private static final Map<WeightFormat, Matmul> SCALAR = new EnumMap<>(WeightFormat.class);

  static {
    for (WeightFormat format : WeightFormat.values()) {
      SCALAR.put(format, new ScalarMatmul(format));
    }
  }

  private Matmuls() {}

  /** The definition in plain Java; runs without the incubator module. */
  public static Matmul scalar(WeightFormat format) {
    return SCALAR.get(format);
  }
}
