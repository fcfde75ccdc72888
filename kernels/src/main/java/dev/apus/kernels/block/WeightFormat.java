package dev.apus.kernels.block;

/** How a weight tensor's values are stored: blocks of so many values in so many bytes. */
public enum WeightFormat {
  F32(1, 4, new F32Codec()),
  F16(1, 2, new F16Codec()),
  BF16(1, 2, new Bf16Codec()),
  Q8_0(32, 34, new Q8Codec()),
  Q4_0(32, 18, new Q4Codec()),
  Q4_K(256, 144, new Q45kCodec(4)),
  Q5_K(256, 176, new Q45kCodec(5)),
  Q6_K(256, 210, new Q6kCodec()),
  MXFP4(32, 17, new Mxfp4Codec());

  private final int blockLength;
  private final int blockBytes;
  private final BlockCodec codec;

  WeightFormat(int blockLength, int blockBytes, BlockCodec codec) {
    this.blockLength = blockLength;
    this.blockBytes = blockBytes;
    this.codec = codec;
  }

  /** Decodes and encodes this format's blocks. */
  public BlockCodec codec() {
    return codec;
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
