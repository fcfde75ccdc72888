package dev.apus.core.compute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScratchSizeTest {

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 16, 17, 20, 21, 64, 65, 80, 81, 532_480, 1 << 20, (1 << 30) + 1})
  void arraysHoldWhatIsAskedForAndLittleMore(int count) {
    int size = ScratchSize.of(count);
    int floats = ScratchSize.floats(size);
    assertTrue(floats >= count);
    assertTrue(floats <= Math.max(16, 1.25 * count), floats + " floats for " + count);
    assertEquals(size, ScratchSize.of(floats), "an array is given back to where it came from");
    assertTrue(size < ScratchSize.COUNT);
  }
}
