package dev.apus.kernels.attention;

import dev.apus.kernels.block.WeightFormat;

/** How keys and values are kept. */
public enum CacheFormat {
  /** As they are. */
  F32,
  /** In half the memory, each value rounded to the nearest of its format, ties to even. */
  BF16,
  /** In 9 bits a value, when they have {@linkplain SettlingAttention settled}; before, as F32. */
  Q8,
  /** In 5 bits a value, when they have {@linkplain SettlingAttention settled}; before, as BF16. */
  Q4;

  /** How keys and values are kept until they settle; the format itself if they never do. */
  public CacheFormat recent() {
    return switch (this) {
      case F32, Q8 -> F32;
      case BF16, Q4 -> BF16;
    };
  }

  /** Whether keys and values are kept in another way as soon as their span is whole. */
  public boolean settles() {
    return recent() != this;
  }

  /** How a column of 32 of them lies in memory. */
  Columns columns() {
    return switch (this) {
      case F32 -> new PlainColumns(WeightFormat.F32);
      case BF16 -> new PlainColumns(WeightFormat.BF16);
      case Q8 -> AffineColumns.BYTES;
      case Q4 -> AffineColumns.NIBBLES;
    };
  }
}
