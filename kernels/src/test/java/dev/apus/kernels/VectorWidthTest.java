package dev.apus.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/**
 * The build runs the kernels' tests once for each vector width and once without vectors; this holds
 * it to that, so that a green run of 256 bits was one of 256 bits.
 */
class VectorWidthTest {

  /** The width this run was started for; 0 for none, and null outside the build. */
  private static final Integer ASKED = Integer.getInteger("apus.test.vectorBits");

  @Test
  void theKernelsAreAsWideAsTheBuildAskedForOrTheCpuAllows() {
    assumeTrue(ASKED != null, "the build sets apus.test.vectorBits");
    int bits = Kernels.report().vectorBits();
    System.out.println("vector bits: asked " + ASKED + ", running " + bits);
    assertEquals(ASKED > 0, VectorApi.isPresent(), "is jdk.incubator.vector there?");
    assertEquals(Math.min(ASKED, widestBits()), bits);
  }

  /** {@code MaxVectorSize} after the JVM has lowered it to what the CPU has. */
  private static int widestBits() {
    var options = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
    return Byte.SIZE * Integer.parseInt(options.getVMOption("MaxVectorSize").getValue());
  }
}
