package dev.apus.benchmarks.denoising;

import dev.apus.benchmarks.report.Machine;
import dev.apus.benchmarks.report.MarkdownTable;
import dev.apus.benchmarks.report.Page;
import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.generate.Sampling;
import dev.apus.core.tokenizer.Tokenizer;
import dev.apus.diffusion.Cache;
import dev.apus.diffusion.Canvas;
import dev.apus.diffusion.Denoising;
import dev.apus.diffusion.Effort;
import dev.apus.diffusion.Likelihood;
import dev.apus.diffusion.Quota;
import dev.apus.diffusion.Ranked;
import dev.apus.diffusion.Ranking;
import dev.apus.diffusion.Recipe;
import dev.apus.diffusion.Schedule;
import dev.apus.fable.Fable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command {@code benchmarks/denoising}. */
@Command(
    name = "denoising",
    description = {
      "Measures what caches and rules of a diffusion model gain and cost: tokens per second,"
          + " evaluations and rows for each token of a greedy text, and the likelihood of a text"
          + " that the model has not seen."
    },
    mixinStandardHelpOptions = true,
    usageHelpAutoWidth = true)
public final class DenoisingComparison implements Callable<Integer> {

  private static final String PROMPT = "Once upon a time there was a king who had three daughters,";

  @Spec private CommandSpec command;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "PATH",
      description = "A diffusion model; fable-diffusion, if absent.")
  private Path path;

  @Option(
      names = {"-n", "--tokens"},
      defaultValue = "256",
      description = "Tokens of the greedy text (default: ${DEFAULT-VALUE}).")
  private int tokens;

  @Option(
      names = "--window",
      defaultValue = "32",
      description = "Tokens that are filled at a time (default: ${DEFAULT-VALUE}).")
  private int window;

  @Option(
      names = "--runs",
      defaultValue = "2",
      description = "Runs of each recipe, of which the fastest counts (default: ${DEFAULT-VALUE}).")
  private int runs;

  @Option(
      names = "--texts",
      defaultValue = "3",
      description =
          "Pieces of the unseen text, of as many tokens as four windows (default:"
              + " ${DEFAULT-VALUE}).")
  private int texts;

  @Option(
      names = {"-t", "--threads"},
      description = "Threads that compute; as many as processors, if absent.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      defaultValue = "denoising.md",
      description = {
        "The page of Markdown to write (default: ${DEFAULT-VALUE}).",
        "In a page that exists, what stands between <!-- denoising: begin --> and"
            + " <!-- denoising: end --> is replaced."
      })
  private Path output;

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new DenoisingComparison()).execute(arguments));
  }

  /** What one recipe gains and costs. */
  private record Row(Effort effort, double nats) {}

  @Override
  public Integer call() throws IOException {
    if (tokens < 1 || window < 1 || runs < 0 || texts < 0 || runs + texts == 0) {
      throw new ParameterException(
          command.commandLine(), "--tokens, --window and --runs or --texts must be above 0");
    }
    Page page = new Page(output, "denoising");
    ModelOptions options = ModelOptions.standard().withThreads(threads);
    try (Model model =
        path == null ? Fable.open("fable-diffusion", options) : Model.load(path, options)) {
      Map<String, Row> rows = new LinkedHashMap<>();
      for (Map.Entry<String, Recipe> recipe : recipes(model).entrySet()) {
        rows.put(recipe.getKey(), measure(model, recipe.getValue()));
        command.commandLine().getErr().println(recipe.getKey() + ": " + rows.get(recipe.getKey()));
      }
      String markdown = markdown(rows);
      page.write(markdown, Map.of());
      command.commandLine().getOut().println(markdown);
      command.commandLine().getOut().flush();
    }
    return 0;
  }

  private Map<String, Recipe> recipes(Model model) {
    Recipe plain =
        Recipe.of(model.architecture().diffusion())
            .withSampling(Sampling.greedy())
            .withRule(Ranked.by(Ranking.CONFIDENCE))
            .withCache(Cache.NONE)
            .withWindow(window);
    Recipe dual = plain.withCache(new Cache.Dual(0));
    Map<String, Recipe> recipes = new LinkedHashMap<>();
    recipes.put("no cache", plain);
    recipes.put("prefix", plain.withCache(new Cache.Prefix(0)));
    recipes.put("dual", dual);
    recipes.put("dual, refreshed after 8", plain.withCache(new Cache.Dual(8)));
    recipes.put("delayed", plain.withCache(new Cache.Delayed(0)));
    recipes.put("no cache, threshold 0.9", plain.withRule(Ranked.above(0.9)));
    recipes.put("no cache, threshold 0.7", plain.withRule(Ranked.above(0.7)));
    recipes.put("dual, threshold 0.9", dual.withRule(Ranked.above(0.9)));
    recipes.put("dual, threshold 0.7", dual.withRule(Ranked.above(0.7)));
    recipes.put("dual, threshold 0.3", dual.withRule(Ranked.above(0.3)));
    recipes.put(
        "dual, entropy bound 1",
        dual.withRule(new Ranked(Ranking.ENTROPY, new Quota.EntropyBound(1), Schedule.EVEN)));
    recipes.put("dual, half as many steps", dual.withSteps(Math.max(1, tokens / 2)));
    return recipes;
  }

  private Row measure(Model model, Recipe recipe) throws IOException {
    Effort best = null;
    int[] prompt = model.tokenizer().encode(PROMPT, true, false);
    for (int run = 0; run < runs; run++) {
      try (Canvas canvas = Canvas.of(model, prompt.length + tokens + 1)) {
        // A text that ends early would be another task.
        canvas.append(prompt).gap(tokens).append(prompt[0]);
        Denoising denoising = canvas.denoise(recipe);
        denoising.finish();
        Effort effort = denoising.effort();
        best = best == null || effort.time().compareTo(best.time()) < 0 ? effort : best;
      }
    }
    return new Row(best, nats(model, recipe));
  }

  private double nats(Model model, Recipe recipe) throws IOException {
    Tokenizer tokenizer = model.tokenizer();
    int[] all = tokenizer.encode(text(), true, false);
    double nats = 0;
    int count = 0;
    int length = 4 * window;
    int stride = texts < 2 ? 0 : Math.max(1, (all.length - length) / (texts - 1));
    for (int piece = 0; piece < texts; piece++) {
      int from = Math.min(piece * stride, all.length - length);
      Likelihood found =
          Likelihood.of(
              model,
              Arrays.copyOfRange(all, from, from + length),
              window,
              recipe.steps() == 0 ? recipe : recipe.withSteps(3 * window / 2));
      nats += found.nats();
      count += found.effort().tokens();
    }
    return nats / count;
  }

  private static String text() throws IOException {
    try (InputStream in = DenoisingComparison.class.getResourceAsStream("swift.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private String markdown(Map<String, Row> rows) {
    MarkdownTable table =
        new MarkdownTable(
            List.of(
                "cache and rule",
                "tokens/s",
                "against no cache",
                "evaluations/token",
                "rows/token",
                "nats/token"));
    Effort plain = rows.values().iterator().next().effort();
    rows.forEach(
        (name, row) -> {
          Effort effort = row.effort();
          table.add(
              List.of(
                  name,
                  effort == null ? "–" : format("%.1f", effort.tokensPerSecond()),
                  effort == null
                      ? "–"
                      : format("%.1f×", effort.tokensPerSecond() / plain.tokensPerSecond()),
                  effort == null ? "–" : format("%.2f", effort.evaluationsPerToken()),
                  effort == null ? "–" : format("%.1f", (double) effort.rows() / effort.tokens()),
                  Double.isNaN(row.nats()) ? "–" : format("%.3f", row.nats())));
        });
    return String.format(
        Locale.ROOT,
        "A greedy text of %d tokens in windows of %d, the fastest of %d runs with %d threads on %s."
            + " Nats are those of %d pieces of a tale that the model has not seen, each of %d"
            + " tokens of which %d are given.%n%n%s",
        tokens,
        window,
        runs,
        threads,
        Machine.here(),
        texts,
        4 * window,
        window,
        table);
  }

  private static String format(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }
}
