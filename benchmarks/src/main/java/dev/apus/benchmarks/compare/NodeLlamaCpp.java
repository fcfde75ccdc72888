package dev.apus.benchmarks.compare;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * llama.cpp as the npm package node-llama-cpp brings it, driven by a script of ours. Its installed
 * path is a folder {@code node_modules}; its options are settings such as {@code
 * model.useMmap=false} and {@code context.flashAttention=true}.
 */
record NodeLlamaCpp(Installed installed) implements Engine {

  private static final JsonMapper MAPPER = new JsonMapper();
  private static final Script SCRIPT = new Script("node-llama-cpp.mjs");

  @Override
  public String name() {
    return installed.name();
  }

  @Override
  public String obstacle() {
    Path module = installed.path().resolve("node-llama-cpp");
    return Files.isDirectory(module) ? null : module + " is not there";
  }

  @Override
  public Measured measure(Path model, Tests tests) throws IOException, InterruptedException {
    Script.Answer answer =
        SCRIPT.run("node", installed.path().toString(), model.toString(), tests, settings());
    String version =
        "node-llama-cpp "
            + Json.member(answer.json(), "version").asText()
            + ", llama.cpp "
            + answer.json().path("release").asText("of unknown release");
    return new Measured(
        version,
        answer.speeds(tests),
        answer.peakBytes(),
        "also chooses the likeliest token after each test step");
  }

  /** The options, as an object of the two sections {@code model} and {@code context}. */
  private ObjectNode settings() throws IOException {
    ObjectNode settings = MAPPER.createObjectNode();
    for (String option : installed.options()) {
      String[] parts = option.split("[.=]", 3);
      if (parts.length < 3 || !List.of("model", "context").contains(parts[0])) {
        throw new IOException(
            option + ": needed: model.NAME=VALUE or context.NAME=VALUE, the value in JSON");
      }
      settings.withObjectProperty(parts[0]).set(parts[1], MAPPER.readTree(parts[2]));
    }
    return settings;
  }
}
