package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import java.util.EnumMap;
import java.util.Map;

/** The matmul of every weight format, in both forms; one stateless instance each. */
public final class Matmuls {

  private static final Map<WeightFormat, Matmul> SCALAR = new EnumMap<>(WeightFormat.class);

  private static final Map<WeightFormat, Matmul> SCALAR_INTEGER = new EnumMap<>(WeightFormat.class);

  static {
    for (WeightFormat format : WeightFormat.values()) {
      SCALAR.put(format, new ScalarMatmul(format));
      if (Products.INTEGER.areInteger(format)) {
        SCALAR_INTEGER.put(format, new ScalarIntegerMatmul(format));
      }
    }
  }

  private Matmuls() {}

  /** The definition in plain Java; runs without the incubator module. */
  public static Matmul scalar(WeightFormat format) {
    return SCALAR.get(format);
  }

  /** The definition of these products. */
  public static Matmul scalar(WeightFormat format, Products products) {
    return products.areInteger(format) ? SCALAR_INTEGER.get(format) : scalar(format);
  }

  /** The same bits with the Vector API; needs the incubator module. */
  public static Matmul vector(WeightFormat format) {
    return Vectors.BY_FORMAT.get(format);
  }

  /** The vector form of these products. */
  public static Matmul vector(WeightFormat format, Products products) {
    return products.areInteger(format) ? Vectors.INTEGER.get(format) : vector(format);
  }

  /** Apart from the scalar forms, because it does not load without the incubator module. */
  private static final class Vectors {

    static final Map<WeightFormat, Matmul> BY_FORMAT = new EnumMap<>(WeightFormat.class);

    static final Map<WeightFormat, Matmul> INTEGER =
        Map.of(
            WeightFormat.Q4_0,
            new VectorIntegerMatmul(IntegerGrids::q4, IntegerLayout.q4(), new NibbleNumbers(false)),
            WeightFormat.Q4_K,
            new VectorIntegerMatmul(
                IntegerGrids::q4k, IntegerLayout.q4k(), new NibbleNumbers(true)),
            WeightFormat.Q5_K,
            new VectorIntegerMatmul(
                IntegerGrids::q5k, IntegerLayout.q5k(), new FieldNumbers(Fields.FIVE, true)),
            WeightFormat.Q6_K,
            new VectorIntegerMatmul(
                IntegerGrids::q6k, IntegerLayout.q6k(), new FieldNumbers(Fields.SIX, false)),
            WeightFormat.MXFP4,
            new VectorIntegerMatmul(
                IntegerGrids::mxfp4, IntegerLayout.mxfp4(), new FieldNumbers(Fields.CODES, false)));

    static {
      for (WeightFormat format : WeightFormat.values()) {
        BY_FORMAT.put(format, new VectorMatmul(decoder(format)));
      }
    }

    private static PanelDecoder decoder(WeightFormat format) {
      return switch (format) {
        case F32 -> new F32Panels();
        case F16 -> new F16Panels();
        case BF16 -> new Bf16Panels();
        case Q8_0 -> new Q8Panels();
        case Q4_0 -> new Q4Panels();
        case Q4_K -> new Q4kPanels();
        case Q5_K -> new Q5kPanels();
        case Q6_K -> new Q6kPanels();
        case MXFP4 -> new Mxfp4Panels();
      };
    }
  }
}
