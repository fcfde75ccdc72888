package dev.apus.kernels;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;

/**
 * What the choice of kernels depends on.
 *
 * @param choice value of {@value Kernels#PROPERTY}, or null
 * @param vectorBits preferred length of a vector, or 0 without the vector module
 * @param mode the VM's own description of its mode, such as {@code mixed mode, sharing}
 * @param compilerLevel highest level of compilation; 4 is C2
 * @param jvmciCompiler whether another compiler stands in for C2
 * @param g1 whether the collector is G1
 */
record JvmFacts(
    String choice,
    int vectorBits,
    String mode,
    int compilerLevel,
    boolean jvmciCompiler,
    boolean g1,
    Runtime.Version version,
    String jdk) {

  private static final String VECTOR_MODULE = "jdk.incubator.vector";

  static JvmFacts read() {
    return new JvmFacts(
        System.getProperty(Kernels.PROPERTY),
        canReadVectorModule() ? VectorKernels.bits() : 0,
        System.getProperty("java.vm.info", ""),
        Integer.parseInt(flag("TieredStopAtLevel", "4")),
        Boolean.parseBoolean(flag("UseJVMCICompiler", "false")),
        Boolean.parseBoolean(flag("UseG1GC", "false")),
        Runtime.version(),
        System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
  }

  private static boolean canReadVectorModule() {
    return ModuleLayer.boot()
        .findModule(VECTOR_MODULE)
        .map(JvmFacts.class.getModule()::canRead)
        .orElse(false);
  }

  /** A flag of HotSpot; {@code otherwise} on a VM without it or without the management module. */
  private static String flag(String name, String otherwise) {
    if (ModuleLayer.boot().findModule("jdk.management").isEmpty()) {
      return otherwise;
    }
    try {
      var bean = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
      return bean == null ? otherwise : bean.getVMOption(name).getValue();
    } catch (IllegalArgumentException e) {
      return otherwise;
    }
  }
}
