package dev.apus.benchmarks.compare;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A script of ours, a resource beside this class, that drives an engine which is a library. It
 * prints an object with the tokens per second of each repetition in {@code prompt} and {@code
 * generate}.
 */
record Script(String resource) {

  private static final JsonMapper MAPPER = new JsonMapper();

  /** What a script printed, and the memory that it took. */
  record Answer(JsonNode json, long peakBytes) {

    /** The median of the repetitions of each test, by its name. */
    Map<String, Double> speeds(Tests tests) throws IOException {
      Map<String, Double> speeds = new LinkedHashMap<>();
      if (tests.prompt() > 0) {
        speeds.put(tests.promptName(), Json.median(Json.member(json, "prompt")));
      }
      if (tests.generate() > 0) {
        speeds.put(tests.generationName(), Json.median(Json.member(json, "generate")));
      }
      return speeds;
    }
  }

  /**
   * Runs the script in a new process of its interpreter.
   *
   * @param arguments that the script gets; what is no text becomes JSON
   * @throws IOException if it cannot be started, fails, or prints no JSON
   */
  Answer run(String interpreter, Object... arguments) throws IOException, InterruptedException {
    Path file = Files.createTempFile("compare", resource.substring(resource.lastIndexOf('.')));
    try {
      try (InputStream in = Script.class.getResourceAsStream(resource)) {
        Files.write(file, in.readAllBytes());
      }
      List<String> command = new ArrayList<>(List.of(interpreter, file.toString()));
      for (Object argument : arguments) {
        command.add(argument instanceof String text ? text : json(argument));
      }
      Child child = Child.run(command);
      return new Answer(Json.in(child, '{'), child.peakBytes());
    } finally {
      Files.delete(file);
    }
  }

  private static String json(Object value) throws JsonProcessingException {
    return MAPPER.writeValueAsString(value);
  }
}
