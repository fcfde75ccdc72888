package dev.apus.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class FreeMemoryTest {

  @Test
  void readsWhatLinuxSays() {
    List<String> lines = List.of("MemTotal:  100 kB", "MemFree: 5 kB", "MemAvailable:    70 kB");
    assertEquals(70 * 1024, FreeMemory.available(lines, 3));
    assertEquals(3, FreeMemory.available(List.of("MemFree: 5 kB", "MemAvailable: much"), 3));
    assertTrue(FreeMemory.bytes() > 1 << 20);
  }
}
