package dev.apus.kernels.attention;

import dev.apus.kernels.block.WeightFormat;

/** How keys and values are kept. */
public enum CacheFormat {
  /** As they are. */
  F32(WeightFormat.F32),
  /** In half the memory, each value rounded to the nearest of its format, ties to even. */
  BF16(WeightFormat.BF16);

  private final WeightFormat value;

  CacheFormat(WeightFormat value) {
    this.value = value;
  }

  /** The format of a single value. */
  WeightFormat value() {
    return value;
  }
}
