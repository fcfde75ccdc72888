package dev.apus.kernels;

import java.util.List;

/**
 * Which kernels were chosen and why a user might want others.
 *
 * @param kernels the set's name
 * @param vectorBits length of a vector, 0 for the scalar set
 * @param jdk the JVM's name and version
 * @param warnings whole sentences that say what is wrong and what to do about it
 */
public record KernelReport(String kernels, int vectorBits, String jdk, List<String> warnings) {

  public KernelReport {
    warnings = List.copyOf(warnings);
  }
}
