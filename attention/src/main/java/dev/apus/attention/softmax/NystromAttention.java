package dev.apus.attention.softmax;

import dev.apus.attention.softmax.KeySelection.Heads;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.model.Visibility;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activations;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.attention.CacheFormat;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * Attention by way of landmarks, which are the means of a text's segments, in time linear in the
 * text's length:
 *
 * <pre>
 *   O = softmax(Q K̃ᵀ/√d) · A⁺ · softmax(Q̃ Kᵀ/√d) V + taps ∗ V          A = softmax(Q̃ K̃ᵀ/√d)
 * </pre>
 *
 * <p>The {@linkplain PseudoInverse pseudo-inverse} A⁺ is approximated; the convolution over values
 * looks as far ahead as back. A text is divided into as many segments as there are landmarks, the
 * last of which are longer by a token where it does not come out even; a text of no more tokens
 * than landmarks is attended to exactly. The three softmaxes are the kernel's: first the landmarks
 * ask all tokens, then all tokens ask the landmarks, whose values are A⁺ times the answers.
 *
 * @see <a href="https://arxiv.org/abs/2102.03902">Nyströmformer</a>
 */
public final class NystromAttention implements SequenceMixer<KeyValueCache> {

  /**
   * The settings.
   *
   * @param landmarks how many segments a text has; 0 to attend exactly
   * @param taps of the convolution over values, an odd number; 0 for none
   * @param eachHead whether each head's inverse begins with its own largest column, instead of that
   *     of all heads
   */
  private record Spec(
      int heads, int headDim, int landmarks, int taps, boolean eachHead, boolean biased) {

    static Spec read(Config c) {
      int taps = c.count("taps", 0);
      if (taps > 0 && taps % 2 == 0) {
        throw c.errorAt("taps", "taps=%d must be odd: they reach as far ahead as back", taps);
      }
      return new Spec(
          c.positive("heads"),
          c.positive("headDim"),
          c.count("landmarks"),
          taps,
          c.flag("eachHead", false),
          c.flag("biased", false));
    }

    int cols() {
      return Math.multiplyExact(heads, headDim);
    }

    float scale() {
      return (float) (1 / Math.sqrt(headDim));
    }
  }

  private final Spec spec;
  private final Activations activations;
  private final CacheLayout layout;
  private final CacheLayout landmarkLayout;
  private final Projection queries;
  private final Projection keys;
  private final Projection values;
  private final Projection output;
  private final float[] taps;
  private final AttentionTiles tiles;
  private final AttentionTiles landmarkTiles;

  private NystromAttention(Spec spec, Site site) {
    WeightScope weights = site.weights();
    Kernels kernels = site.kernels();
    int cols = spec.cols();
    this.spec = spec;
    this.activations = kernels.activations();
    this.queries = weights.projection("q", cols, site.inputs(), spec.biased());
    this.keys = weights.projection("k", cols, site.inputs(), spec.biased());
    this.values = weights.projection("v", cols, site.inputs(), spec.biased());
    this.taps =
        spec.taps() == 0 ? null : weights.table("taps", spec.heads(), spec.taps(), Typical.BIAS);
    this.output = weights.projection("o", site.outputs(), cols, spec.biased());
    Attention kernel = site.steadyAttention("Nystrom attention");
    // What landmarks hold cancels out for the most part, so it is kept whole.
    Attention exact = kernels.attention(CacheFormat.F32);
    this.layout = new CacheLayout(kernel, spec.heads(), spec.headDim(), spec.headDim());
    this.landmarkLayout = new CacheLayout(exact, spec.heads(), spec.headDim(), spec.headDim());
    this.tiles = tiles(kernel);
    this.landmarkTiles = tiles(exact);
  }

  private AttentionTiles tiles(Attention kernel) {
    var traits = new Traits(spec.headDim(), spec.headDim(), spec.scale(), 0);
    return new AttentionTiles(
        kernel, traits, new Heads(spec.heads(), 1), NearKeys.ALL, new Biases(null, null, 0));
  }

  @Override
  public KeyValueCache newState(int limit) {
    return new KeyValueCache(layout, limit, null);
  }

  @Override
  public Set<Visibility> visibilities() {
    return Set.of(Visibility.BIDIRECTIONAL);
  }

  @Override
  public long bytesPerToken() {
    return layout.bytesPerToken();
  }

  @Override
  public void forward(Pass pass, Batch<KeyValueCache> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      Matrix q = frame.matrix(x.rows(), spec.cols());
      Matrix k = frame.matrix(x.rows(), spec.cols());
      Matrix v = frame.matrix(x.rows(), spec.cols());
      Matrix o = frame.matrix(x.rows(), spec.cols());
      pass.run(queries.task(pass, x, q), keys.task(pass, x, k), values.task(pass, x, v));
      List<Run<KeyValueCache>> few = new ArrayList<>();
      List<Run<KeyValueCache>> many = new ArrayList<>();
      for (Run<KeyValueCache> run : batch.runs()) {
        run.state().append(pass, k, v, run.from(), run.length());
        boolean exact = spec.landmarks() == 0 || run.length() <= spec.landmarks();
        (exact ? few : many).add(run);
      }
      if (!few.isEmpty()) {
        tiles.attend(pass, few, q, o);
      }
      if (!many.isEmpty()) {
        throughLandmarks(pass, many, q, k, o);
      }
      if (taps != null) {
        for (Run<KeyValueCache> run : batch.runs()) {
          convolve(pass, run, v, o);
        }
      }
      output.apply(pass, o, y);
    }
  }

  private void throughLandmarks(
      Pass pass, List<Run<KeyValueCache>> runs, Matrix q, Matrix k, Matrix o) {
    int landmarks = spec.landmarks();
    try (Pass.Frame frame = pass.frame()) {
      Matrix asking = frame.matrix(runs.size() * landmarks, spec.cols());
      Matrix asked = frame.matrix(runs.size() * landmarks, spec.cols());
      Matrix answers = frame.matrix(runs.size() * landmarks, spec.cols());
      List<Run<KeyValueCache>> askers = new ArrayList<>();
      for (int i = 0; i < runs.size(); i++) {
        Run<KeyValueCache> run = runs.get(i);
        means(pass, run, q, asking, i * landmarks);
        means(pass, run, k, asked, i * landmarks);
        askers.add(
            new Run<>(run.state(), i * landmarks, (i + 1) * landmarks, 0, Visibility.SURROUNDED));
      }
      tiles.attend(pass, askers, asking, answers);
      weighAnswers(pass, frame, runs.size(), asking, asked, answers);
      attendToLandmarks(pass, runs, asked, answers, q, o);
    }
  }

  /** Writes the means of a run's segments. */
  private void means(Pass pass, Run<KeyValueCache> run, Matrix x, Matrix means, int row) {
    int landmarks = spec.landmarks();
    pass.eachRow(
        landmarks,
        x.cols() * run.length() / landmarks,
        (from, to, worker) -> {
          for (int i = from; i < to; i++) {
            int start = segment(i, run.length());
            int end = segment(i + 1, run.length());
            int at = means.at(row + i);
            Arrays.fill(means.data(), at, at + x.cols(), 0);
            for (int t = start; t < end; t++) {
              int token = x.at(run.from() + t);
              activations.addScaled(
                  1f / (end - start), x.data(), token, means.data(), at, x.cols());
            }
          }
        });
  }

  /** The token that a segment begins with: the shorter segments come first. */
  private int segment(int index, int tokens) {
    int longer = tokens % spec.landmarks();
    return index * (tokens / spec.landmarks()) + Math.max(0, index - (spec.landmarks() - longer));
  }

  /** Multiplies each head's answers by the inverse of what its landmarks are to each other. */
  private void weighAnswers(
      Pass pass, Pass.Frame frame, int runs, Matrix asking, Matrix asked, Matrix answers) {
    int landmarks = spec.landmarks();
    int values = landmarks * landmarks;
    int heads = spec.heads();
    Matrix similarities = frame.matrix(runs * heads, values);
    float[] largest = frame.floats(runs * heads);
    pass.workers()
        .run(
            runs * heads,
            (part, worker) -> {
              float[] a = similarities.data();
              int at = similarities.at(part);
              compare(pass, worker, part / heads, part % heads, asking, asked, a, at);
              largest[part] = PseudoInverse.largestColumn(a, at, landmarks);
            });
    pass.workers()
        .run(
            runs * heads,
            (part, worker) -> {
              int dim = spec.headDim();
              int inner = Math.max(PseudoInverse.scratchFloats(landmarks), landmarks * dim);
              float[] scratch = pass.scratch(worker, values + inner);
              float most = largest[part];
              for (int head = 0; head < heads && !spec.eachHead(); head++) {
                most = Math.max(most, largest[part / heads * heads + head]);
              }
              PseudoInverse.invert(
                  activations,
                  similarities.data(),
                  similarities.at(part),
                  landmarks,
                  most,
                  scratch,
                  0,
                  scratch,
                  values);
              int at = answers.at(part / heads * landmarks) + part % heads * dim;
              float[] all = answers.data();
              int stride = answers.cols();
              Dense.multiply(
                  activations,
                  landmarks,
                  landmarks,
                  dim,
                  scratch,
                  0,
                  all,
                  at,
                  stride,
                  scratch,
                  values,
                  dim);
              for (int i = 0; i < landmarks; i++) {
                System.arraycopy(scratch, values + i * dim, all, at + i * stride, dim);
              }
            });
  }

  /** Writes {@code softmax(Q̃ K̃ᵀ/√d)} of one head. */
  private void compare(
      Pass pass, int worker, int run, int head, Matrix asking, Matrix asked, float[] a, int at) {
    int landmarks = spec.landmarks();
    int dim = spec.headDim();
    int first = run * landmarks;
    float[] turned = pass.scratch(worker, dim * landmarks);
    for (int j = 0; j < landmarks; j++) {
      int keyAt = asked.at(first + j) + head * dim;
      for (int d = 0; d < dim; d++) {
        turned[d * landmarks + j] = asked.data()[keyAt + d];
      }
    }
    for (int i = 0; i < landmarks; i++) {
      int row = at + i * landmarks;
      int queryAt = asking.at(first + i) + head * dim;
      Arrays.fill(a, row, row + landmarks, 0);
      for (int d = 0; d < dim; d++) {
        float value = asking.data()[queryAt + d] * spec.scale();
        activations.addScaled(value, turned, d * landmarks, a, row, landmarks);
      }
      activations.softmax(a, row, landmarks);
    }
  }

  private void attendToLandmarks(
      Pass pass, List<Run<KeyValueCache>> runs, Matrix asked, Matrix answers, Matrix q, Matrix o) {
    List<KeyValueCache> caches = new ArrayList<>();
    try {
      List<Run<KeyValueCache>> askers = new ArrayList<>();
      for (int i = 0; i < runs.size(); i++) {
        Run<KeyValueCache> run = runs.get(i);
        var cache = new KeyValueCache(landmarkLayout, spec.landmarks(), null);
        caches.add(cache);
        cache.append(pass, asked, answers, i * spec.landmarks(), spec.landmarks());
        askers.add(new Run<>(cache, run.from(), run.to(), 0, Visibility.SURROUNDED));
      }
      landmarkTiles.attend(pass, askers, q, o);
    } finally {
      caches.forEach(KeyValueCache::close);
    }
  }

  /** Adds the convolution of a run's values. */
  private void convolve(Pass pass, Run<KeyValueCache> run, Matrix v, Matrix o) {
    int dim = spec.headDim();
    int reach = spec.taps() / 2;
    pass.eachRow(
        run.length(),
        spec.taps() * v.cols(),
        (from, to, worker) -> {
          for (int t = from; t < to; t++) {
            int end = Math.min(run.length(), t + reach + 1);
            for (int s = Math.max(0, t - reach); s < end; s++) {
              int valueAt = v.at(run.from() + s);
              int outAt = o.at(run.from() + t);
              for (int head = 0; head < spec.heads(); head++) {
                activations.addScaled(
                    taps[head * spec.taps() + s - t + reach],
                    v.data(),
                    valueAt + head * dim,
                    o.data(),
                    outAt + head * dim,
                    dim);
              }
            }
          }
        });
  }

  /**
   * The type {@code nystrom-attention}: {@code heads}, {@code headDim}, {@code landmarks} (0 to
   * attend exactly), {@code taps} of the convolution over values (0 for none), {@code biased}, and
   * whether inverses begin with the largest column of {@code eachHead}.
   */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "nystrom-attention";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new NystromAttention(Spec.read(settings), site);
    }
  }
}
