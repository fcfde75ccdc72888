package dev.apus.benchmarks.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.apus.benchmarks.compare.Engine.Measured;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Our script in a real Node, with a package that only counts what it is asked for. */
class NodeLlamaCppTest {

  private static final String PACKAGE =
      """
      import fs from "node:fs";
      const log = [];
      const note = (entry) => {
        log.push(entry);
        fs.writeFileSync(new URL("log.json", import.meta.url), JSON.stringify(log));
      };
      export async function getLlama(options) {
        note(options);
        return {
          llamaCppRelease: { release: "b1" },
          systemInfo: "CPU",
          async loadModel(model) {
            note(model);
            return {
              fileInfo: { metadata: {} },
              async createContext(context) {
                note(context);
                return { getSequence: () => ({ clearHistory: async () => note("clear"), controlledEvaluate }) };
              },
            };
          },
        };
      }
      async function controlledEvaluate(input) {
        note(input.length);
        return input.map((one) => (Array.isArray(one) ? { next: { token: 1 } } : undefined));
      }
      """;

  @TempDir private Path folder;

  @BeforeEach
  void install() throws IOException, InterruptedException {
    assumeTrue(hasNode(), "needs Node");
    Path home = Files.createDirectories(folder.resolve("node-llama-cpp/dist")).getParent();
    Files.writeString(home.resolve("package.json"), "{ \"version\": \"9\", \"type\": \"module\" }");
    Files.writeString(home.resolve("dist/index.js"), PACKAGE);
  }

  private static boolean hasNode() throws InterruptedException {
    try {
      return !Child.run(List.of("node", "--version")).out().isBlank();
    } catch (IOException e) {
      return false;
    }
  }

  private NodeLlamaCpp engine(String... options) {
    return new NodeLlamaCpp(new Installed("node", folder, List.of(options)));
  }

  @Test
  void evaluatesAWarmUpAndEachRepetitionAfterTheDepth() throws Exception {
    Measured measured =
        engine("model.useMmap=false", "context.flashAttention=true")
            .measure(Path.of("x.gguf"), new Tests(6, 2, 3, 1, 2));
    assertEquals(Set.of("pp6 @ d3", "tg2 @ d3"), measured.tokensPerSecond().keySet());
    assertTrue(measured.tokensPerSecond().values().stream().allMatch(speed -> speed > 0));
    assertEquals("node-llama-cpp 9, llama.cpp b1", measured.version());
    String log = Files.readString(folder.resolve("node-llama-cpp/dist/log.json"));
    assertTrue(log.contains("\"gpu\":false,\"build\":\"never\",\"skipDownload\":true"), log);
    assertTrue(log.contains("\"modelPath\":\"x.gguf\",\"useMmap\":false"), log);
    assertTrue(log.contains("\"flashAttention\":true"), log);
    String prompts = "\"clear\",3,6,".repeat(3);
    String generations = "\"clear\",3,1,1,".repeat(3).replaceFirst(",$", "]");
    assertTrue(log.endsWith("," + prompts + generations), log);
  }

  @Test
  void refusesOptionsThatItCannotPassOn() {
    IOException e =
        assertThrows(
            IOException.class,
            () -> engine("useMmap=false").measure(Path.of("x.gguf"), new Tests(1, 1, 0, 1, 1)));
    assertTrue(
        e.getMessage().startsWith("useMmap=false: needed: model.NAME=VALUE"), e.getMessage());
  }
}
