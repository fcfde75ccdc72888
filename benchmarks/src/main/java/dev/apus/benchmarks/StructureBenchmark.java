package dev.apus.benchmarks;

import dev.apus.core.generate.Constraint;
import dev.apus.core.tokenizer.TokenBytes;
import dev.apus.core.tokenizer.Tokenizer;
import dev.apus.structure.Structure;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a form costs a token: once its states are known, in {@link #known}, a document; and before,
 * in {@link #cold}, a structure that is new to the vocabulary and the first mask at one of the
 * places that cost most.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@State(Scope.Benchmark)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class StructureBenchmark {

  private static final String SCHEMA =
      "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"maxLength\":40},"
          + "\"code\":{\"type\":\"string\",\"pattern\":\"^[a-z ]+$\"},"
          + "\"list\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}},"
          + "\"required\":[\"name\",\"code\",\"list\"]}";

  private static final String DOCUMENT =
      "{\"name\": \"a swift in the air\", \"code\": \"above the old town\", \"list\": [1, 22,"
          + " 333]}";

  /** One for each of its bytes, for the vocabulary has no merges. */
  private static final int DOCUMENT_TOKENS = 82;

  @Param("150000")
  int vocabulary;

  /** Before a string, in one, after its backslash, and in one that has a pattern. */
  @Param({"{\"name\":", "{\"name\":\"", "{\"name\":\"\\", "{\"name\":\"\",\"code\":\"a"})
  String place;

  private TokenBytes tokens;
  private Structure structure;
  private float[] logits;
  private int[] document;
  private int[] way;

  public StructureBenchmark() {}

  /** Makes words of letters up to the size, with every byte beside them. */
  @Setup
  public void prepare() {
    SplittableRandom random = new SplittableRandom(1);
    Set<String> texts = bytes();
    String[] marks = {"\"", "\":", "\",", "\"}", "},", "]", "{\"", ",", ".", ":"};
    while (texts.size() < Math.max(vocabulary, 300)) {
      StringBuilder word = new StringBuilder(random.nextBoolean() ? "\u0120" : "");
      for (int length = 2 + random.nextInt(8); length > 0; length--) {
        word.append((char) ('a' + random.nextInt(26)));
      }
      texts.add(random.nextInt(20) == 0 ? word + marks[random.nextInt(10)] : word.toString());
    }
    Tokenizer tokenizer =
        Tokenizer.ofGguf(
            "words",
            Map.of(
                "tokenizer.ggml.model",
                "gpt2",
                "tokenizer.ggml.pre",
                "gpt-2",
                "tokenizer.ggml.tokens",
                List.copyOf(texts),
                "tokenizer.ggml.merges",
                List.of()));
    tokens = TokenBytes.of(tokenizer);
    logits = new float[tokens.size()];
    document = tokenizer.encode(DOCUMENT);
    way = tokenizer.encode(place);
    structure = Structure.schema(SCHEMA);
    known();
  }

  /** The 256 bytes, spelled as vocabularies of bytes spell them. */
  private static Set<String> bytes() {
    List<String> all = new ArrayList<>();
    int moved = 0;
    for (int b = 0; b < 256; b++) {
      boolean visible = (b > ' ' && b < 0x7F) || (b > 0xA0 && b != 0xAD);
      all.add(String.valueOf((char) (visible ? b : 0x100 + moved++)));
    }
    return new LinkedHashSet<>(all);
  }

  /** A token of a document. */
  @Benchmark
  @OperationsPerInvocation(DOCUMENT_TOKENS)
  public float[] known() {
    Constraint.Follower follower = structure.start(tokens, Set.of());
    for (int token : document) {
      follower.restrict(logits);
      follower.accept(token);
    }
    return logits;
  }

  /** A new structure, and the mask at the place. */
  @Benchmark
  public float[] cold() {
    Constraint.Follower follower = Structure.schema(SCHEMA).start(tokens, Set.of());
    for (int token : way) {
      follower.accept(token);
    }
    follower.restrict(logits);
    return logits;
  }
}
