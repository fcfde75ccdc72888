package dev.apus.cli;

import dev.apus.core.Encoder;
import dev.apus.core.Encoding;
import dev.apus.core.Model;
import dev.apus.core.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code apus embed}: what an encoder makes of texts. */
@Command(
    name = "embed",
    description = {
      "Turns texts into vectors with an encoder, and prints a line of JSON for each.",
      "With --masked, it prints instead what the model expects in the place of mask tokens."
    },
    footer = {
      "  apus embed -m models/all-MiniLM-L6-v2 --normalize \"A swift is a bird.\"",
      "  apus embed -m models/ModernBERT-base --masked 3 \"The swift is a [MASK].\""
    })
final class Embed implements Callable<Integer> {

  private enum Pooling {
    MEAN,
    FIRST
  }

  @Spec private CommandSpec command;
  @Mixin private ModelChoice choice;
  @Mixin private Opening opening;
  @Mixin private CacheChoice cache;

  @Option(
      names = "--pooling",
      paramLabel = "HOW",
      defaultValue = "mean",
      description =
          "What stands for a text: the mean of its tokens' rows, or the row of its first token"
              + " (default: ${DEFAULT-VALUE}).")
  private Pooling pooling;

  @Option(names = "--normalize", description = "Give each vector the length 1.")
  private boolean normalize;

  @Option(
      names = "--masked",
      paramLabel = "K",
      description = "Print the K likeliest tokens in the place of each mask token.")
  private Integer masked;

  @Option(
      names = "--mask-id",
      paramLabel = "ID",
      description = "The mask token, where the checkpoint does not name it.")
  private Integer maskId;

  @Option(
      names = "--ids",
      description =
          "Texts are ids of tokens with commas between, for which no tokenizer is needed.")
  private boolean ids;

  @Option(
      names = "--global",
      paramLabel = "AT",
      split = ",",
      description =
          "Positions of tokens that see, and are seen by, the whole text, with commas between,"
              + " where a model knows such tokens: 0 for the first.")
  private List<Integer> global = List.of();

  @Parameters(
      paramLabel = "TEXT",
      description = "The texts; without any, each line of stdin is one.")
  private List<String> texts = List.of();

  @Override
  public Integer call() throws IOException {
    if (masked != null && masked < 1) {
      throw wrong("--masked is " + masked + "; needed: 1 or more", null);
    }
    List<String> all = texts.isEmpty() ? lines() : texts;
    try (Model model = choice.open(cache.over(opening.options()))) {
      Encoder encoder = encoder(model);
      Tokenizer tokenizer = ids ? null : choice.tokenizer(model);
      List<int[]> tokens = new ArrayList<>();
      for (String text : all) {
        tokens.add(ids ? ids(text) : tokenizer.encode(text, true, masked != null));
      }
      PrintWriter out = command.commandLine().getOut();
      List<Encoding> encodings = encode(encoder, tokens);
      for (int i = 0; i < encodings.size(); i++) {
        out.println(
            masked == null
                ? vector(encodings.get(i))
                : predictions(encodings.get(i), tokens.get(i), mask(tokenizer), tokenizer));
      }
    }
    return Failures.OK;
  }

  private List<String> lines() throws IOException {
    try {
      String text = Console.read(System.in);
      return text.isEmpty() ? List.of() : text.lines().toList();
    } catch (CharacterCodingException e) {
      throw wrong("the texts from stdin are not UTF-8", e);
    }
  }

  private Encoder encoder(Model model) {
    try {
      return model.newEncoder();
    } catch (IllegalStateException e) {
      throw wrong(choice.name() + ": " + e.getMessage(), e);
    }
  }

  private int[] ids(String text) {
    try {
      return Arrays.stream(text.split(","))
          .map(String::strip)
          .mapToInt(Integer::parseInt)
          .toArray();
    } catch (NumberFormatException e) {
      throw wrong("\"" + text + "\" is no list of ids such as 5,17,3", e);
    }
  }

  private List<Encoding> encode(Encoder encoder, List<int[]> tokens) {
    try {
      int[] positions = global.stream().mapToInt(i -> i).toArray();
      return encoder.encode(tokens, null, Collections.nCopies(tokens.size(), positions));
    } catch (IllegalArgumentException e) {
      throw wrong(choice.name() + ": " + e.getMessage(), e);
    }
  }

  private int mask(Tokenizer tokenizer) {
    if (maskId != null) {
      return maskId;
    }
    OptionalInt named = tokenizer == null ? OptionalInt.empty() : tokenizer.mask();
    return named.orElseThrow(
        () -> wrong("no file of the checkpoint names its mask token; --mask-id does", null));
  }

  private ParameterException wrong(String message, Exception cause) {
    return new ParameterException(command.commandLine(), message, cause);
  }

  private String vector(Encoding encoding) {
    float[] vector = pooling == Pooling.MEAN ? encoding.mean() : encoding.first();
    if (normalize) {
      double square = 0;
      for (float value : vector) {
        square += (double) value * value;
      }
      for (int i = 0; square > 0 && i < vector.length; i++) {
        vector[i] = (float) (vector[i] / Math.sqrt(square));
      }
    }
    return "{\"tokens\":" + encoding.length() + ",\"embedding\":" + Arrays.toString(vector) + "}";
  }

  private String predictions(Encoding encoding, int[] tokens, int mask, Tokenizer tokenizer) {
    int[] places = IntStream.range(0, tokens.length).filter(i -> tokens[i] == mask).toArray();
    float[][] logits = encoding.logits(places);
    List<String> all = new ArrayList<>();
    for (int i = 0; i < places.length; i++) {
      all.add("{\"at\":" + places[i] + ",\"best\":" + best(logits[i], tokenizer) + "}");
    }
    return "{\"tokens\":" + tokens.length + ",\"masks\":[" + String.join(",", all) + "]}";
  }

  private String best(float[] logits, Tokenizer tokenizer) {
    double most = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      most = Math.max(most, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - most);
    }
    double base = most + Math.log(sum);
    return IntStream.range(0, logits.length)
        .boxed()
        .sorted((a, b) -> Float.compare(logits[b], logits[a]))
        .limit(masked)
        .map(id -> one(id, Math.exp(logits[id] - base), tokenizer))
        .toList()
        .toString();
  }

  /** Vocabularies of models may be larger than those of their tokenizers. */
  private static String one(int id, double probability, Tokenizer tokenizer) {
    boolean known = tokenizer != null && id < tokenizer.vocabularySize();
    String token = known ? ",\"token\":" + quoted(tokenizer.decode(new int[] {id}, true)) : "";
    return String.format(Locale.ROOT, "{\"id\":%d%s,\"probability\":%.6f}", id, token, probability);
  }

  private static String quoted(String text) {
    var json = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < ' ') {
        json.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        json.append(c);
      }
    }
    return json.append('"').toString();
  }
}
