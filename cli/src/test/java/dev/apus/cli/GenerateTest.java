package dev.apus.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class GenerateTest {

  private static final String PROMPT = "Once upon a time";

  @Test
  void continuesTheTextWithTheModelThatComesAlong() {
    Cli run = Cli.run("generate", "--greedy", "-n", 8, PROMPT);
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(" a man was born to him, and\n", run.out());
  }

  @Test
  void mappedWeightsTellTheSameStory() {
    Cli run = Cli.run("generate", "--weights", "mapped", "--greedy", "-n", 8, PROMPT);
    assertEquals(" a man was born to him, and\n", run.out());
    assertEquals(2, Cli.run("generate", "--weights", "elsewhere", PROMPT).exitCode());
  }

  @Test
  void saysWhatItTookInOneLine() {
    Cli run = Cli.run("generate", "--greedy", "-n", 8, PROMPT);
    assertTrue(
        run.err()
            .matches(
                "4 prompt tokens at [0-9.]+/s, 8 tokens at [0-9.]+/s until --max-tokens; greedy;"
                    + " weights [0-9.]+ MB, state [0-9.]+ [kM]B\n"),
        run.err());
  }

  @Test
  void quietPrintsTheTextAlone() {
    assertEquals("", Cli.run("generate", "-q", "--greedy", "-n", 2, PROMPT).err());
  }

  @Test
  void aCacheInHalvesIsSmaller() {
    String exact = Cli.run("generate", "--greedy", "-n", 8, PROMPT).err();
    Cli halves = Cli.run("generate", "--greedy", "-n", 8, "--cache", "bf16", PROMPT);
    assertEquals(0, halves.exitCode(), halves.err());
    assertTrue(stateOf(halves.err()) < stateOf(exact), exact + halves.err());
    Cli wrong = Cli.run("generate", "--cache", "q6", PROMPT);
    assertEquals(2, wrong.exitCode());
    assertTrue(
        wrong.err().contains("'--cache'") && wrong.err().contains("F32, BF16, Q8, Q4"),
        wrong.err());
  }

  @Test
  void aPolicyVisitsFewerKeys() {
    Cli run = Cli.run("generate", "--greedy", "-n", 8, "--attention", "tova:budget=5", PROMPT);
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.err().matches("(?s).*; [0-9.]+ % of all keys visited\n"), run.err());
    Cli ample = Cli.run("generate", "--greedy", "-n", 8, "--attention", "tova:budget=50", PROMPT);
    assertEquals(" a man was born to him, and\n", ample.out());
    assertFalse(ample.err().contains("keys visited"), ample.err());
    Cli unknown = Cli.run("generate", "--attention", "nearest", PROMPT);
    assertNotEquals(0, unknown.exitCode());
    assertTrue(unknown.err().contains("select.kind=\"nearest\" is not supported; supported: "));
    Cli malformed = Cli.run("generate", "--attention", "tova:budget", PROMPT);
    assertEquals(2, malformed.exitCode());
    assertTrue(malformed.err().contains("\"budget\" is not key=value"), malformed.err());
  }

  private static double stateOf(String summary) {
    String state = summary.replaceFirst("(?s).*state ([0-9.]+) ([kM])B.*", "$1 $2");
    double size = Double.parseDouble(state.split(" ")[0]);
    return state.endsWith("M") ? 1000 * size : size;
  }

  @Test
  void theSameSeedGivesTheSameText() {
    String[] same = {"generate", "--seed", "7", "-n", "12", PROMPT};
    String text = Cli.run((Object[]) same).out();
    assertEquals(text, Cli.run((Object[]) same).out());
    assertNotEquals(text, Cli.run("generate", "--seed", 8, "-n", 12, PROMPT).out());
  }

  @Test
  void theSeedThatItDrewGivesTheTextAgain() {
    Cli drawn = Cli.run("generate", "-n", 6, PROMPT);
    String seed = drawn.err().replaceFirst("(?s).*seed (-?\\d+).*", "$1");
    assertEquals(drawn.out(), Cli.run("generate", "--seed=" + seed, "-n", 6, PROMPT).out());
  }

  @Test
  void stopsBeforeAStopText() {
    Cli run = Cli.run("generate", "--greedy", "--stop", "xyz", "--stop", " to him", PROMPT);
    assertEquals(" a man was born\n", run.out());
    assertTrue(run.err().contains("until a stop text"), run.err());
  }

  @Test
  void stopsWhereTheContextIsFull() {
    Cli run = Cli.run("generate", "--greedy", "--limit", 6, PROMPT);
    assertEquals(" a man\n", run.out());
    assertTrue(run.err().contains("until the context was full"), run.err());
  }

  @Test
  void penaltiesAndFiltersAreHeeded() {
    String greedy = Cli.run("generate", "--greedy", "-n", 30, PROMPT).out();
    assertEquals(greedy, Cli.run("generate", "--temp", 0, "-n", 30, PROMPT).out());
    assertEquals(
        greedy, Cli.run("generate", "--temperature", 1, "--top-k", 1, "-n", 30, PROMPT).out());
    assertEquals(
        greedy, Cli.run("generate", "--temperature", 1, "--top-p", 0, "-n", 30, PROMPT).out());
    assertEquals(
        greedy, Cli.run("generate", "--temperature", 1, "--min-p", 1, "-n", 30, PROMPT).out());
    for (String penalty : new String[] {"repetition", "frequency", "presence"}) {
      String option = "--" + penalty + "-penalty=9";
      assertNotEquals(greedy, Cli.run("generate", "--greedy", option, "-n", 30, PROMPT).out());
    }
  }

  @Test
  void specialTokensAreTextUnlessAskedFor() {
    String end = "<|endoftext|>";
    assertTrue(Cli.run("generate", "-n", 1, "--special", end).err().startsWith("1 prompt token"));
    assertFalse(Cli.run("generate", "-n", 1, end).err().startsWith("1 prompt token"));
  }

  @Test
  void echoPrintsThePromptFirst() {
    assertEquals(
        PROMPT + " a man\n", Cli.run("generate", "--echo", "--greedy", "-n", 2, PROMPT).out());
  }

  @Test
  void readsThePromptFromStdinWithoutItsLastLineBreak() {
    Cli run = withInput("Once upon a time\n".getBytes(StandardCharsets.UTF_8));
    assertEquals(" a man\n", run.out());
  }

  @Test
  void refusesAPromptThatIsNotUtf8() {
    Cli run = withInput(new byte[] {'O', (byte) 0xFF});
    assertEquals(2, run.exitCode());
    assertTrue(run.err().contains("the prompt from stdin is not UTF-8"), run.err());
  }

  private static Cli withInput(byte[] input) {
    InputStream before = System.in;
    System.setIn(new ByteArrayInputStream(input));
    try {
      return Cli.run("generate", "--greedy", "-n", 2, "-");
    } finally {
      System.setIn(before);
    }
  }

  static Stream<Arguments> wrongOptions() {
    return Stream.of(
        wrong("Missing required parameter: 'PROMPT'"),
        wrong("temperature=-1.0; needed: 0 or a positive number", "--temp", "-1", PROMPT),
        wrong("topK=-1; needed: at least 0", "--top-k=-1", PROMPT),
        wrong("topP=1.5; needed: 0 to 1", "--top-p=1.5", PROMPT),
        wrong("minP=2.0; needed: 0 to 1", "--min-p=2", PROMPT),
        wrong("maxTokens=0; needed: at least 1", "-n", "0", PROMPT),
        wrong("repetitionPenalty=0.0; needed: a positive", "--repetition-penalty=0", PROMPT),
        wrong("frequencyPenalty=NaN; needed: a finite", "--frequency-penalty=NaN", PROMPT),
        wrong("presencePenalty=Infinity; needed", "--presence-penalty=Infinity", PROMPT),
        wrong("stopTexts=[]; needed: texts that are not empty", "--stop=", PROMPT),
        wrong("threads must be between 1 and 1024, found 0", "-t0", PROMPT),
        wrong("a session of 0 tokens; needed is 1 at least", "--limit=0", PROMPT),
        wrong("the session is at 0 tokens of at most 2; 4 more do not", "--limit=2", PROMPT),
        wrong("the prompt is empty", ""),
        wrong("'many' is not an int", "-n", "many", PROMPT),
        wrong("--greedy, --temperature=T are mutually exclusive", "--greedy", "--temp=1", PROMPT),
        wrong("Unknown option: '--tempreature=1'", "--tempreature=1", PROMPT));
  }

  private static Arguments wrong(String message, String... options) {
    return Arguments.of(message, options);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrongOptions")
  void saysWhichOptionIsWrong(String message, String[] options) {
    Object[] words = Stream.concat(Stream.of("generate", "-q"), Arrays.stream(options)).toArray();
    Cli run = Cli.run(words);
    assertEquals(2, run.exitCode(), run.err());
    assertEquals("", run.out());
    assertTrue(run.err().startsWith("apus generate: ") && run.err().contains(message), run.err());
    assertFalse(run.err().contains("\tat "), run.err());
  }

  @Test
  void saysWhyAModelCannotBeOpened(@TempDir Path folder) throws IOException {
    refused("absent: there is no such file or folder", folder.resolve("absent"));
    refused("there is no config.json", folder);
    Path tokens = Files.writeString(folder.resolve("notes.txt"), "no model");
    refused("notes.txt", tokens);
    Files.writeString(folder.resolve("config.json"), "{");
    refused("config.json", folder);
    Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"abacus\"}");
    refused("abacus", folder);
    Path broken = Cli.fable(folder.resolve("broken"));
    Files.write(broken.resolve("model.gguf"), new byte[] {'G', 'G', 'U', 'F', 3});
    refused("model.gguf", broken);
    Path mute = Cli.fable(folder.resolve("mute"));
    Files.delete(mute.resolve("tokenizer.json"));
    refused("has no tokenizer.json", mute);
  }

  private static void refused(String message, Path model) {
    Cli run = Cli.run("generate", "-q", "-m", model, PROMPT);
    assertEquals(3, run.exitCode(), run.err());
    assertEquals("", run.out());
    assertTrue(run.err().contains(message), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
  }

  @Test
  void debugPrintsWhereAnErrorCameFrom(@TempDir Path folder) {
    Cli run = Cli.run("generate", "--debug", "-m", folder.resolve("absent"), PROMPT);
    assertTrue(run.err().contains("\tat dev.apus.core.file.ModelFiles.of"), run.err());
  }

  @Test
  void writesTheFormThatIsAskedFor(@TempDir Path folder) throws IOException {
    Cli yes = Cli.run("generate", "--greedy", "--choice", "no", "--choice", "yes", PROMPT);
    assertEquals(0, yes.exitCode(), yes.err());
    assertTrue(yes.out().matches("no\n|yes\n"), yes.out());
    assertTrue(yes.err().contains("until it was complete"), yes.err());
    Cli regex = Cli.run("generate", "--greedy", "--regex", "[0-9]{4}", PROMPT);
    assertTrue(regex.out().matches("[0-9]{4}\n"), regex.out());
    Path file = Files.writeString(folder.resolve("schema.json"), "{\"const\": [1, null]}");
    Cli schema = Cli.run("generate", "--greedy", "--json-schema", file, PROMPT);
    assertTrue(schema.out().matches("\\[1, ?null\\]\n"), schema.out());
    Path rules =
        Files.writeString(folder.resolve("list.gbnf"), "root ::= \"(\" root \")\" | [0-9]");
    Cli grammar = Cli.run("generate", "--greedy", "--grammar", rules, PROMPT);
    assertTrue(grammar.out().matches("\\(*[0-9]\\)*\n"), grammar.out());
    Cli after = Cli.run("generate", "--greedy", "--after", ".", "--choice", "yes", PROMPT);
    assertTrue(after.out().matches("[^.]+\\.\\s*yes\n"), after.out());
    assertEquals(2, Cli.run("generate", "--after", ".", PROMPT).exitCode());
  }

  @Test
  void aFormThatIsCutOffIsNoSuccess() {
    Cli run =
        Cli.run("generate", "--seed", 1, "-n", 3, "--json-schema", "{\"minLength\": 90}", PROMPT);
    assertEquals(4, run.exitCode(), run.out());
    assertTrue(run.err().contains("the text was cut off before it was complete"), run.err());
  }

  @Test
  void aFormThatCannotBeHonouredIsRefusedInASentence(@TempDir Path folder) {
    Cli schema = Cli.run("generate", "--json-schema", "{\"not\": {}}", PROMPT);
    assertEquals(2, schema.exitCode());
    assertTrue(
        schema.err().startsWith("apus generate: the schema, at /not: this keyword is not"),
        schema.err());
    Cli missing = Cli.run("generate", "--json-schema", folder.resolve("none.json"), PROMPT);
    assertEquals(1, missing.exitCode(), missing.err());
    Cli two = Cli.run("generate", "--json", "--regex", "a", PROMPT);
    assertEquals(2, two.exitCode());
    Cli stop = Cli.run("generate", "--json", "--stop", "x", PROMPT);
    assertEquals(2, stop.exitCode());
    assertTrue(stop.err().contains("--stop is not for texts of a given form"), stop.err());
    Cli canvas = Cli.run("generate", "-m", "fable-diffusion", "--json", PROMPT);
    assertEquals(2, canvas.exitCode());
    assertTrue(canvas.err().contains("is a diffusion model"), canvas.err());
  }
}
