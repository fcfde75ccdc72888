package dev.apus.cli;

import dev.apus.core.Model;
import dev.apus.core.generate.StopReason;
import dev.apus.diffusion.Canvas;
import dev.apus.diffusion.Denoising;
import dev.apus.diffusion.Draft;
import dev.apus.diffusion.Effort;
import dev.apus.diffusion.Gaussian;
import dev.apus.diffusion.Recipe;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;

/** A text that a diffusion model fills in, printed when it is there or while it sharpens. */
final class Fill {

  private final Model model;
  private final Recipe recipe;
  private final CanvasView view;

  Fill(Model model, Recipe recipe, CanvasView view) {
    this.model = model;
    this.recipe = recipe;
    this.view = view;
  }

  /**
   * Fills the gaps of a text, or continues one without a gap.
   *
   * @param echo whether a continuation is printed with what it continues
   * @param limit of tokens; null for what is needed
   * @return what it took, for a person
   * @throws IllegalArgumentException if the recipe or the text does not fit the model
   */
  String run(String text, Integer limit, boolean echo, PrintWriter out) throws IOException {
    int context = model.architecture().context();
    try (Canvas canvas = Canvas.of(model, limit == null ? context : limit)) {
      canvas.write(text);
      int from = canvas.noise() > 0 || echo ? 0 : canvas.length();
      Denoising denoising = canvas.denoise(recipe);
      Interruption.during(denoising::cancel, () -> show(denoising, from, out));
      return summary(denoising);
    }
  }

  private void show(Denoising denoising, int from, PrintWriter out) {
    Draft last = null;
    try {
      while (denoising.hasNext()) {
        last = denoising.next();
        if (denoising.hasNext()) {
          view.show(last.text(from, CanvasView.MARK));
        }
        if (out.checkError()) {
          denoising.close();
        }
      }
    } finally {
      view.end();
      if (last != null) {
        String text = last.text(from, CanvasView.MARK);
        out.print(text.endsWith("\n") ? text : text + "\n");
        out.flush();
      }
    }
  }

  private String summary(Denoising denoising) {
    Effort effort = denoising.effort();
    return String.format(
        Locale.ROOT,
        "%d tokens at %s/s by %d evaluations of %d rows until %s; %s; weights %s",
        effort.tokens(),
        Units.rate(effort.tokensPerSecond()),
        effort.evaluations(),
        effort.rows(),
        reason(denoising.stopReason().orElse(StopReason.FAILED)),
        recipe.sampling().temperature() == 0 && !(recipe.rule() instanceof Gaussian)
            ? "greedy"
            : "seed " + recipe.sampling().seed(),
        Units.bytes(model.weightBytes()));
  }

  private static String reason(StopReason reason) {
    return switch (reason) {
      case END_OF_TEXT, STOP_TOKEN -> "the text ended";
      case STOP_TEXT -> "a stop text";
      case MAX_TOKENS, CONTEXT_FULL, COMPLETE, INCOMPLETE -> "all was filled";
      case CANCELLED -> "interrupted";
      case FAILED -> "it failed";
    };
  }
}
