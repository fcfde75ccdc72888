package dev.apus.attention.softmax;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;

import dev.apus.core.config.Config;
import dev.apus.core.model.NormSpec;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.rope.Rotary.Layout;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Attention as its definition says it, every score for itself, in double precision. */
final class NaiveAttention {

  private final AttentionSpec spec;
  private final int width;
  private final int group;
  private boolean ahead;
  private Visits visits;
  private double[][] levels;
  private NaivePolicies.Choice choice;
  private boolean[][][] chosen;
  private int farKeys;
  private int farPosition;
  private double[][] far;
  private double[][] added;

  NaiveAttention(Map<String, ?> settings, int width, int context) {
    this.spec = AttentionSpec.read(Config.of("naive", settings), context);
    this.width = width;
    this.group = spec.heads() / spec.kvHeads();
  }

  /** The same where every token sees those after it, too. */
  NaiveAttention lookingAhead() {
    ahead = true;
    return this;
  }

  /** The same where queries visit some keys only. */
  NaiveAttention choosing(NaivePolicies.Choice which) {
    choice = which;
    return this;
  }

  /** The same where the first {@code keys} keys are asked as from {@code position} at most. */
  NaiveAttention asFar(int keys, int position) {
    farKeys = keys;
    farPosition = position;
    return this;
  }

  int heads() {
    return spec.heads();
  }

  int group() {
    return group;
  }

  int headDim() {
    return spec.headDim();
  }

  /** How often a token counts for another one, as far as it may look. */
  @FunctionalInterface
  interface Visits {
    int count(int i, int j, int head, int tokens);
  }

  /** The same with other visits than those of a window. */
  NaiveAttention visiting(Visits other) {
    visits = other;
    return this;
  }

  double[][] run(double[][] x) {
    int tokens = x.length;
    double[][] q = new double[tokens][];
    double[][] k = new double[tokens][];
    double[][] v = new double[tokens][];
    for (int i = 0; i < tokens; i++) {
      q[i] = turnedAndNormed(projected("q", spec.heads() * spec.headDim(), x[i]), "q.norm", i);
      double[] plain = projected("k", spec.kvHeads() * spec.headDim(), x[i]);
      v[i] =
          spec.keysAreValues()
              ? plain.clone()
              : projected("v", spec.valueHeads() * spec.valueDim(), x[i]);
      k[i] = turnedAndNormed(plain, "k.norm", i);
      if (spec.valueNorm() != null) {
        normalize(v[i], "v.norm", spec.valueNorm(), spec.valueDim());
      }
    }
    forget(x);
    far = new double[tokens][];
    for (int i = 0; i < tokens; i++) {
      double[] plain = projected("q", spec.heads() * spec.headDim(), x[i]);
      far[i] = turnedAndNormed(plain, "q.norm", Math.min(i, farPosition));
    }
    mask(v);
    double[][] attended = attended(q, k, v);
    if (spec.difference() != null) {
      Arrays.setAll(attended, i -> difference(attended[i]));
    }
    double[][] y = new double[tokens][];
    for (int i = 0; i < tokens; i++) {
      double[] o = attended[i];
      if (spec.outNorm() != null) {
        normalize(o, "o.norm", spec.outNorm(), spec.valueDim());
      }
      if (spec.gated()) {
        double[] made = x[i];
        if (spec.gateRank() > 0) {
          made = times(matrix("gate.latent", spec.gateRank(), width), made);
        }
        double[] gate = times(matrix("gate", o.length, made.length), made);
        Arrays.setAll(o, j -> o[j] * sigmoid(gate[j]));
      }
      y[i] = times(matrix("o", width, o.length), o);
      if (spec.outBiased()) {
        add(vector("o.bias", width, Typical.BIAS), y[i]);
      }
    }
    return y;
  }

  /** What each head has forgotten up to each token. */
  private void forget(double[][] x) {
    levels = new double[x.length][spec.heads()];
    for (int i = 0; spec.forgets() && i < x.length; i++) {
      double[] z = times(matrix("f", spec.heads(), width), x[i]);
      add(vector("f.bias", spec.heads(), Typical.BIAS), z);
      for (int head = 0; head < z.length; head++) {
        levels[i][head] = (i == 0 ? 0 : levels[i - 1][head]) + Math.log(sigmoid(z[head]));
      }
    }
  }

  /** What is added to the scores of each token's keys. */
  private void mask(double[][] v) {
    if (spec.keep() == 0) {
      return;
    }
    added = new double[v.length][];
    double[] factors = vector("mask.factors", spec.kvHeads(), Typical.BIAS);
    for (int i = 0; i < v.length; i++) {
      double[] z = times(matrix("mask", spec.kvHeads(), v[i].length), v[i]);
      if (spec.biased()) {
        add(vector("mask.bias", z.length, Typical.BIAS), z);
      }
      Arrays.setAll(z, head -> Math.exp(factors[head] * Math.log1p(Math.exp(z[head]))));
      added[i] = z;
    }
  }

  private double[] difference(double[] o) {
    double first = 0.2; // 0.8 − 0.6 in the first layer
    double share = lambda("1") - lambda("2") + first;
    double[] y = new double[o.length / 2];
    Arrays.setAll(y, i -> o[i] - share * o[y.length + i]);
    normalize(y, "difference.norm", spec.difference(), spec.valueDim());
    Arrays.setAll(y, i -> (1 - first) * y[i]);
    return y;
  }

  private double lambda(String which) {
    double[] a = vector("difference.q" + which, spec.headDim(), Typical.BIAS);
    double[] b = vector("difference.k" + which, spec.headDim(), Typical.BIAS);
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return Math.exp(sum);
  }

  /** The root mean square of each head. */
  private static void normalize(double[] x, String name, NormSpec norm, int size) {
    for (int at = 0; at < x.length; at += size) {
      double squares = norm.epsilon();
      for (int i = at; i < at + size; i++) {
        squares += x[i] * x[i] / size;
      }
      for (int i = at; i < at + size; i++) {
        double weight = norm.weighted() ? vector(name, size, Typical.NORM)[i - at] : 1;
        x[i] *= weight / Math.sqrt(squares);
      }
    }
  }

  /** What all heads of each query get of keys and values, before they are projected. */
  double[][] attended(double[][] q, double[][] k, double[][] v) {
    double[][] o = new double[q.length][spec.heads() * spec.valueDim()];
    chosen = choice == null ? null : choice.of(this, q, k);
    for (int i = 0; i < q.length; i++) {
      for (int head = 0; head < spec.heads(); head++) {
        attend(i, head, q, k, v, o[i]);
      }
    }
    return o;
  }

  private double[] projected(String name, int outputs, double[] x) {
    double[] y = times(matrix(name, outputs, width), x);
    if (spec.biased()) {
      add(vector(name + ".bias", outputs, Typical.BIAS), y);
    }
    return y;
  }

  private static void add(double[] x, double[] y) {
    Arrays.setAll(y, i -> y[i] + x[i]);
  }

  private double[] turnedAndNormed(double[] x, String name, int position) {
    if (spec.norm() != null && !spec.normAfterRope()) {
      normalize(x, name);
    }
    if (spec.rope() != null) {
      turn(x, position);
    }
    if (spec.norm() != null && spec.normAfterRope()) {
      normalize(x, name);
    }
    return x;
  }

  private void normalize(double[] x, String name) {
    int size = spec.normOver() == AttentionSpec.NormOver.ROW ? x.length : spec.headDim();
    int weights = spec.normOver() == AttentionSpec.NormOver.HEAD ? spec.headDim() : x.length;
    double[] weight = new double[weights];
    Arrays.fill(weight, 1);
    if (spec.norm().weighted()) {
      weight = vector(name, weights, Typical.NORM);
    }
    for (int at = 0; at < x.length; at += size) {
      double mean = 0;
      double squares = 0;
      for (int i = at; i < at + size; i++) {
        mean += spec.norm().type() == NormSpec.Type.RMS ? 0 : x[i] / size;
      }
      for (int i = at; i < at + size; i++) {
        squares += (x[i] - mean) * (x[i] - mean) / size;
      }
      for (int i = at; i < at + size; i++) {
        x[i] = (x[i] - mean) / Math.sqrt(squares + spec.norm().epsilon()) * weight[i % weights];
      }
    }
  }

  /** Plain angles alone: the other kinds have a test of their own. */
  void turn(double[] x, int position) {
    int dims = spec.rope().dims();
    boolean halves = spec.rope().layout() == Layout.HALVES;
    for (int at = 0; at < x.length; at += spec.headDim()) {
      for (int i = 0; i < dims / 2; i++) {
        double angle = position * Math.pow(spec.rope().theta(), -2.0 * i / dims);
        int first = at + (halves ? i : 2 * i);
        int second = at + (halves ? i + dims / 2 : 2 * i + 1);
        double a = x[first];
        double b = x[second];
        x[first] = a * Math.cos(angle) - b * Math.sin(angle);
        x[second] = b * Math.cos(angle) + a * Math.sin(angle);
      }
    }
  }

  /** Which of the keys a query visits. */
  private boolean[] visited(int i, int head, double[] q, double[][] k) {
    if (chosen != null) {
      return chosen[i][head];
    }
    boolean[] visited = new boolean[k.length];
    if (spec.keep() > 0) {
      for (int j = 0; j <= i; j++) {
        int better = 0;
        for (int other = 0; other <= i; other++) {
          better += added[other][head / group] > added[j][head / group] ? 1 : 0;
        }
        visited[j] = better < spec.keep();
      }
      return visited;
    }
    KeySelection selection = spec.select().make(null);
    if (selection instanceof MixtureOfBlocks(int block, int top)) {
      double[] products = new double[i / block];
      for (int b = 0; b < products.length; b++) {
        for (int d = 0; d < spec.headDim(); d++) {
          double mean = 0;
          for (int j = b * block; j < (b + 1) * block; j++) {
            mean += k[j][head / group * spec.headDim() + d] / block;
          }
          products[b] += q[head * spec.headDim() + d] * mean;
        }
      }
      List<Integer> blocks =
          IntStream.range(0, products.length)
              .boxed()
              .sorted(Comparator.comparingDouble(b -> -products[b]))
              .limit(top - 1)
              .toList();
      for (int j = 0; j <= i; j++) {
        visited[j] = j / block == i / block || blocks.contains(j / block);
      }
      return visited;
    }
    for (int j = 0; j < k.length; j++) {
      visited[j] = (j <= i || ahead) && count(i, j, head, k.length) > 0;
    }
    return visited;
  }

  private int count(int i, int j, int head, int tokens) {
    if (visits != null) {
      return visits.count(i, j, head, tokens);
    }
    return spec.select().make(null) instanceof MixtureOfBlocks || reaches(i, j) ? 1 : 0;
  }

  private boolean reaches(int i, int j) {
    NearKeys near = (NearKeys) spec.select().make(null);
    boolean reached = Math.abs(i - j) < near.window() || j < near.pinned();
    return near.window() == 0 || reached;
  }

  private void attend(int i, int head, double[][] q, double[][] k, double[][] v, double[] o) {
    double[] scores = new double[q.length];
    boolean[] visited = visited(i, head, q[i], k);
    double most = spec.sinks() ? sink(head) : Double.NEGATIVE_INFINITY;
    for (int j = 0; j < q.length; j++) {
      if (visited[j]) {
        scores[j] = score(i, j, head, j < farKeys ? far[i] : q[i], k[j]);
        most = Math.max(most, scores[j]);
      }
    }
    double sum = spec.sinks() ? Math.exp(sink(head) - most) : 0;
    int at = head * spec.valueDim();
    for (int j = 0; j < q.length; j++) {
      if (visited[j]) {
        int count = chosen == null && spec.keep() == 0 ? count(i, j, head, q.length) : 1;
        double weight = count * Math.exp(scores[j] - most);
        sum += weight;
        for (int d = 0; d < spec.valueDim(); d++) {
          o[at + d] += weight * v[j][head / group % spec.valueHeads() * spec.valueDim() + d];
        }
      }
    }
    for (int d = at; d < at + spec.valueDim(); d++) {
      o[d] /= sum;
    }
  }

  private double sink(int head) {
    return vector("sinks", spec.heads(), Typical.BIAS)[head];
  }

  double score(int i, int j, int head, double[] q, double[] k) {
    double score = 0;
    for (int d = 0; d < spec.headDim(); d++) {
      score += q[head * spec.headDim() + d] * k[head / group * spec.headDim() + d];
    }
    score *= spec.scale();
    if (spec.softcap() != 0) {
      score = spec.softcap() * Math.tanh(score / spec.softcap());
    }
    if (levels != null) {
      score += levels[i][head] - levels[j][head];
    }
    if (added != null) {
      score += added[j][head / group];
    }
    return score + spec.alibi() * slope(head) * (j - i);
  }

  /** The paper's: for n heads, a power of two, {@code 2^(−8/n)} and its powers. */
  private double slope(int head) {
    int whole = Integer.highestOneBit(spec.heads());
    return head < whole
        ? Math.pow(2, -8.0 / whole * (head + 1))
        : Math.pow(2, -8.0 / (2 * whole) * (2 * (head - whole) + 1));
  }
}
