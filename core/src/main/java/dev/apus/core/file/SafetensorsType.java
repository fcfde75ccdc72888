package dev.apus.core.file;

/** The types that safetensors files have names for. */
enum SafetensorsType {
  BOOL(8),
  F4(4),
  F6_E2M3(6),
  F6_E3M2(6),
  F8_E5M2(8),
  F8_E4M3(8),
  F8_E8M0(8),
  F8_E4M3FNUZ(8),
  F8_E5M2FNUZ(8),
  U8(8),
  I8(8),
  U16(16),
  I16(16),
  F16(16),
  BF16(16),
  U32(32),
  I32(32),
  F32(32),
  U64(64),
  I64(64),
  F64(64),
  C64(64);

  private final int bits;

  SafetensorsType(int bits) {
    this.bits = bits;
  }

  /** The type of that name, or null. */
  static SafetensorsType named(String name) {
    for (SafetensorsType type : values()) {
      if (type.name().equals(name)) {
        return type;
      }
    }
    return null;
  }

  /** The bytes of so many values, which must be whole. */
  long bytes(long elements, Place place) {
    long total = Sizes.times(elements, bits, place);
    if (total % 8 != 0) {
      throw place.error("has %d values of %d bits, which do not fill whole bytes", elements, bits);
    }
    return total / 8;
  }
}
