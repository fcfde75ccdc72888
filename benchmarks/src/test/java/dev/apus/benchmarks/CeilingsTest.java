package dev.apus.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class CeilingsTest {

  @Test
  void aTeamMeasuresBoth() {
    Ceilings ceilings = Ceilings.measure(2, 1 << 20, 1);
    assertEquals(2, ceilings.threads());
    assertTrue(ceilings.bytesPerSecond() > 0, ceilings.toString());
    assertTrue(ceilings.flopsPerSecond() > 0, ceilings.toString());
  }

  @Test
  void aThreadMeasuresItsCache() {
    Ceilings ceilings = Ceilings.ofCache(1 << 14, 1);
    assertEquals(1, ceilings.threads());
    assertTrue(ceilings.bytesPerSecond() > 0, ceilings.toString());
    assertTrue(ceilings.flopsPerSecond() > 0, ceilings.toString());
  }
}
