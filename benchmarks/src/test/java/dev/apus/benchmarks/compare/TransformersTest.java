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

/** Our script in a real Python, with a torch and a transformers that only note what is asked. */
class TransformersTest {

  private static final String TORCH =
      """
      from contextlib import nullcontext
      __version__ = "2"
      inference_mode = nullcontext
      def set_num_threads(threads):
          assert threads == 3
      def tensor(rows):
          return rows
      """;

  private static final String TRANSFORMERS =
      """
      import os
      from types import SimpleNamespace
      __version__ = "5"
      def note(*words):
          with open(os.environ["APUS_LOG"], "a") as log:
              print(*words, file=log)
      class DynamicCache:
          tokens = 0
          def __init__(self, config):
              assert config == Model.config
      class Model:
          dtype = "torch.bfloat16"
          config = SimpleNamespace(get_text_config=lambda: SimpleNamespace(vocab_size=10))
          def eval(self):
              pass
          def forward(self, ids, use_cache, logits_to_keep, past_key_values=None):
              assert use_cache and logits_to_keep == 1 and max(ids[0]) < 10
              note(past_key_values.tokens, len(ids[0]))
              past_key_values.tokens += len(ids[0])
              return SimpleNamespace(past_key_values=None)
          __call__ = forward
      class AutoModelForCausalLM:
          @staticmethod
          def from_pretrained(path, dtype):
              note(path, dtype)
              try:
                  import json.tool
                  note("has json.tool")
              except ImportError:
                  note("without json.tool")
              return Model()
      """;

  @TempDir private Path folder;

  private Path python;

  @BeforeEach
  void install() throws IOException, InterruptedException {
    assumeTrue(hasPython(), "needs Python");
    Files.writeString(folder.resolve("torch.py"), TORCH);
    Files.writeString(folder.resolve("transformers.py"), TRANSFORMERS);
    python = folder.resolve("python");
    Files.writeString(
        python,
        "#!/bin/sh\nAPUS_LOG='%1$s/log' PYTHONPATH='%1$s' exec python3 -P \"$@\"\n"
            .formatted(folder));
    assertTrue(python.toFile().setExecutable(true));
  }

  private static boolean hasPython() throws InterruptedException {
    try {
      // -P, which keeps the script's own folder out of the way, came with Python 3.11.
      return !Child.run(List.of("python3", "-P", "--version")).out().isBlank();
    } catch (IOException e) {
      return false;
    }
  }

  private Transformers engine(String... options) {
    return new Transformers(new Installed("python", python, List.of(options)));
  }

  @Test
  void evaluatesAWarmUpAndEachRepetitionAfterTheDepth() throws Exception {
    Measured measured =
        engine("dtype=bfloat16", "without=json.tool")
            .measure(Path.of("model"), new Tests(6, 2, 3, 3, 2));
    assertEquals(Set.of("pp6 @ d3", "tg2 @ d3"), measured.tokensPerSecond().keySet());
    assertTrue(measured.tokensPerSecond().values().stream().allMatch(speed -> speed > 0));
    assertEquals("transformers 5, torch 2", measured.version());
    assertEquals("computes in bfloat16", measured.remark());
    assertEquals(
        "model bfloat16\nwithout json.tool\n"
            + "0 3\n3 6\n".repeat(3)
            + "0 3\n3 1\n4 1\n".repeat(3),
        Files.readString(folder.resolve("log")));
  }

  @Test
  void beginsWithAnEmptyContextAndTheCheckpointsPrecision() throws Exception {
    Measured measured = engine().measure(Path.of("model"), new Tests(0, 3, 0, 3, 1));
    assertEquals(Set.of("tg3"), measured.tokensPerSecond().keySet());
    assertEquals(
        "model auto\nhas json.tool\n" + "0 1\n1 1\n2 1\n".repeat(2),
        Files.readString(folder.resolve("log")));
  }

  @Test
  void refusesOptionsThatItCannotPassOn() {
    IOException e =
        assertThrows(
            IOException.class,
            () -> engine("threads=4").measure(Path.of("model"), new Tests(1, 1, 0, 3, 1)));
    assertEquals("threads=4: needed: dtype=NAME or without=MODULE", e.getMessage());
  }

  @Test
  void tellsWhatPythonSaid() throws Exception {
    Files.writeString(folder.resolve("torch.py"), "raise ImportError('no torch here')\n");
    IOException e =
        assertThrows(
            IOException.class, () -> engine().measure(Path.of("model"), new Tests(1, 1, 0, 3, 1)));
    assertTrue(e.getMessage().contains("no torch here"), e.getMessage());
  }
}
