package dev.apus.core.file;

import java.util.List;

/**
 * The types of tensors in GGUF files: ggml's numbers for them, and how many bytes a block takes.
 */
enum GgmlType {
  F32(0, 1, 4),
  F16(1, 1, 2),
  Q4_0(2, 32, 18),
  Q4_1(3, 32, 20),
  Q5_0(6, 32, 22),
  Q5_1(7, 32, 24),
  Q8_0(8, 32, 34),
  Q8_1(9, 32, 36),
  Q2_K(10, 256, 84),
  Q3_K(11, 256, 110),
  Q4_K(12, 256, 144),
  Q5_K(13, 256, 176),
  Q6_K(14, 256, 210),
  Q8_K(15, 256, 292),
  IQ2_XXS(16, 256, 66),
  IQ2_XS(17, 256, 74),
  IQ3_XXS(18, 256, 98),
  IQ1_S(19, 256, 50),
  IQ4_NL(20, 32, 18),
  IQ3_S(21, 256, 110),
  IQ2_S(22, 256, 82),
  IQ4_XS(23, 256, 136),
  I8(24, 1, 1),
  I16(25, 1, 2),
  I32(26, 1, 4),
  I64(27, 1, 8),
  F64(28, 1, 8),
  IQ1_M(29, 256, 56),
  BF16(30, 1, 2),
  TQ1_0(34, 256, 54),
  TQ2_0(35, 256, 66),
  MXFP4(39, 32, 17),
  NVFP4(40, 64, 36),
  Q1_0(41, 128, 18),
  Q2_0(42, 64, 18);

  private final int id;
  private final int blockLength;
  private final int blockBytes;

  GgmlType(int id, int blockLength, int blockBytes) {
    this.id = id;
    this.blockLength = blockLength;
    this.blockBytes = blockBytes;
  }

  /** The type of that number. */
  static GgmlType of(long id, Place place) {
    for (GgmlType type : values()) {
      if (type.id == id) {
        return type;
      }
    }
    String removed =
        switch ((int) Math.min(id, Integer.MAX_VALUE)) {
          case 4 -> "Q4_2";
          case 5 -> "Q4_3";
          case 31 -> "Q4_0_4_4";
          case 32 -> "Q4_0_4_8";
          case 33 -> "Q4_0_8_8";
          case 36 -> "IQ4_NL_4_4";
          case 37 -> "IQ4_NL_4_8";
          case 38 -> "IQ4_NL_8_8";
          default -> null;
        };
    if (removed != null) {
      throw place.error(
          "has type %d, %s, which was removed in GGUF; quantise it anew", id, removed);
    }
    throw place.error("has the unknown type %d; known: 0 to %d", id, Q2_0.id);
  }

  /** The type of that name, or null. */
  static GgmlType named(String name) {
    for (GgmlType type : values()) {
      if (type.name().equals(name)) {
        return type;
      }
    }
    return null;
  }

  int id() {
    return id;
  }

  /** The bytes of a tensor, whose rows must be whole blocks. */
  long bytes(List<Long> shape, Place place) {
    return Sizes.bytes(shape, blockLength, blockBytes, name(), place);
  }
}
