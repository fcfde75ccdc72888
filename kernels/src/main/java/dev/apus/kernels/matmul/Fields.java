package dev.apus.kernels.matmul;

/**
 * How quants of five or six bits fill halves of words: as many columns as fill them without a rest,
 * a part, and of which a sum of products fits into 16 bits.
 *
 * <p>A half has whole quants from the lowest bit on, and above them one or two fields with a few
 * bits of a quant that no half has whole. A half is therefore four fields, and read as {@link
 * VectorRounding} reads nibbles: by shifts and without masks. With {@code Aᵢ} what field i of a
 * half u counts, inputs times powers of two, and sᵢ where it begins,
 *
 * <pre>
 *   Σ fieldᵢ Aᵢ  =  Σ (u ≫ sᵢ) (Aᵢ − 2^(sᵢ − sᵢ₋₁) Aᵢ₋₁)      modulo 2¹⁶
 * </pre>
 *
 * <p>Codes that stand for numbers are looked up, two bytes of a half at a time: see {@link #CODES}.
 *
 * @param bits of a quant
 * @param zero what is subtracted from it
 * @param columns of a part
 * @param halves of a part
 * @param shifts of the four fields
 * @param column whose bits a field has, field after field, half after half
 * @param exponent how far up in its quant the field's lowest bit is
 */
record Fields(
    int bits, int zero, int columns, int halves, int[] shifts, int[] column, int[] exponent) {

  /** Fields of a half. */
  static final int COUNT = 4;

  /** Three whole quants; the highest bits of all five halves are those of the sixteenth. */
  static final Fields FIVE =
      new Fields(
          5,
          16,
          16,
          5,
          new int[] {0, 5, 10, 15},
          new int[] {0, 1, 2, 15, 3, 4, 5, 15, 6, 7, 8, 15, 9, 10, 11, 15, 12, 13, 14, 15},
          new int[] {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4});

  /** Two whole quants, and four bits of the twelve that the last two have. */
  static final Fields SIX =
      new Fields(
          6,
          32,
          8,
          3,
          new int[] {0, 6, 12, 14},
          new int[] {0, 1, 6, 6, 2, 3, 6, 7, 4, 5, 7, 7},
          new int[] {0, 0, 0, 2, 0, 0, 4, 0, 0, 0, 2, 4});

  /**
   * Codes of four bits for twice the values of E2M1: the two that the lower nibbles of a half are
   * looked up to, then those of the upper ones.
   */
  static final Fields CODES =
      new Fields(
          4,
          Mxfp4Panels.ZERO,
          16,
          4,
          new int[] {0, 8, 4, 12},
          new int[] {0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15},
          new int[16]);

  /** How far above the field before it a field begins; below zero if it was looked up apart. */
  int above(int field) {
    return shifts[field] - shifts[field - 1];
  }
}
