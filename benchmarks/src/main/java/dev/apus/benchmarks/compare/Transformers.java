package dev.apus.benchmarks.compare;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * The Python library transformers on the CPU, driven by a script of ours. Its installed path is a
 * Python that has it; its options are {@code dtype=NAME}, instead of the checkpoint's own, and
 * {@code without=MODULE}, for a module that is to look as if it were not installed: kernels for
 * GPUs stand in the way of the library's own loops.
 */
record Transformers(Installed installed) implements Engine {

  private static final Script SCRIPT = new Script("python-transformers.py");

  @Override
  public String name() {
    return installed.name();
  }

  @Override
  public String obstacle() {
    return installed.missing();
  }

  @Override
  public Measured measure(Path model, Tests tests) throws IOException, InterruptedException {
    for (String option : installed.options()) {
      if (!option.matches("(dtype|without)=.+")) {
        throw new IOException(option + ": needed: dtype=NAME or without=MODULE");
      }
    }
    Script.Answer answer =
        SCRIPT.run(installed.path().toString(), model.toString(), tests, options());
    return new Measured(
        Json.member(answer.json(), "version").asText(),
        answer.speeds(tests),
        answer.peakBytes(),
        "computes in " + Json.member(answer.json(), "dtype").asText());
  }

  private List<String[]> options() {
    return installed.options().stream().map(option -> option.split("=", 2)).toList();
  }
}
