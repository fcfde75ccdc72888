package dev.apus.benchmarks.compare;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Apus through its launcher, in a new JVM each time. {@code apus bench} warms up first, because a
 * JVM compiles what it runs often.
 */
record ApusEngine(Installed installed) implements Engine {

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
    command.addAll(List.of("bench", "-q", "-m", model.toString()));
    command.addAll(List.of("-d", String.valueOf(tests.depth())));
    command.addAll(tests.lengths());
    command.addAll(tests.options());
    command.addAll(installed.options());
    Child child = Child.run(command);
    JsonNode json = Json.in(child, '{');
    Map<String, Double> speeds = new LinkedHashMap<>();
    for (JsonNode test : Json.member(json, "tests")) {
      speeds.put(Json.member(test, "test").asText(), Json.median(Json.member(test, "runs")));
    }
    String version =
        String.join(
            ", ",
            Json.member(json, "version").asText(),
            Json.member(json, "kernels").asText(),
            Json.member(json, "jdk").asText());
    return new Measured(version, speeds, child.peakBytes(), "");
  }
}
