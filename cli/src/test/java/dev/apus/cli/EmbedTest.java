package dev.apus.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbedTest {

  @TempDir private Path folder;

  /** A small encoder whose words are few. */
  @BeforeEach
  void writeAnEncoder() throws IOException, URISyntaxException {
    Path golden = Path.of(EmbedTest.class.getResource("/goldens/nystromformer").toURI());
    for (String name : new String[] {"config.json", "model.safetensors"}) {
      Files.copy(golden.resolve(name), folder.resolve(name));
    }
    Files.writeString(
        folder.resolve("tokenizer.json"),
        """
        {"added_tokens": [{"id": 1, "content": "[MASK]", "special": true}],
         "pre_tokenizer": {"type": "BertPreTokenizer"},
         "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
           "max_input_chars_per_word": 99,
           "vocab": {"[UNK]": 0, "[MASK]": 1, "swift": 2, "a": 3, "##s": 4}}}
        """);
    Files.writeString(folder.resolve("tokenizer_config.json"), "{\"mask_token\": \"[MASK]\"}");
  }

  private Cli embed(Object... arguments) {
    Object[] words = new Object[arguments.length + 3];
    words[0] = "embed";
    words[1] = "-m";
    words[2] = folder;
    System.arraycopy(arguments, 0, words, 3, arguments.length);
    return Cli.run(words);
  }

  private static double[] vector(String line) {
    assertTrue(line.matches("\\{\"tokens\":\\d+,\"embedding\":\\[.*]}"), line);
    String values = line.replaceFirst(".*\\[", "").replace("]}", "");
    return Arrays.stream(values.split(",")).mapToDouble(Double::parseDouble).toArray();
  }

  @Test
  void eachTextIsALine() {
    Cli run = embed("a swift", "swifts");
    assertEquals(0, run.exitCode(), run.err());
    String[] lines = run.out().split("\n");
    assertEquals(2, lines.length);
    assertEquals(64, vector(lines[0]).length);
    assertTrue(lines[1].startsWith("{\"tokens\":2,"), lines[1]);
    assertEquals(run.out(), embed("--ids", "3,2", "2, 4").out());
    assertEquals(lines[1], embed("swifts").out().strip());
  }

  @Test
  void vectorsMayHaveLengthOne() {
    double[] plain = vector(embed("--pooling=first", "a swift").out().strip());
    double[] unit = vector(embed("--pooling=first", "--normalize", "a swift").out().strip());
    double length = Math.sqrt(Arrays.stream(plain).map(x -> x * x).sum());
    for (int i = 0; i < plain.length; i++) {
      assertEquals(plain[i] / length, unit[i], 1e-6);
    }
  }

  @Test
  void maskedTokensAreExpected() {
    Cli run = embed("--masked=2", "a [MASK] a", "swift");
    assertEquals(0, run.exitCode(), run.err());
    String[] lines = run.out().split("\n");
    String one = "\\{\"id\":\\d+(,\"token\":\".*\")?,\"probability\":0\\.\\d{6}}";
    assertTrue(
        lines[0].matches(
            "\\{\"tokens\":3,\"masks\":\\[\\{\"at\":1,\"best\":\\[" + one + ", " + one + "]}]}"),
        lines[0]);
    assertEquals("{\"tokens\":1,\"masks\":[]}", lines[1]);
    assertEquals(
        lines[0].replaceAll(",\"token\":\"[^\"]*\"", ""),
        embed("--ids", "--mask-id=1", "--masked=2", "3,1,3").out().strip());
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    refused("--masked is 0; needed: 1 or more", embed("--masked=0", "a"));
    refused("\"a\" is no list of ids such as 5,17,3", embed("--ids", "a"));
    refused("token 192 at 0 is not in the vocabulary of 192", embed("--ids", "192"));
    refused("nystromformer has no layer that knows global tokens", embed("--global=0", "a"));
    refused("a global token at 4 of a text of 1 tokens", embed("--global=0,4", "a"));
    refused("a text of 0 tokens; needed is 1 at least", embed(""));
    refused(
        "fable: qwen3_next continues texts, in sessions; it is no encoder", Cli.run("embed", "a"));
    Files.delete(folder.resolve("tokenizer_config.json"));
    refused(
        "no file of the checkpoint names its mask token; --mask-id does", embed("--masked=1", "a"));
  }

  @Test
  void anEncoderDoesNotContinueATextInACommandEither() {
    refused(
        "nystromformer is an encoder: it reads whole texts",
        Cli.run("generate", "-m", folder, "a"));
  }

  private static void refused(String message, Cli run) {
    assertEquals(2, run.exitCode(), run.out() + run.err());
    assertTrue(run.err().contains(message), run.err());
  }
}
