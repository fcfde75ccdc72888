package dev.apus.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.Session;
import dev.apus.core.generate.Generation;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.Token;
import dev.apus.fable.Fable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PerplexityTest {

  private static final String PROMPT = "Once upon a time";

  @TempDir private Path folder;

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("tale.txt"), text);
  }

  /** The log-probabilities that generation reports are the loss of the text it generated. */
  @Test
  void isTheMeanOfWhatGenerationReports() throws IOException {
    StringBuilder tale = new StringBuilder();
    double loss = 0;
    try (Model model = Fable.open();
        Session session = model.newSession(64)) {
      int[] prompt = Arrays.copyOf(session.encode(PROMPT), 1);
      tale.append(model.tokenizer().decode(prompt));
      Generation generation = session.start(prompt, Sampling.greedy().withMaxTokens(12));
      while (generation.hasNext()) {
        Token token = generation.next();
        tale.append(token.text());
        loss -= token.logProbability();
      }
    }
    Cli run = Cli.run("perplexity", file(tale.toString()));
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(
        run.out().startsWith(String.format(Locale.ROOT, "%.4f", loss / 12))
            && run.out().endsWith(" over 12 tokens\n"),
        run.out() + loss / 12);
  }

  @Test
  void eachWindowStartsAnew() throws IOException {
    String tale = "There was once a king who had three daughters.";
    Cli twice = Cli.run("perplexity", "--window", 2, file(tale + tale));
    assertTrue(twice.out().contains(" nats a token, perplexity "), twice.out());
    Cli whole = Cli.run("perplexity", file(tale + tale));
    double cut = Double.parseDouble(twice.out().split(" ")[0]);
    assertTrue(Double.parseDouble(whole.out().split(" ")[0]) < cut, whole.out() + twice.out());
  }

  /** Windows that overlap count every token but the first once, and expect them better. */
  @Test
  void windowsMayOverlap() throws IOException {
    String tale =
        "There was once a king who had three daughters. The youngest was fair as the day.";
    Cli whole = Cli.run("perplexity", "--each", file(tale));
    String[] lines = whole.out().split("\n");
    int counted = lines.length - 1;
    assertTrue(lines[counted].endsWith(" over " + counted + " tokens"), whole.out());
    double sum = 0;
    for (int i = 0; i < counted; i++) {
      String[] cells = lines[i].split("\t");
      assertEquals(Integer.toString(i + 1), cells[0]);
      assertTrue(cells[3].startsWith("\""), lines[i]);
      sum += Double.parseDouble(cells[2]);
    }
    double mean = Double.parseDouble(lines[counted].split(" ")[0]);
    assertEquals(mean, sum / counted, 1e-4);
    Cli apart = Cli.run("perplexity", "--window", 6, file(tale));
    Cli overlapping = Cli.run("perplexity", "--window", 6, "--stride", 2, file(tale));
    assertTrue(overlapping.out().endsWith(" over " + counted + " tokens\n"), overlapping.out());
    double better = Double.parseDouble(overlapping.out().split(" ")[0]);
    assertTrue(better < Double.parseDouble(apart.out().split(" ")[0]), overlapping.out());
    Cli json = Cli.run("perplexity", "-o", "json", file(tale));
    assertTrue(json.out().contains("\"tokens\" : " + counted), json.out());
  }

  @Test
  void refusesWhatHasNothingToMeasure() throws IOException {
    refused("is no file", folder.resolve("absent.txt"));
    refused("has fewer than 2 tokens", file("a"));
    refused("--window is 1", "--window=1", file(PROMPT));
    refused("--stride is 9", "--window=8", "--stride=9", file(PROMPT));
    Files.write(folder.resolve("bytes.txt"), new byte[] {(byte) 0xC3, 'x'});
    refused("is not UTF-8", folder.resolve("bytes.txt"));
  }

  @Test
  void refusesAWindowThatIsLongerThanTheModelHasPositions() throws Exception {
    Path golden = Path.of(PerplexityTest.class.getResource("/goldens/gpt2").toURI());
    for (String name : new String[] {"config.json", "model.safetensors"}) {
      Files.copy(golden.resolve(name), folder.resolve(name));
    }
    Files.writeString(
        folder.resolve("tokenizer.json"),
        """
        {"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}}
        """);
    Cli run = Cli.run("perplexity", "-m", folder, "--window", 600, file("ab".repeat(400)));
    assertEquals(
        "apus perplexity: %s: a session of 600 tokens; the model has 512 positions\nsee apus perplexity --help"
            .formatted(folder),
        run.complaint());
    assertEquals(2, run.exitCode());
  }

  private static void refused(String message, Object... arguments) {
    Object[] words = new Object[arguments.length + 1];
    words[0] = "perplexity";
    System.arraycopy(arguments, 0, words, 1, arguments.length);
    Cli run = Cli.run(words);
    assertEquals(2, run.exitCode(), run.err());
    assertTrue(run.err().contains(message), run.err());
  }
}
