package dev.apus.kernels;

import java.util.ArrayList;
import java.util.List;

/** Chooses a set of kernels for a JVM. */
record Selection(Kernels kernels, KernelReport report) {

  private static final String ADD_MODULE =
      "add --add-modules jdk.incubator.vector to the java command line";

  /** The selection for this JVM, decided when it is first asked for. */
  static Selection decided() {
    return Decision.ONCE.get();
  }

  static Selection of(JvmFacts facts) {
    List<String> warnings = new ArrayList<>();
    boolean vector = wantsVector(facts, warnings);
    if (facts.g1() && hasG1Fault(facts.version())) {
      warnings.add(
          facts.jdk()
              + " can corrupt its heap with the G1 collector; use JDK 25.0.3 or later, or another"
              + " collector such as -XX:+UseParallelGC");
    }
    Kernels kernels = vector ? VectorKernels.SET : Kernels.scalar();
    int bits = vector ? facts.vectorBits() : 0;
    return new Selection(kernels, new KernelReport(kernels.name(), bits, facts.jdk(), warnings));
  }

  /** Why the vector set cannot run at all, and what to do about it; null if it can. */
  static String obstacle(JvmFacts facts) {
    return switch (facts.vectorBits()) {
      case 128, 256, 512 -> null;
      case 0 -> "the vector kernels need the module jdk.incubator.vector; " + ADD_MODULE;
      default ->
          "the vector kernels know vectors of 128, 256 and 512 bits, and this JVM prefers "
              + facts.vectorBits()
              + "; set -XX:MaxVectorSize, in bytes, to one of these";
    };
  }

  private static boolean wantsVector(JvmFacts facts, List<String> warnings) {
    String choice = facts.choice() == null ? "auto" : facts.choice();
    String obstacle = obstacle(facts);
    switch (choice) {
      case "scalar" -> {
        return false;
      }
      case "vector" -> {
        if (obstacle != null) {
          throw new IllegalStateException(Kernels.PROPERTY + "=vector: " + obstacle);
        }
        if (handicap(facts) != null) {
          warnings.add("the vector kernels will be slow: " + handicap(facts));
        }
        return true;
      }
      case "auto" -> {
        String reason = obstacle != null ? obstacle : handicap(facts);
        if (reason != null) {
          warnings.add("using the scalar kernels, which are many times slower: " + reason);
        }
        return reason == null;
      }
      default ->
          throw new IllegalArgumentException(
              "system property "
                  + Kernels.PROPERTY
                  + " is \""
                  + choice
                  + "\"; it may be auto, vector or scalar");
    }
  }

  /** Why this JVM would not compile the vector set to vector instructions; null if it would. */
  private static String handicap(JvmFacts facts) {
    if (facts.jvmciCompiler()) {
      return "this JVM compiles with a JVMCI compiler instead of C2, which alone is known to turn"
          + " the Vector API into vector instructions; use -XX:-UseJVMCICompiler or another"
          + " JDK";
    }
    if (facts.mode().contains("interpreted")) {
      return "this JVM only interprets; remove -Xint";
    }
    if (facts.compilerLevel() < 4 || facts.mode().contains("emulated-client")) {
      return "this JVM runs without C2; remove -XX:TieredStopAtLevel";
    }
    return null;
  }

  private static boolean hasG1Fault(Runtime.Version version) {
    return version.feature() == 25 && version.interim() == 0 && version.update() < 3;
  }

  /** The selection, or the reason that there is none, which every caller is to hear. */
  private record Decision(Selection selection, RuntimeException failure) {

    static final Decision ONCE = decide();

    private static Decision decide() {
      try {
        return new Decision(of(JvmFacts.read()), null);
      } catch (IllegalArgumentException | IllegalStateException e) {
        return new Decision(null, e);
      }
    }

    Selection get() {
      if (failure instanceof IllegalArgumentException) {
        throw new IllegalArgumentException(failure.getMessage(), failure);
      }
      if (failure != null) {
        throw new IllegalStateException(failure.getMessage(), failure);
      }
      return selection;
    }
  }
}
