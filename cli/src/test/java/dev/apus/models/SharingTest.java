package dev.apus.models;

import static dev.apus.models.Exact.sum;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.compute.Workers;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Mixers;
import dev.apus.core.model.ModelAssembler;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.model.Wiring;
import dev.apus.core.model.Wiring.Reads;
import dev.apus.core.weight.RandomWeights;
import dev.apus.core.weight.StoredRows;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.core.weight.WeightSource;
import dev.apus.core.weight.WeightSource.Key;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.kernels.block.WeightFormat;
import dev.apus.models.TinyModels.Tiny;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a layer uses of another one is what it would compute with weights and keys like those. */
class SharingTest {

  static final int WIDTH = 24;
  static final int VOCABULARY = 192;
  static final NormSpec NORM = NormSpec.rms(1e-5);
  private static final int[] TOKENS = TinyModels.tokens(40, 3);

  static final Part ATTENTION =
      Part.of("attention").with("heads", 4).with("kvHeads", 2).with("headDim", 6);
  static final Part DELTA =
      Part.of("gated-delta-net")
          .with("keyHeads", 2)
          .with("valueHeads", 2)
          .with("keyDim", 6)
          .with("valueDim", 8)
          .with("taps", 4)
          .with("epsilon", 1e-5);
  static final Part MLP = Part.of("gated-mlp").with("inner", 40);

  static final RandomWeights RANDOM = new RandomWeights(5, WeightFormat.F32);
  private static final Exact EXACT = new Exact(RANDOM);

  static Architecture of(Layer... layers) {
    return new Architecture(
        "shared", VOCABULARY, WIDTH, 100, Embedding.PLAIN, List.of(layers), NORM, Head.of(false));
  }

  static Layer layer(Part mixer, Wiring wiring) {
    return Layer.of(
        Branch.mixer(mixer, NORM).wired(wiring), Branch.channel(MLP, NORM).wired(wiring));
  }

  static float[][] logits(Architecture architecture, WeightSource source) {
    try (Tiny tiny = TinyModels.of(architecture, source, Kernels.chosen(), 2)) {
      return tiny.run(tiny.state(), TOKENS, 0, TOKENS.length);
    }
  }

  /** Random weights, some of which are found under another key. */
  private record Renamed(UnaryOperator<Key> renaming) implements WeightSource {

    @Override
    public StoredRows find(Key key, int rows, int cols, Typical typical) {
      return RANDOM.find(renaming.apply(key), rows, cols, typical);
    }

    @Override
    public List<String> unread() {
      return List.of();
    }
  }

  private static UnaryOperator<Key> layerInsteadOf(int layer, int instead) {
    return key -> key.layer() == instead ? new Key(key.name(), layer, key.expert()) : key;
  }

  static Stream<Part> mixers() {
    return Stream.of(ATTENTION, DELTA);
  }

  @ParameterizedTest
  @MethodSource("mixers")
  void aLayerWithTheWeightsOfAnotherComputesAsIfTheyWereItsOwn(Part mixer) {
    Layer own = layer(mixer, Wiring.PLAIN);
    float[][] expected = logits(of(own, own), new Renamed(layerInsteadOf(0, 1)));
    float[][] found = logits(of(own, layer(mixer, Wiring.PLAIN.weightsOf(0))), RANDOM);
    assertSame(expected, found);
    assertFalse(Arrays.equals(expected[9], logits(of(own, own), RANDOM)[9]));
  }

  /** Thirty-two users of one layer's weights take the memory of one, and their norms. */
  @Test
  void sharedWeightsAreInMemoryOnce() {
    Layer own = layer(ATTENTION, Wiring.PLAIN);
    Layer[] users = new Layer[33];
    Arrays.fill(users, layer(ATTENTION, Wiring.PLAIN.weightsOf(0)));
    users[0] = own;
    long one = bytes(of(own));
    long two = bytes(of(own, own));
    assertTrue(two > one + 4L * 3 * 40 * WIDTH, "a layer takes memory");
    assertEquals(one + 32 * 2 * 4L * WIDTH, bytes(of(users)));
  }

  private static long bytes(Architecture architecture) {
    try (Arena arena = Arena.ofShared();
        var workers = Workers.of(2)) {
      Weights weights = new Weights(RANDOM, Kernels.chosen(), workers, arena);
      ModelAssembler.assemble(architecture, Mixers.installed(), CacheFormat.F32, weights);
      return weights.bytes();
    }
  }

  /**
   * Both layers read the embedding, so that with the same projections the second one's keys and
   * values would be those of the first.
   */
  @Test
  void aLayerMayReadTheKeysAndValuesOfAnother() {
    Wiring embedded = Wiring.PLAIN.reading(Reads.of(Wiring.EMBEDDING));
    Part normed = ATTENTION.with("norm", NORM.toMap()).with("rope", Map.of("dims", 6));
    Part windowed = normed.with("window", 5);
    Layer first = Layer.of(Branch.mixer(normed, NORM).wired(embedded));
    Layer second = Layer.of(Branch.mixer(windowed, NORM).wired(embedded));
    Set<String> keysAndValues =
        Set.of("attention.k", "attention.v", "attention.k.norm", "mixer.norm");
    UnaryOperator<Key> same =
        key -> keysAndValues.contains(key.name()) ? layerInsteadOf(0, 1).apply(key) : key;
    Layer reader = Layer.of(Branch.mixer(windowed, NORM).wired(embedded.stateOf(0)));
    UnaryOperator<Key> norm =
        key -> key.name().equals("mixer.norm") ? layerInsteadOf(0, 1).apply(key) : key;
    assertSame(
        logits(of(first, second), new Renamed(same)), logits(of(first, reader), new Renamed(norm)));
    try (Tiny one = TinyModels.of(of(first), Kernels.chosen(), 2);
        Tiny both = TinyModels.of(of(first, reader), Kernels.chosen(), 2)) {
      assertEquals(one.network().stateBytesPerToken(), both.network().stateBytesPerToken());
      var state = both.state();
      both.run(state, TOKENS, 0, 40);
      var alone = one.state();
      one.run(alone, TOKENS, 0, 40);
      assertEquals(alone.bytes(), state.bytes());
    }
  }

  /** The wiring of Zamba, with parts that a few sums can stand for. */
  @Test
  void streamsAreJoinedAddedAndReplaced() {
    Part linear = Part.of("linear");
    Architecture architecture =
        of(
                Layer.of(Branch.channel(linear, null)),
                Layer.of(
                    Branch.channel(linear, NORM)
                        .wired(
                            Wiring.PLAIN
                                .named("block")
                                .reading(Reads.join(Wiring.RESIDUAL, Wiring.EMBEDDING))
                                .writing("wide"))
                        .scaled(0.5f),
                    Branch.channel(linear, null)
                        .wired(Wiring.PLAIN.reading(Reads.of("wide")).writing("back")),
                    Branch.channel(linear, NORM)
                        .wired(
                            Wiring.PLAIN
                                .named("last")
                                .reading(Reads.sum(Wiring.RESIDUAL, "back")))))
            .withStream("wide", 31)
            .withStream("back", WIDTH);
    float[][] found = logits(architecture, RANDOM);
    for (int i = 0; i < TOKENS.length; i++) {
      double[] e = EXACT.matrix("embedding", -1, VOCABULARY, WIDTH)[TOKENS[i]];
      double[] x = sum(e, EXACT.times("linear.w", 0, WIDTH, e));
      double[] joined = Arrays.copyOf(x, 2 * WIDTH);
      System.arraycopy(e, 0, joined, WIDTH, WIDTH);
      double[] wide =
          EXACT.times("block.linear.w", 1, 31, EXACT.rms("block.channel.norm", 1, joined));
      Arrays.setAll(wide, j -> wide[j] / 2);
      double[] back = EXACT.times("linear.w", 1, WIDTH, wide);
      double[] read = EXACT.rms("last.channel.norm", 1, sum(x, back));
      double[] y = sum(x, EXACT.times("last.linear.w", 1, WIDTH, read));
      double[] expected = EXACT.times("head", -1, VOCABULARY, EXACT.rms("norm", -1, y));
      for (int token = 0; token < VOCABULARY; token++) {
        assertEquals(expected[token], found[i][token], 2e-5);
      }
    }
  }

  /** What two branches of a step give to a stream is added, in place of what was there. */
  @Test
  void theBranchesOfAStepAreAddedInAStream() {
    Branch one = Branch.channel(Part.of("linear"), null).wired(Wiring.PLAIN.writing("t"));
    Branch other = Branch.channel(MLP, NORM).scaled(0.25f).wired(Wiring.PLAIN.writing("t"));
    Branch back = Branch.channel(MLP, null).wired(Wiring.PLAIN.named("b").reading(Reads.of("t")));
    Architecture once = of(Layer.parallel(one, other), Layer.of(back)).withStream("t", WIDTH);
    Layer twice =
        new Layer(
            Stream.of(Layer.of(other), Layer.parallel(one, other))
                .flatMap(l -> l.steps().stream())
                .toList());
    assertSame(
        logits(once, RANDOM), logits(of(twice, Layer.of(back)).withStream("t", WIDTH), RANDOM));
    UnaryOperator<Key> switched =
        key -> key.name().startsWith("linear") ? new Key("other.w", 0, -1) : key;
    assertFalse(
        Arrays.equals(logits(once, RANDOM)[3], logits(once, new Renamed(switched))[3]),
        "both branches must be in the sum");
  }

  /** Meta tokens are what tokens with such embeddings would be, before all others. */
  @ParameterizedTest
  @ValueSource(ints = {1, 7, 40})
  void metaTokensAreTokensBeforeTheFirst(int meta) {
    Part turned = ATTENTION.with("rope", Map.of("dims", 6));
    Layer[] layers = {layer(turned, Wiring.PLAIN), layer(DELTA, Wiring.PLAIN)};
    var architecture =
        new Architecture(
            "meta",
            VOCABULARY,
            WIDTH,
            100,
            new Embedding(1, 0, null, meta),
            List.of(layers),
            NORM,
            Head.of(false));
    var longer =
        new Architecture(
            "tokens",
            VOCABULARY + meta,
            WIDTH,
            100 + meta,
            Embedding.PLAIN,
            List.of(layers),
            NORM,
            Head.of(false));
    int[] all = new int[meta + TOKENS.length];
    for (int i = 0; i < meta; i++) {
      all[i] = VOCABULARY + i;
    }
    System.arraycopy(TOKENS, 0, all, meta, TOKENS.length);
    try (Tiny tiny = TinyModels.of(architecture, RANDOM, Kernels.chosen(), 2);
        Tiny plain = TinyModels.of(longer, new Extended(), Kernels.chosen(), 2)) {
      float[][] expected = plain.run(plain.state(), all, 0, all.length);
      int cut = 17;
      var state = tiny.state();
      float[][] head = tiny.run(state, TOKENS, 0, cut);
      var other = tiny.state();
      int[] first = {TOKENS[0]};
      List<float[][]> both =
          tiny.run(
              List.of(state, other),
              List.of(Arrays.copyOfRange(TOKENS, cut, TOKENS.length), first));
      assertEquals(TOKENS.length, state.length());
      for (int i = 0; i < TOKENS.length; i++) {
        float[] found = i < cut ? head[i] : both.getFirst()[i - cut];
        assertArrayEquals(
            Arrays.copyOf(expected[meta + i], VOCABULARY), found, 1e-4f, "token " + i);
      }
      assertArrayEquals(head[0], both.get(1)[0], 1e-4f);
    }
  }

  /** The embedding, and after it the meta tokens; what the head makes of those may be anything. */
  private record Extended() implements WeightSource {

    @Override
    public StoredRows find(Key key, int rows, int cols, Typical typical) {
      if (!key.name().equals("embedding")) {
        return RANDOM.find(key, rows, cols, typical);
      }
      StoredRows tokens = RANDOM.find(key, VOCABULARY, cols, typical);
      StoredRows meta = RANDOM.find(new Key("meta", -1, -1), rows - VOCABULARY, cols, typical);
      List<MemorySegment> all = new ArrayList<>(tokens.rows());
      all.addAll(meta.rows());
      return new StoredRows("extended", tokens.format(), cols, all);
    }

    @Override
    public List<String> unread() {
      return List.of();
    }
  }

  /** An adapter is the difference that it makes to the matrix. */
  @Test
  void adaptersAreAddedToTheProjectionsThatAreShared() {
    Layer first = layer(ATTENTION, Wiring.PLAIN);
    Wiring shared = Wiring.PLAIN.weightsOf(0);
    Layer adapted =
        Layer.of(
            Branch.mixer(ATTENTION.with("adapter", 3), NORM).wired(shared),
            Branch.channel(MLP.with("adapter", 2), NORM).wired(shared));
    WeightSource merged =
        new WeightSource() {
          @Override
          public StoredRows find(Key key, int rows, int cols, Typical typical) {
            Key owner = new Key(key.name(), Math.min(key.layer(), 0), -1);
            StoredRows base = RANDOM.find(owner, rows, cols, typical);
            if (key.layer() != 1 || !key.name().matches("attention.[qkv]|gated-mlp.(gate|up)")) {
              return base;
            }
            boolean mlp = key.name().startsWith("gated");
            int rank = mlp ? 2 : 3;
            String down = mlp ? "gated-mlp.adapter.down" : key.name() + ".adapter.down";
            float[] a = RANDOM.find(new Key(down, 1, -1), rank, cols, null).decode();
            float[] b =
                RANDOM.find(new Key(key.name() + ".adapter.up", 1, -1), rows, rank, null).decode();
            float[] w = base.decode();
            for (int row = 0; row < rows; row++) {
              for (int col = 0; col < cols; col++) {
                for (int r = 0; r < rank; r++) {
                  w[row * cols + col] += b[row * rank + r] * a[r * cols + col];
                }
              }
            }
            var memory = Arena.ofAuto().allocate(4L * w.length, 64);
            WeightFormat.F32.codec().encode(w, 0, memory, 0, w.length);
            List<MemorySegment> slices = new ArrayList<>();
            for (int row = 0; row < rows; row++) {
              slices.add(memory.asSlice(4L * row * cols, 4L * cols));
            }
            return new StoredRows("merged", WeightFormat.F32, cols, slices);
          }

          @Override
          public List<String> unread() {
            return List.of();
          }
        };
    float[][] expected = logits(of(first, first), merged);
    float[][] found = logits(of(first, adapted), RANDOM);
    float[][] without = logits(of(first, layer(ATTENTION, shared)), RANDOM);
    for (int i = 0; i < expected.length; i++) {
      assertArrayEquals(expected[i], found[i], 2e-5f, "token " + i);
    }
    assertTrue(Math.abs(without[5][5] - found[5][5]) > 1e-2, "the adapters must matter");
  }

  /** Without its projection, attention gives the rows that the projection would be given. */
  @Test
  void attentionMayLeaveItsProjectionToAnother() {
    Architecture whole = of(Layer.of(Branch.mixer(ATTENTION, NORM)));
    Architecture parts =
        of(Layer.of(
                Branch.mixer(ATTENTION.with("projected", false), NORM)
                    .wired(Wiring.PLAIN.writing("heads")),
                Branch.channel(Part.of("linear"), null)
                    .wired(Wiring.PLAIN.reading(Reads.of("heads")))))
            .withStream("heads", 24);
    UnaryOperator<Key> renamed =
        key -> key.name().equals("linear.w") ? new Key("attention.o", 0, -1) : key;
    assertSame(logits(whole, RANDOM), logits(parts, new Renamed(renamed)));
  }

  static Branch mixer(Part part, Wiring wiring) {
    return Branch.mixer(part, NORM).wired(wiring);
  }

  static Wiring writing(String stream) {
    return Wiring.PLAIN.writing(stream);
  }

  static void assertSame(float[][] expected, float[][] found) {
    for (int i = 0; i < expected.length; i++) {
      assertArrayEquals(expected[i], found[i], "token " + i);
    }
  }
}
