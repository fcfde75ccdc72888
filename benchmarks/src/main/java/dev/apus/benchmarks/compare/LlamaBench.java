package dev.apus.benchmarks.compare;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The {@code llama-bench} of llama.cpp or of a project that descends from it. */
record LlamaBench(Installed installed) implements Engine {

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
    List<String> command = new ArrayList<>();
    command.add(installed.path().toString());
    command.addAll(List.of("-m", model.toString()));
    boolean hasDepth = tests.depth() == 0 || hasDepth();
    command.addAll(hasDepth ? tests.lengths() : afterPrompt(tests));
    if (hasDepth && tests.depth() > 0) {
      command.addAll(List.of("-d", String.valueOf(tests.depth())));
    }
    command.addAll(tests.options());
    command.addAll(installed.options());
    Child child = Child.run(command);
    Map<String, Double> speeds = new LinkedHashMap<>();
    String version = "";
    for (JsonNode run : Json.in(child, '[')) {
      version =
          String.format(
              Locale.ROOT,
              "build %s (%s)",
              Json.member(run, "build_number").asText(),
              Json.member(run, "build_commit").asText());
      speeds.put(
          Json.member(run, "n_gen").asInt() == 0 ? tests.promptName() : tests.generationName(),
          Json.median(Json.member(run, "samples_ts")));
    }
    String remark = hasDepth ? "" : "can read prompts into an empty context only";
    return new Measured(version, speeds, child.peakBytes(), remark);
  }

  /** Whether there is {@code -d}; without it there may be {@code -gp}, or neither. */
  private boolean hasDepth() throws IOException, InterruptedException {
    Child help = Child.run(List.of(installed.path().toString(), "--help"));
    if (help.out().contains("--n-depth")) {
      return true;
    }
    if (help.out().contains("-gp <pp,tg>")) {
      return false;
    }
    throw new IOException("has neither -d nor -gp, so that no test can begin after other tokens");
  }

  /** Generation after a prompt, without the test of prompts. */
  private static List<String> afterPrompt(Tests tests) throws IOException {
    if (tests.generate() == 0) {
      throw new IOException("has no -d, so that no prompt can begin after other tokens");
    }
    return List.of("-p", "0", "-n", "0", "-gp", tests.depth() + "," + tests.generate());
  }
}
