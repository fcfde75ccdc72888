package dev.apus.attention.softmax;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.times;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.config.ConfigException;
import dev.apus.core.model.KeyVisits;
import dev.apus.core.model.Visibility;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Attention to near hashes against its definition in double precision, with all scores. */
class HashedAttentionTest {

  private static final int WIDTH = 11;
  private static final int HEADS = 2;
  private static final int DIM = 6;
  private static final int CHUNK = 4;
  private static final int SEED = 17;

  /**
   * A layer as the definition sees it.
   *
   * @param factors of the number of buckets; none if the text says how many
   */
  private record Layer(int before, int after, int rounds, List<Integer> factors, int multiple) {

    Map<String, Object> settings() {
      Map<String, Object> settings = new LinkedHashMap<>();
      settings.put("heads", HEADS);
      settings.put("headDim", DIM);
      settings.put("chunk", CHUNK);
      settings.put("before", before);
      settings.put("after", after);
      settings.put("rounds", rounds);
      settings.put("buckets", factors);
      settings.put("seed", SEED);
      settings.put("multiple", multiple);
      return settings;
    }

    MixerBench<NumberedCache> bench(Visibility visibility) {
      return new MixerBench<NumberedCache>(new HashedAttention.Type(), settings(), WIDTH)
          .seeing(visibility);
    }

    /** About two for each chunk: a power of two, in two factors if there are more than eight. */
    List<Integer> factors(int padded) {
      if (!factors.isEmpty()) {
        return factors;
      }
      int bits = (int) Math.floor(Math.log(2.0 * (padded / CHUNK)) / Math.log(2));
      int most = 2 * Math.max((int) Math.sqrt(MixerBench.LIMIT / CHUNK), CHUNK);
      return 1 << bits <= most
          ? List.of(1 << bits)
          : List.of(1 << bits / 2, 1 << (bits - bits / 2));
    }
  }

  private static final Layer LOOKING_BACK = new Layer(1, 0, 2, List.of(4, 6), 8);
  private static final Layer BY_LENGTH = new Layer(1, 0, 3, List.of(), 4);
  private static final Layer BOTH_WAYS = new Layer(1, 1, 2, List.of(4), 12);

  @ParameterizedTest
  @CsvSource({"1", "3", "4", "5", "8", "9", "24", "37", "61"})
  void aTextIsSortedAsAWhole(int tokens) {
    for (Layer layer : List.of(LOOKING_BACK, BY_LENGTH)) {
      check(layer, Visibility.CAUSAL, tokens);
      check(layer, Visibility.BIDIRECTIONAL, tokens);
    }
    check(BOTH_WAYS, Visibility.BIDIRECTIONAL, tokens);
  }

  private static void check(Layer layer, Visibility visibility, int tokens) {
    try (var bench = layer.bench(visibility)) {
      double[][] x = bench.tokens(tokens, 5);
      double[][] expected = whole(layer, x, visibility == Visibility.CAUSAL);
      assertClose(expected, bench.run(bench.state(tokens), x, 0), layer + " " + tokens);
    }
  }

  /** A short text sees all that full attention sees but itself; a sorted one a chunk or two. */
  @Test
  void visitsAreCounted() {
    try (var bench = LOOKING_BACK.bench(Visibility.CAUSAL)) {
      double[][] x = bench.tokens(40, 5);
      var few = bench.state();
      bench.run(few, Arrays.copyOf(x, CHUNK), 0);
      int pairs = CHUNK * (CHUNK + 1) / 2;
      assertEquals(new KeyVisits(HEADS * (pairs - CHUNK), HEADS * pairs), few.visits());
      var many = bench.state();
      bench.run(many, Arrays.copyOf(x, 39), 0);
      KeyVisits before = many.visits();
      assertEquals(HEADS * 39 * 40 / 2, before.seen());
      long most = HEADS * LOOKING_BACK.rounds * 2L * CHUNK;
      assertTrue(before.visited() > 0 && before.visited() <= 39 * most, before + "");
      bench.run(many, Arrays.copyOfRange(x, 39, 40), 39);
      KeyVisits one = many.visits().minus(before);
      assertEquals(HEADS * 40, one.seen());
      assertTrue(one.visited() > 0 && one.visited() <= most, one + "");
    }
  }

  /** Tokens after the first run are sorted in, each among those before it. */
  @ParameterizedTest
  @CsvSource({"1", "3", "4", "5", "9", "24"})
  void whatFollowsIsSortedIn(int first) {
    for (Layer layer : List.of(LOOKING_BACK, BY_LENGTH)) {
      try (var bench = layer.bench(Visibility.CAUSAL)) {
        double[][] x = bench.tokens(40, 7);
        var state = bench.state();
        bench.run(state, Arrays.copyOf(x, first), 0);
        float[][] found = bench.run(state, Arrays.copyOfRange(x, first, 40), first);
        assertClose(later(layer, x, first), found, layer + " after " + first);
      }
    }
  }

  @Test
  void neitherKernelsNorThreadsNorNeighboursShow() {
    for (Layer layer : List.of(LOOKING_BACK, BY_LENGTH, BOTH_WAYS)) {
      new MixerLaws(new HashedAttention.Type(), layer.settings(), WIDTH)
          .neitherKernelsNorThreadsNorNeighboursShow();
    }
  }

  /** Where the first run ends shows, which is why it is never cut. */
  @Test
  void theFirstRunIsOne() {
    try (var bench = BY_LENGTH.bench(Visibility.CAUSAL)) {
      double[][] x = bench.tokens(40, 7);
      float[][] whole = bench.run(bench.state(), x, 0);
      var state = bench.state();
      float[][] beginning = bench.run(state, Arrays.copyOf(x, 30), 0);
      assertFalse(Arrays.deepEquals(Arrays.copyOf(whole, 30), beginning));
      assertEquals(Integer.MAX_VALUE, bench.grain());
    }
  }

  @Test
  void aTextThatLooksAheadBeginsAtItsFirstToken() {
    try (var bench = LOOKING_BACK.bench(Visibility.BIDIRECTIONAL)) {
      double[][] x = bench.tokens(5, 1);
      var e = assertThrows(IllegalArgumentException.class, () -> bench.run(bench.state(), x, 3));
      assertEquals(
          "lsh-attention reads a text that looks ahead as a whole; a run begins at token 3",
          e.getMessage());
    }
  }

  @Test
  void bucketsAreEven() {
    Map<String, Object> settings = LOOKING_BACK.settings();
    settings.put("buckets", List.of(4, 3));
    var e =
        assertThrows(
            ConfigException.class,
            () -> new MixerBench<>(new HashedAttention.Type(), settings, WIDTH).close());
    assertEquals(
        "lsh-attention: buckets=[4, 3] must be even, and at most 16777216 together",
        e.getMessage());
  }

  private static void assertClose(double[][] expected, float[][] found, String what) {
    for (int i = 0; i < expected.length; i++) {
      float[] row = found[i];
      double[] values = IntStream.range(0, WIDTH).mapToDouble(c -> row[c]).toArray();
      assertArrayEquals(expected[i], values, 2e-5, what + ", token " + i);
    }
  }

  private static double[][] heads(String name, double[][] x) {
    double[][] w = matrix(name, HEADS * DIM, WIDTH);
    return Arrays.stream(x).map(row -> times(w, row)).toArray(double[][]::new);
  }

  /** The bucket of a token in a round. */
  private static int bucket(Layer layer, List<Integer> factors, double[] q, int head, int round) {
    int half = factors.stream().mapToInt(f -> f / 2).sum();
    float[] r = SeededNormals.draw(SEED, HEADS * DIM * layer.rounds * half);
    int bucket = 0;
    int unit = 1;
    int first = 0;
    for (int factor : factors) {
      double[] along = new double[factor];
      for (int i = 0; i < factor / 2; i++) {
        for (int d = 0; d < DIM; d++) {
          int at = ((head * DIM + d) * layer.rounds + round) * half + first + i;
          along[i] += q[head * DIM + d] * r[at];
        }
        along[factor / 2 + i] = -along[i];
      }
      int best = 0;
      for (int i = 1; i < factor; i++) {
        best = along[i] > along[best] ? i : best;
      }
      bucket += unit * best;
      unit *= factor;
      first += factor / 2;
    }
    return bucket;
  }

  private static List<Integer> order(
      Layer layer, List<Integer> factors, double[][] q, int tokens, int head, int round) {
    return IntStream.range(0, tokens)
        .boxed()
        .sorted(Comparator.comparing(i -> bucket(layer, factors, q[i], head, round)))
        .toList();
  }

  private static double[][] whole(Layer layer, double[][] x, boolean causal) {
    int tokens = x.length;
    int padded = (tokens + layer.multiple - 1) / layer.multiple * layer.multiple;
    double[][] q = heads("q", x);
    int[][][] counts = new int[HEADS][tokens][tokens];
    int[][][] own = new int[HEADS][tokens][tokens > CHUNK ? layer.rounds : 1];
    for (int head = 0; head < HEADS; head++) {
      List<Integer> ring = new ArrayList<>();
      for (int round = 0; round < layer.rounds && tokens > CHUNK; round++) {
        ring.addAll(order(layer, layer.factors(padded), q, tokens, head, round));
        ring.addAll(Collections.nCopies(padded - tokens, -1));
      }
      for (int i = 0; i < ring.size(); i++) {
        int chunk = i / CHUNK;
        for (int other = chunk - layer.before; other <= chunk + layer.after; other++) {
          for (int j = 0; j < CHUNK && ring.get(i) >= 0; j++) {
            int key = ring.get(Math.floorMod(other * CHUNK + j, ring.size()));
            if (key >= 0) {
              counts[head][ring.get(i)][key]++;
              own[head][key][i / padded] += key == ring.get(i) ? 1 : 0;
            }
          }
        }
      }
      if (tokens <= CHUNK) {
        Arrays.stream(counts[head]).forEach(row -> Arrays.fill(row, 1));
        Arrays.stream(own[head]).forEach(row -> row[0] = 1);
      }
    }
    double[][] y = new double[tokens][];
    for (int i = 0; i < tokens; i++) {
      y[i] = attended(q, heads("v", x), counts, own, i, causal ? i : tokens);
    }
    return y;
  }

  private static double[][] later(Layer layer, double[][] x, int first) {
    int padded = (first + layer.multiple - 1) / layer.multiple * layer.multiple;
    List<Integer> factors =
        layer.factors(first <= CHUNK ? MixerBench.LIMIT / CHUNK * CHUNK : padded);
    double[][] q = heads("q", x);
    double[][] y = new double[x.length - first][];
    for (int i = first; i < x.length; i++) {
      int[][][] counts = new int[HEADS][x.length][x.length];
      boolean all = first <= CHUNK && (i < CHUNK || i == first);
      for (int head = 0; head < HEADS; head++) {
        for (int round = 0; round < layer.rounds && !all; round++) {
          List<Integer> ring = order(layer, factors, q, i + 1, head, round);
          int from = (ring.indexOf(i) / CHUNK - layer.before) * CHUNK;
          for (int j = 0; j < (layer.before + 1 + layer.after) * CHUNK; j++) {
            counts[head][i][ring.get(Math.floorMod(from + j, ring.size()))]++;
          }
        }
        if (all) {
          Arrays.fill(counts[head][i], 1);
        }
      }
      y[i - first] = attended(q, heads("v", x), counts, null, i, i);
    }
    return y;
  }

  /**
   * What is left of the value of a token that sees itself alone: the reference gives it a score of
   * −100000, beside which single precision knows multiples of 1/128.
   *
   * @param counts how often it sees itself in each round
   */
  private static double alone(int[] counts) {
    double sum = 0;
    for (int count : counts) {
      sum += Math.exp(Math.rint(128 * Math.log(count)) / 128);
    }
    double all = Math.rint(128 * Math.log(sum)) / 128;
    return Arrays.stream(counts).sum() * Math.exp(-all);
  }

  /**
   * What a token makes of those before {@code end} that it sees so often.
   *
   * @param own how often it sees itself in each round; null if it sees others
   */
  private static double[] attended(
      double[][] q, double[][] v, int[][][] counts, int[][][] own, int i, int end) {
    double[] o = new double[HEADS * DIM];
    for (int head = 0; head < HEADS; head++) {
      double sum = 0;
      double[] mean = new double[DIM];
      for (int j = 0; j < end; j++) {
        int count = j == i ? 0 : counts[head][i][j];
        double score = 0;
        double square = 1e-6;
        for (int d = head * DIM; d < (head + 1) * DIM; d++) {
          score += q[i][d] * q[j][d];
          square += q[j][d] * q[j][d] / DIM;
        }
        double weight = count * Math.exp(score / Math.sqrt(square) / Math.sqrt(DIM));
        sum += weight;
        for (int d = 0; d < DIM; d++) {
          mean[d] += weight * v[j][head * DIM + d];
        }
      }
      for (int d = 0; d < DIM; d++) {
        o[head * DIM + d] = sum == 0 ? alone(own[head][i]) * v[i][head * DIM + d] : mean[d] / sum;
      }
    }
    return times(matrix("o", WIDTH, HEADS * DIM), o);
  }
}
