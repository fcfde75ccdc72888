package dev.apus.cli;

import dev.apus.core.Beam;
import dev.apus.core.BeamSearch;
import dev.apus.core.Session;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** To look for the likeliest texts instead of drawing one. */
final class BeamOptions {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @ArgGroup(exclusive = false)
  private Search search;

  /** How to look. */
  private static final class Search {

    @Option(
        names = "--beams",
        paramLabel = "N",
        required = true,
        description = "Look for the likeliest text with so many beams, instead of drawing one.")
    private int width;

    @Option(
        names = "--results",
        paramLabel = "N",
        defaultValue = "1",
        description = "How many texts to print, each below its score (default: ${DEFAULT-VALUE}).")
    private int results;

    @Option(
        names = "--length-penalty",
        paramLabel = "X",
        defaultValue = "1",
        description =
            "Texts are ordered by ln p / length^X: 0 compares probabilities, 1 means (default:"
                + " ${DEFAULT-VALUE}).")
    private float lengthPenalty;
  }

  boolean areGiven() {
    return search != null;
  }

  /** Prints the likeliest continuations. */
  void run(Session session, int[] prompt, int maxTokens, PrintWriter out) {
    List<Beam> beams = session.search(prompt, settings(maxTokens));
    for (Beam beam : beams) {
      if (search.results > 1) {
        out.println(
            String.format(
                Locale.ROOT,
                "# %.4f, %d tokens%s",
                beam.score(),
                beam.tokens().size(),
                beam.ended() ? "" : ", unfinished"));
      }
      out.println(beam.text());
    }
  }

  private BeamSearch settings(int maxTokens) {
    try {
      return new BeamSearch(search.width, search.results, maxTokens, search.lengthPenalty);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(command.commandLine(), e.getMessage(), e);
    }
  }
}
