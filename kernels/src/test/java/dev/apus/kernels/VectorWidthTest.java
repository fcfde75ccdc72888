package dev.apus.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * The build runs the kernels' tests once for each vector width and once without vectors; this holds
 * it to that, so that a green run of 256 bits was one of 256 bits.
 */
class VectorWidthTest {

  /** The width this run was started for; 0 for none, and unset outside the build. */
  private static final Integer ASKED = Integer.getInteger("apus.test.vectorBits");

  @Test
  @DisplayName("the vectors are as wide as the build asked for, or as the CPU has them")
  void runsAtTheWidthThatWasAskedFor() {
    int bits = vectorsAreThere() ? Preferred.bits() : 0;
    System.out.println("vector bits: asked " + ASKED + ", running " + bits);
    if (ASKED != null) {
      assertEquals(vectorsAreThere() ? Math.min(ASKED, widestBits()) : 0, bits);
      assertEquals(ASKED > 0, vectorsAreThere(), "is jdk.incubator.vector there?");
    }
  }

  private static boolean vectorsAreThere() {
    return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
  }

  /** {@code MaxVectorSize} after the JVM has lowered it to what the CPU has. */
  private static int widestBits() {
    var options = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
    return Byte.SIZE * Integer.parseInt(options.getVMOption("MaxVectorSize").getValue());
  }

  /** Apart, so that the test loads without the incubator module. */
  private static final class Preferred {
    static int bits() {
      return FloatVector.SPECIES_PREFERRED.vectorBitSize();
    }
  }
}
