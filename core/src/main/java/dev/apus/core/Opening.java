package dev.apus.core;

import dev.apus.kernels.KernelReport;
import dev.apus.kernels.Kernels;
import java.util.List;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is said in the log when a model is opened. */
final class Opening {

  private static final Logger LOG = LoggerFactory.getLogger(Model.class);

  private Opening() {}

  static void report(String name, ModelOptions options) {
    KernelReport report = Kernels.report();
    String kernels = options.kernels().name();
    LOG.info("{}: {} kernels, {} threads, {}", name, kernels, options.threads(), report.jdk());
    warnings(report, kernels).forEach(LOG::warn);
  }

  /** What a report warns of; it is about the kernels that suit this JVM, which may be others. */
  static List<String> warnings(KernelReport report, String used) {
    if (report.kernels().equals(used)) {
      return report.warnings();
    }
    String others =
        String.format(
            Locale.ROOT, " (said of the %s kernels; used are %s)", report.kernels(), used);
    return report.warnings().stream().map(warning -> warning + others).toList();
  }
}
