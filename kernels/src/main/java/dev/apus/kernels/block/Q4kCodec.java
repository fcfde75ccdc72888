package dev.apus.kernels.block;

import java.lang.foreign.MemorySegment;

/** {@link WeightFormat#Q4_K}, whose values are nibbles. */
final class Q4kCodec extends Q45kCodec implements NibbleCodec {

  Q4kCodec() {
    super(4);
  }

  @Override
  public boolean hasLows() {
    return true;
  }

  @Override
  public void read(MemorySegment stored, long at, int[] numbers, float[] steps, float[] lows) {
    for (int j = 0; j < WeightFormat.Q4_K.blockLength() / SPAN; j++) {
      steps[j] = step(stored, at, j);
      lows[j] = ZERO * steps[j] - low(stored, at, j);
      for (int l = 0; l < SPAN; l++) {
        numbers[j * SPAN + l] = q(stored, at, j, l) - ZERO;
      }
    }
  }
}
