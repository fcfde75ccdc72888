package dev.apus.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random checkpoints of diffusion models, with the tokenizer of another model beside them. */
class RandomFillTest {

  private static final Path TOKENIZER =
      Path.of("../fable/src/main/resources/dev/apus/fable/common/tokenizer.json");

  private static final String PROMPT = "Once upon <gap:9> after.";

  @TempDir private Path temporary;

  private Path checkpoint(String family) throws IOException {
    Path config = temporary.resolve(family + ".json");
    try (InputStream in =
        RandomFillTest.class.getResourceAsStream("/configs/" + family + ".json")) {
      String json = new String(in.readAllBytes(), UTF_8);
      Files.writeString(config, json.replace("\"vocab_size\": 192", "\"vocab_size\": 4096"));
    }
    Path folder = temporary.resolve(family);
    Cli made = Cli.run("random", config, "-o", folder, "--seed", 3);
    assertEquals(0, made.exitCode(), made.err());
    Files.copy(TOKENIZER, folder.resolve("tokenizer.json"));
    return folder;
  }

  private static Cli generate(Path folder, Object... options) {
    List<Object> all = new ArrayList<>(List.of("generate", "-m", folder));
    all.addAll(Arrays.asList(options));
    return Cli.run(all.toArray());
  }

  private static String text(Path folder, Object... options) {
    List<Object> all = new ArrayList<>(List.of("-q", "--steps", 5));
    all.addAll(Arrays.asList(options));
    all.add(PROMPT);
    Cli run = generate(folder, all.toArray());
    assertEquals(0, run.exitCode(), run.err());
    return run.out();
  }

  @ParameterizedTest
  @ValueSource(strings = {"diffusion_gemma", "plaid"})
  void fillsAGapAndShowsHow(String family) throws IOException {
    Path folder = checkpoint(family);
    List<String> lines = text(folder, "--drafts", "--seed", 1).lines().toList();
    // Vectors are looked at once more after the last step.
    assertEquals(family.equals("plaid") ? 6 : 5, lines.size());
    for (String line : lines) {
      assertTrue(line.startsWith("Once upon") && line.endsWith(" after."), line);
    }
    assertTrue(lines.getLast().indexOf('░') < 0, lines.getLast());
    assertTrue(family.equals("plaid") == lines.getFirst().indexOf('░') < 0, lines.getFirst());
    assertNotEquals(lines.getLast(), text(folder, "--seed", 2).strip());
    assertEquals(lines.getLast(), text(folder, "--seed", 1).strip());
  }

  @Test
  void optionsOfVectorsAreHeededOrRefused() throws IOException {
    Path folder = checkpoint("plaid");
    String plain = text(folder, "--seed", 1);
    assertEquals(plain, text(folder, "--seed", 1, "--rule", "gaussian", "--score-temp", 0.9));
    for (Object[] option :
        new Object[][] {{"--score-temp", 0.5}, {"--rule", "ddim"}, {"--temp", 2}}) {
      String other = text(folder, "--seed", 1, option[0], option[1]);
      assertNotEquals(plain, other, Arrays.toString(option));
    }
    Cli more = generate(folder, "-q", "--seed", 1, "--steps", 6, PROMPT);
    assertNotEquals(plain, more.out());
    for (String[] wrong :
        new String[][] {
          {"--guidance=2", "guidance=2.0; needed: 0"},
          {"--block=4", "window=4; needed: 0"},
          {"--keep=dual", "all vectors change"},
          {"--editing=0.5", "editing=0.5; needed: 0"},
          {"--rule=confidence", "the noise is in vectors"},
          {"--threshold=0.9", "the noise is in vectors"}
        }) {
      Cli run = generate(folder, wrong[0], PROMPT);
      assertEquals(2, run.exitCode(), run.err());
      assertTrue(run.err().contains(wrong[1]), run.err());
    }
    Cli tokens = Cli.run("generate", "-m", "fable-diffusion", "--score-temp=1", PROMPT);
    assertEquals(2, tokens.exitCode(), tokens.err());
    assertTrue(tokens.err().contains("--score-temp goes with"), tokens.err());
    Cli other = Cli.run("generate", "-m", "fable-diffusion", "--rule=ddim", PROMPT);
    assertTrue(other.err().contains("needs a model whose noise is in vectors"), other.err());
  }
}
