package dev.apus.cli;

import dev.apus.kernels.KernelReport;
import dev.apus.kernels.Kernels;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** What {@code apus --version} prints: the build, and what it runs on. */
final class Version implements IVersionProvider {

  @Override
  public String[] getVersion() {
    List<String> lines = new ArrayList<>();
    lines.add("Apus " + ofBuild());
    lines.add("Java " + Runtime.version() + ", " + System.getProperty("java.home"));
    lines.addAll(kernels());
    return lines.toArray(String[]::new);
  }

  static String ofBuild() {
    try (InputStream in = Version.class.getResourceAsStream("build.properties")) {
      Properties build = new Properties();
      build.load(in);
      return build.getProperty("version");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> kernels() {
    List<String> lines = new ArrayList<>();
    try {
      KernelReport report = Kernels.report();
      lines.add("Kernels " + report.kernels());
      lines.addAll(report.warnings());
    } catch (IllegalArgumentException | IllegalStateException e) {
      lines.add("Kernels: " + e.getMessage());
    }
    return lines;
  }
}
