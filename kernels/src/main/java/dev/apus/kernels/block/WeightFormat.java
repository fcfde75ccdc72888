package dev.apus.kernels.block;

/** How a weight tensor's values are stored: blocks of so many values in so many bytes. */
public enum WeightFormat {
  F32(1, 4),
  F16(1, 2),
  BF16(1, 2),
  Q8_0(32, 34),
  Q4_0(32, 18),
  Q4_K(256, 144),
  Q5_K(256, 176),
  Q6_K(256, 210),
  MXFP4(32, 17);

  private final int blockLength;
  private final int blockBytes;

  WeightFormat(int blockLength, int blockBytes) {
    this.blockLength = blockLength;
    this.blockBytes = blockBytes;
  }

  /** Values in one block. */
  public int blockLength() {
    return blockLength;
  }

  /** Bytes of one block. */
  public int blockBytes() {
    return blockBytes;
  }

  /**
   * Bytes of a row of {@code cols} values.
   *
   * @throws IllegalArgumentException if a row does not end with a block
   */
  public long rowBytes(long cols) {
    if (cols % blockLength != 0) {
      throw new IllegalArgumentException(
          "a row of "
              + cols
              + " values does not divide into "
              + this
              + " blocks of "
              + blockLength);
    }
    return Math.multiplyExact(cols / blockLength, blockBytes);
  }
}
