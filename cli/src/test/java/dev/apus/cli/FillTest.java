package dev.apus.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.StopReason;
import dev.apus.diffusion.Canvas;
import dev.apus.diffusion.Denoising;
import dev.apus.diffusion.Draft;
import dev.apus.diffusion.Recipe;
import dev.apus.fable.Fable;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Texts that the diffusion model which comes along fills in. */
class FillTest {

  private static final String MODEL = "fable-diffusion";
  private static final String PROMPT = "Once upon a time";
  private static final String STORY =
      " there lived a time there lived a king, who lived a king named a king\n";

  @Test
  void continuesATextWithoutAGap() {
    Cli run = Cli.run("generate", "-m", MODEL, "--greedy", "-n", 16, PROMPT);
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(STORY, run.out());
    assertTrue(
        run.err()
            .matches(
                "16 tokens at [0-9.]+/s by 16 evaluations of 320 rows until all was filled; greedy;"
                    + " weights [0-9.]+ MB\n"),
        run.err());
    Cli echoed = Cli.run("generate", "-m", MODEL, "--greedy", "-n", 16, "--echo", PROMPT);
    assertEquals(PROMPT + STORY, echoed.out());
  }

  @Test
  void fillsAGapAndShowsHow() {
    Cli run =
        Cli.run(
            "generate",
            "-q",
            "-m",
            MODEL,
            "--seed",
            3,
            "--drafts",
            "--keep",
            "dual",
            "--block",
            6,
            "Once upon a time <gap:12> happily ever after.");
    assertEquals(0, run.exitCode(), run.err());
    List<String> lines = run.out().lines().toList();
    assertEquals(12, lines.size());
    for (int i = 0; i < 12; i++) {
      assertTrue(lines.get(i).startsWith(PROMPT), lines.get(i));
      assertTrue(lines.get(i).endsWith(" happily ever after."), lines.get(i));
      assertEquals(11 - i, lines.get(i).chars().filter(c -> c == '░').count());
    }
  }

  @Test
  void everyOptionIsHeeded() {
    Object[] plain = {"generate", "-m", MODEL, "--greedy", "-n", 24, PROMPT};
    String rows = rows(plain);
    for (String option :
        List.of(
            "--threshold=0.2",
            "--factor=3",
            "--entropy-bound=5",
            "--steps=7",
            "--keep=prefix --block=8",
            "--keep=dual --block=8",
            "--keep=dual --block=8 --refresh=3",
            "--keep=delayed")) {
      assertTrue(!rows.equals(rows(with(plain, option))), option);
    }
    String text = Cli.run(plain).out();
    for (String option :
        List.of(
            "--rule=random",
            "--rule=sequential",
            "--rule=ancestral --steps=6",
            "--rule=ancestral --steps=6 --remasking=0.9",
            "--guidance=2",
            "--editing=0.05 --steps=5",
            "--block=4")) {
      Cli run = Cli.run(with(plain, option));
      assertEquals(0, run.exitCode(), run.err());
      assertTrue(!text.equals(run.out()), option);
    }
    assertEquals(text, Cli.run(with(plain, "--rule=top")).out());
  }

  private static Object[] with(Object[] plain, String options) {
    Object[] more = options.split(" ");
    Object[] all = Arrays.copyOf(plain, plain.length + more.length);
    System.arraycopy(more, 0, all, plain.length, more.length);
    return all;
  }

  /** How many evaluations of how many rows a run took. */
  private static String rows(Object... arguments) {
    Cli run = Cli.run(arguments);
    assertEquals(0, run.exitCode(), run.err());
    return run.err().replaceFirst("(?s).* by (\\d+ evaluations of \\d+ rows).*", "$1");
  }

  @Test
  void optionsThatDoNotFitAreRefused() {
    assertRefused("--threshold, --steps fill a text in", "--threshold=0.9", "--steps=4", PROMPT);
    assertRefused("--refresh goes with", "-m", MODEL, "--refresh=4", PROMPT);
    assertRefused("--remasking goes with", "-m", MODEL, "--remasking=0.4", PROMPT);
    assertRefused("--raw, --special and --beams", "-m", MODEL, "--raw", PROMPT);
    assertRefused("penalties=on", "-m", MODEL, "--presence-penalty=1", PROMPT);
    assertRefused("mutually exclusive", "-m", MODEL, "--threshold=1", "--factor=1", PROMPT);
    assertRefused("stopTexts end a text", "-m", MODEL, "--stop=x", "The <gap:3> end.");
    Cli chat = Cli.run("bench", "-m", MODEL, "-p", 8, "-n", 2);
    assertTrue(chat.exitCode() != 0 && chat.err().contains("is a diffusion model"), chat.err());
  }

  private static void assertRefused(String what, Object... arguments) {
    Object[] all = new Object[arguments.length + 1];
    all[0] = "generate";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    Cli run = Cli.run(all);
    assertEquals(2, run.exitCode(), run.err());
    assertTrue(run.err().contains(what), run.err());
  }

  @Test
  void aTextEndsAtAStopText() {
    try (Model model = Fable.open(MODEL, ModelOptions.standard());
        Canvas canvas = Canvas.of(model, 64).write(PROMPT)) {
      Recipe recipe =
          Recipe.of(model.architecture().diffusion())
              .withSampling(Sampling.greedy().withMaxTokens(16).withStop(" king"))
              .withWindow(4);
      int before = canvas.length();
      Denoising denoising = canvas.denoise(recipe);
      Draft last = denoising.finish();
      assertEquals(StopReason.STOP_TEXT, denoising.stopReason().orElseThrow());
      String text = last.text(before, "░");
      assertTrue(!text.isEmpty() && !text.contains("king"), text);
      assertTrue(canvas.text().endsWith(" king"), canvas.text());
      assertEquals(0, canvas.noise());
      // And goes on from there.
      canvas.denoise(recipe.withSampling(Sampling.greedy().withMaxTokens(4))).finish();
      assertTrue(canvas.text().startsWith(PROMPT + text + " king"), canvas.text());
    }
  }

  @Test
  void draftsAreShownInThePlaceOfEachOther() {
    var out = new StringWriter();
    var view = new CanvasView.InPlace(new PrintWriter(out), 10);
    view.show("a ░░");
    view.show("a text of two rows");
    view.end();
    assertEquals("\r\033[Ja ░░\r\033[Ja text of two rows\r\033[1A\033[J", out.toString());
    assertEquals(3, CanvasView.InPlace.rows("one\n\nthree", 10));
    assertEquals(2, CanvasView.InPlace.rows("one\n", 10));
  }
}
