package dev.apus.cli;

import dev.apus.core.Model;
import dev.apus.core.Session;
import dev.apus.core.routing.RouteTrace;
import dev.apus.core.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code apus routes}: which experts the tokens of a text are given to. */
@Command(
    name = "routes",
    description = {
      "Shows which experts a model gives the tokens of a text to, and how evenly they are loaded.",
      "Entropy is that of the load, in bits, beside what an even load would have; imbalance is the"
          + " load of the busiest expert in shares of an even one."
    },
    footer = {
      "  apus routes \"Once upon a time there was a swift.\"",
      "  apus routes --svg experts.svg - < tale.txt",
      "  apus routes --layer 3 --svg layer3.svg \"Once upon a time\""
    })
final class Routes implements Callable<Integer> {

  /** A load so many times an even one is as dark as it gets. */
  private static final double DARKEST = 4;

  private static final int LONGEST_LABEL = 14;

  @Spec private CommandSpec command;
  @Mixin private ModelChoice choice;
  @Mixin private Opening opening;

  @Option(
      names = "--svg",
      paramLabel = "FILE",
      description = "Draw a heat map of the load of each layer's experts.")
  private Path svg;

  @Option(
      names = "--layer",
      paramLabel = "N",
      description = "Print, and draw, the experts of each token in this layer, counted from 0.")
  private Integer layer;

  @Parameters(paramLabel = "TEXT", description = "The text; - reads it from stdin.")
  private String text;

  @Override
  public Integer call() throws IOException {
    String read = text.equals("-") ? input() : text;
    try (Model model = choice.open(opening.options())) {
      int[] tokens = choice.tokenizer(model).encode(read, true, false);
      if (tokens.length == 0) {
        throw wrong("the text has no tokens; there is nothing to show", null);
      }
      RouteTrace trace = trace(model, tokens);
      if (trace.layers().isEmpty()) {
        throw wrong(choice.name() + " has no experts; choose a model that has", null);
      }
      List<String> pieces = pieces(model.tokenizer(), tokens);
      Table table = layer == null ? loads(trace) : routes(of(trace), pieces);
      table.print(command.commandLine().getOut());
      if (svg != null) {
        Files.writeString(svg, layer == null ? map(trace) : map(of(trace), pieces));
      }
    }
    return Failures.OK;
  }

  private String input() throws IOException {
    try {
      return Console.read(System.in);
    } catch (CharacterCodingException e) {
      throw wrong("the text from stdin is not UTF-8", e);
    }
  }

  private RouteTrace trace(Model model, int[] tokens) {
    RouteTrace trace = new RouteTrace();
    try (Session session = choice.session(model, tokens.length)) {
      session.tellRoutes(trace);
      session.append(tokens);
      session.logits();
    }
    return trace;
  }

  private RouteTrace.Layer of(RouteTrace trace) {
    try {
      return trace.layer(layer);
    } catch (IllegalArgumentException e) {
      throw wrong("--layer: " + e.getMessage(), e);
    }
  }

  private ParameterException wrong(String message, Exception cause) {
    return new ParameterException(command.commandLine(), message, cause);
  }

  private static Table loads(RouteTrace trace) {
    Table table = new Table("layer", "experts", "used", "entropy", "even", "imbalance", "busiest");
    for (int layer : trace.layers()) {
      RouteTrace.Layer of = trace.layer(layer);
      table.add(
          String.valueOf(layer),
          String.valueOf(of.experts()),
          String.valueOf(of.used()),
          String.format(Locale.ROOT, "%.2f", of.entropy()),
          String.format(Locale.ROOT, "%.2f", Math.log(of.experts()) / Math.log(2)),
          String.format(Locale.ROOT, "%.2f", of.imbalance()),
          busiest(of));
    }
    return table;
  }

  private static String busiest(RouteTrace.Layer of) {
    int busiest =
        IntStream.range(0, of.experts())
            .reduce((a, b) -> of.load(b) > of.load(a) ? b : a)
            .orElseThrow();
    return busiest + " (" + of.load(busiest) + " times)";
  }

  private static Table routes(RouteTrace.Layer of, List<String> pieces) {
    Table table = new Table("position", "token", "experts and weights");
    of.routes()
        .forEach(
            (position, route) -> {
              StringBuilder experts = new StringBuilder();
              for (int i = 0; i < route.experts().length; i++) {
                experts.append(
                    String.format(
                        Locale.ROOT, "%d: %.3f  ", route.experts()[i], route.weights()[i]));
              }
              table.add(String.valueOf(position), pieces.get(position), experts.toString());
            });
    return table;
  }

  /** Layers and experts: each load, in shares of an even one. */
  private String map(RouteTrace trace) {
    List<String> labels = new ArrayList<>();
    List<double[]> values = new ArrayList<>();
    for (int layer : trace.layers()) {
      RouteTrace.Layer of = trace.layer(layer);
      double even = (double) of.total() / of.experts();
      labels.add("layer " + layer);
      values.add(
          IntStream.range(0, of.experts()).mapToDouble(expert -> of.load(expert) / even).toArray());
    }
    String title = choice.name() + ": the load of experts, 1 if it were even";
    return HeatMap.draw(title, "experts", labels, values, DARKEST);
  }

  /** Tokens and experts: each weight. */
  private String map(RouteTrace.Layer of, List<String> pieces) {
    List<String> labels = new ArrayList<>();
    List<double[]> values = new ArrayList<>();
    for (Map.Entry<Integer, RouteTrace.Route> entry : of.routes().entrySet()) {
      double[] weights = new double[of.experts()];
      RouteTrace.Route route = entry.getValue();
      for (int i = 0; i < route.experts().length; i++) {
        weights[route.experts()[i]] = route.weights()[i];
      }
      labels.add(pieces.get(entry.getKey()));
      values.add(weights);
    }
    double darkest = values.stream().flatMapToDouble(Arrays::stream).max().orElse(1);
    String title = choice.name() + ": the weights of experts in layer " + layer;
    return HeatMap.draw(title, "experts", labels, values, darkest);
  }

  /** Each token as it may stand in a table. */
  private static List<String> pieces(Tokenizer tokenizer, int[] tokens) {
    List<String> pieces = new ArrayList<>();
    for (int token : tokens) {
      String piece = tokenizer.decode(new int[] {token}).replaceAll("\\p{Cntrl}", "·");
      int end =
          piece.offsetByCodePoints(
              0, Math.min(LONGEST_LABEL, piece.codePointCount(0, piece.length())));
      pieces.add(piece.substring(0, end).strip());
    }
    return pieces;
  }
}
