package dev.apus.core.compute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EasedKernelsTest {

  private final Kernels scalar = Kernels.scalar();
  private final Kernels vector = Kernels.vector();
  private final EasedKernels eased = new EasedKernels(scalar, vector);

  @Test
  void mostEarlyCallsAreScalarAndInTheEndNone() {
    assertSame(scalar.norms(), eased.norms());
    long early =
        IntStream.range(1, EasedKernels.CALLS)
            .filter(call -> eased.activations() == scalar.activations())
            .count();
    assertEquals(EasedKernels.CALLS - 1 - EasedKernels.CALLS / 16, early);
    assertSame(vector.activations(), eased.activations());
    assertSame(vector.norms(), eased.norms());
  }

  @Test
  void whatOwnsALayoutNeverChanges() {
    assertSame(
        vector.attention(CacheFormat.F32).getClass(), eased.attention(CacheFormat.F32).getClass());
    assertSame(vector.memory(), eased.memory());
    assertEquals(vector.name(), eased.name());
  }
}
