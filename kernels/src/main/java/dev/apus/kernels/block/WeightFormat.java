package dev.apus.kernels.block;

/**
 * How a weight tensor's values are stored: blocks of so many values in so many bytes, with the bits
 * that GGUF files hold.
 *
 * <p>Each format says how far from a value its encoding may lie. To encode what was decoded gives
 * the same values again, except for the K-quants: their scales are searched for, so these may
 * settle elsewhere, within the same bound.
 */
public enum WeightFormat {
  /** Floats, exactly. */
  F32(1, 4, new F32Codec()),

  /** IEEE half precision: within 2⁻¹¹ of the value's magnitude, or 2⁻²⁵ if that is more. */
  F16(1, 2, new F16Codec()),

  /** The upper halves of floats: within 2⁻⁸ of the value's magnitude. */
  BF16(1, 2, new Bf16Codec()),

  /** Signed bytes times a scale: within 0.57 / 127 of the block's largest magnitude, plus 2⁻¹⁸. */
  Q8_0(32, 34, new Q8Codec()),

  /** Four bits times a scale: within 1.01 / 8 of the block's largest magnitude, plus 2⁻²². */
  Q4_0(32, 18, new Q4Codec()),

  /**
   * Four bits on a grid for every 32 values: within 1.5 / 15 of the block's widest range of 32,
   * plus 1/60 of its lowest value.
   */
  Q4_K(256, 144, new Q45kCodec(4)),

  /**
   * Five bits on a grid for every 32 values: within 1.5 / 31 of the block's widest range of 32,
   * plus 1/60 of its lowest value.
   */
  Q5_K(256, 176, new Q45kCodec(5)),

  /** Six bits times a scale for every 16 values: within 1.5 / 32 of the largest magnitude. */
  Q6_K(256, 210, new Q6kCodec()),

  /** Four-bit floats times a power of two: within a third of the block's largest magnitude. */
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
