package dev.apus.kernels;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.stream.Stream;

/** Whether this JVM can run the vector kernels. */
public final class VectorApi {

  private VectorApi() {}

  public static boolean isPresent() {
    return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
  }

  /** The vector set; a test that asks for it where there is none is skipped. */
  public static Kernels kernels() {
    assumeTrue(isPresent(), "needs --add-modules jdk.incubator.vector");
    return Kernels.vector();
  }

  /** Every set that this JVM can run. */
  public static Stream<Kernels> sets() {
    return isPresent()
        ? Stream.of(Kernels.scalar(), Kernels.vector())
        : Stream.of(Kernels.scalar());
  }
}
