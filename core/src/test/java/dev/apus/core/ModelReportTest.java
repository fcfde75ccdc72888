package dev.apus.core;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.kernels.KernelReport;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is said of the kernels when a model is opened. */
class ModelReportTest {

  private static final KernelReport REPORT =
      new KernelReport("scalar", 0, "JDK 25", List.of("C2 is off", "use another collector"));

  @Test
  void warningsAboutTheKernelsInUseAreTakenAsTheyAre() {
    assertEquals(List.of("C2 is off", "use another collector"), Opening.warnings(REPORT, "scalar"));
  }

  @Test
  void warningsAboutOtherKernelsSaySo() {
    assertEquals(
        List.of(
            "C2 is off (said of the scalar kernels; used are vector-256)",
            "use another collector (said of the scalar kernels; used are vector-256)"),
        Opening.warnings(REPORT, "vector-256"));
  }
}
