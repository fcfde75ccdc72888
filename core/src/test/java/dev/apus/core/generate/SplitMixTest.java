package dev.apus.core.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class SplitMixTest {

  /** The values that the authors' C program prints for this seed. */
  @Test
  void givesThePublishedSequence() {
    var random = new SplitMix(1234567);
    assertEquals(6457827717110365317L, random.nextLong());
    assertEquals(3203168211198807973L, random.nextLong());
    assertEquals(Long.parseUnsignedLong("9817491932198370423"), random.nextLong());
    assertEquals(4593380528125082431L, random.nextLong());
    assertEquals(Long.parseUnsignedLong("16408922859458223821"), random.nextLong());
  }

  @Test
  void fractionsStayBelowOne() {
    var random = new SplitMix(-1);
    double sum = 0;
    for (int i = 0; i < 10_000; i++) {
      double u = random.nextDouble();
      assertTrue(u >= 0 && u < 1, "u = " + u);
      sum += u;
    }
    assertEquals(0.5, sum / 10_000, 0.01);
  }
}
