package dev.apus.diffusion;

import dev.apus.core.generate.SplitMix;
import java.util.function.DoubleSupplier;

/** Normal random numbers from a seed, two at a time (Box and Muller, 1958). */
final class NormalNumbers implements DoubleSupplier {

  private final SplitMix random;
  private double next;
  private boolean hasNext;

  NormalNumbers(long seed) {
    random = new SplitMix(seed);
  }

  @Override
  public double getAsDouble() {
    if (hasNext) {
      hasNext = false;
      return next;
    }
    double radius = Math.sqrt(-2 * StrictMath.log(1 - random.nextDouble()));
    double angle = 2 * Math.PI * random.nextDouble();
    next = radius * StrictMath.sin(angle);
    hasNext = true;
    return radius * StrictMath.cos(angle);
  }
}
