package dev.apus.attention.softmax;

import dev.apus.attention.rope.Rope;
import dev.apus.attention.rope.RopeChoice;
import dev.apus.attention.softmax.KeySelection.Heads;
import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.CausalConvolution;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Traits;
import java.util.ArrayList;
import java.util.List;

/**
 * Compressed convolutional attention: grouped attention whose queries and keys are convolved along
 * the sequence, first each value and then each head as a whole, and half of whose values are those
 * of the token before.
 *
 * <pre>
 *   p = [W_q x, W_k x]      c = mix(conv(p))
 *   r = (p_q + its key head's p_k) / 2
 *   q = unit(c_q + r)       k = temperature · unit(c_k + mean of r over the heads of the group)
 *   vₜ = [W_now xₜ, W_before xₜ₋₁]
 *   conv: cₜ[i] = b[i] + Σ_{j &lt; taps} w[j][i] · pₜ₋ⱼ[i]
 *   mix: of a head, Mₜ = b + Σ_{j &lt; headTaps} W_j · cₜ₋ⱼ
 * </pre>
 *
 * <p>{@code unit} is a head at the length √headDim. Queries and keys then turn and attend as
 * elsewhere. Before the first token x is 0, so {@code c} is b there, and {@code W_before x} its
 * bias. A sequence may be cut into calls anywhere with the same bits.
 *
 * @see <a href="https://arxiv.org/abs/2510.04476">Compressed Convolutional Attention</a>
 */
public final class ConvolutionalAttention implements SequenceMixer<ConvolvedCache> {

  /**
   * Keeps a head of zeros from being divided by zero: the square of the distance of floats at 1.
   */
  private static final float UNIT_EPSILON = 0x1p-46f;

  /** The regions of what is recent. */
  private static final int CONVOLUTION = 0;

  private static final int BEFORE = 1;

  /**
   * The settings of a layer.
   *
   * @param taps of the convolution of single values
   * @param headTaps of the convolution of heads
   * @param scale factor on {@code q·k}
   * @param window how many tokens back a token sees, itself included; 0 for all
   * @param biased whether queries, keys and values have biases
   * @param rope how queries and keys are turned, or null
   */
  record Spec(
      int heads,
      int kvHeads,
      int headDim,
      int taps,
      int headTaps,
      float scale,
      int window,
      boolean biased,
      boolean outBiased,
      Rope.Spec rope) {

    static Spec read(Config c, int context) {
      int heads = c.positive("heads");
      int kvHeads = c.positive("kvHeads", heads);
      if (heads % kvHeads != 0) {
        throw c.error("heads=%d is not divisible by kvHeads=%d", heads, kvHeads);
      }
      int headDim = c.positive("headDim");
      if ((long) kvHeads * headDim % 2 != 0) {
        throw c.error(
            "kvHeads=%d of headDim=%d values have no half that is of the token before",
            kvHeads, headDim);
      }
      int taps = c.positive("taps");
      int headTaps = c.positive("headTaps");
      double row = (heads + (double) kvHeads) * headDim + (double) kvHeads * headDim / 2;
      if (row * Math.max(taps, headTaps) > Integer.MAX_VALUE) {
        throw c.error(
            "taps=%d and headTaps=%d of all heads are more than 2^31 − 1 values", taps, headTaps);
      }
      return new Spec(
          heads,
          kvHeads,
          headDim,
          taps,
          headTaps,
          c.real("scale", (float) (1 / Math.sqrt(headDim))),
          c.count("window", 0),
          c.flag("biased", false),
          c.flag("outBiased", false),
          c.has("rope") ? Rope.Spec.read(c.section("rope"), headDim, context) : null);
    }

    int group() {
      return heads / kvHeads;
    }

    int queryCols() {
      return heads * headDim;
    }

    int keyCols() {
      return kvHeads * headDim;
    }

    /** Values of a token that are convolved. */
    int channels() {
      return queryCols() + keyCols();
    }

    /** Values of a token that those after it may need. */
    int rowCols() {
      return channels() + half();
    }

    /** Values of a token that belong to the token before. */
    int half() {
      return keyCols() / 2;
    }

    /** How many tokens back a token looks at what is convolved, or at values. */
    int back() {
      return Math.max(1, headTaps - 1);
    }
  }

  private final Spec spec;
  private final Kernels kernels;
  private final CacheLayout layout;
  private final Projection queries;
  private final Projection keys;
  private final Projection now;
  private final Projection before;
  private final CausalConvolution convolution;
  private final RecentRows recent;
  private final float[] beforeBias;
  private final Projection[] mixes;
  private final float[] mixBias;
  private final float[] temperature;
  private final Projection output;
  private final AttentionTiles tiles;
  private final Reach reach;
  private final RopeChoice rope;

  private ConvolutionalAttention(Spec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    int dim = spec.headDim();
    this.spec = spec;
    this.kernels = site.kernels();
    var kernel = kernels.attention(site.cache());
    this.layout = new CacheLayout(kernel, spec.kvHeads(), spec.headDim(), spec.headDim());
    this.queries = weights.projection("q", spec.queryCols(), width, spec.biased());
    this.keys = weights.projection("k", spec.keyCols(), width, spec.biased());
    this.now = weights.projection("v.now", spec.half(), width, spec.biased());
    this.before = weights.projection("v.before", spec.half(), width);
    this.beforeBias =
        spec.biased() ? weights.vector("v.before.bias", spec.half(), Typical.BIAS) : null;
    this.convolution = CausalConvolution.read(weights, "conv", spec.channels(), spec.taps(), true);
    this.recent = new RecentRows(BEFORE, spec.back(), spec.rowCols());
    int heads = spec.heads() + spec.kvHeads();
    this.mixes = weights.projections("mix", spec.headTaps() * heads, dim, dim);
    this.mixBias = weights.vector("mix.bias", spec.channels(), Typical.BIAS);
    this.temperature = weights.vector("temperature", spec.kvHeads(), Typical.NORM);
    this.output = weights.projection("o", width, spec.queryCols(), spec.outBiased());
    var selection = new NearKeys(spec.window(), 0);
    this.reach = selection.reach();
    this.tiles =
        new AttentionTiles(
            kernel,
            new Traits(dim, dim, spec.scale(), 0),
            new Heads(spec.kvHeads(), spec.group()),
            selection,
            new Biases(null, null, 0));
    this.rope = RopeChoice.of(spec.rope(), site.context());
  }

  @Override
  public ConvolvedCache newState(int limit) {
    var cache = new KeyValueCache(layout, reach, limit, rope.at(limit));
    RecurrentState state = RecurrentState.of(convolution.region(), recent.memory());
    recent.begin(state, convolution.before());
    return new ConvolvedCache(cache, state);
  }

  @Override
  public int variant(int limit) {
    return rope.variant(limit);
  }

  @Override
  public long bytesPerToken() {
    return layout.bytesPerToken(reach);
  }

  @Override
  public long windowBytes() {
    return layout.windowBytes(reach);
  }

  @Override
  public void forward(Pass pass, Batch<ConvolvedCache> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      Matrix mixed = frame.matrix(rows, spec.rowCols());
      Matrix q = frame.matrix(rows, spec.queryCols());
      Matrix k = frame.matrix(rows, spec.keyCols());
      Matrix v = frame.matrix(rows, spec.keyCols());
      pass.run(
          queries.task(pass, x, 0, mixed, 0),
          keys.task(pass, x, 0, mixed, spec.queryCols()),
          before.task(pass, x, 0, mixed, spec.channels()),
          now.task(pass, x, 0, v, 0));
      pair(pass, mixed, q, k);
      Batch<RecurrentState> states = batch.map(ConvolvedCache::recent);
      convolution.apply(pass, states, CONVOLUTION, mixed, 0);
      int earlier = (spec.headTaps() - 1) * spec.channels();
      Matrix past = frame.matrix(rows, earlier);
      lookBack(pass, states, mixed, past, v);
      states.runs().forEach(run -> run.state().changed());
      Matrix heads = frame.matrix(rows, spec.headTaps() * spec.channels());
      mixHeads(pass, mixed, past, heads);
      finish(pass, heads, q, k);
      Batch<KeyValueCache> caches = batch.map(ConvolvedCache::cache);
      if (spec.rope() != null) {
        Rope.turn(pass, caches, KeyValueCache::rope, q, k, spec.headDim());
      }
      for (Run<KeyValueCache> run : caches.runs()) {
        run.state().append(pass, k, v, run.from(), run.length());
      }
      Matrix o = frame.matrix(rows, spec.queryCols());
      tiles.attend(pass, caches, q, o);
      caches.runs().forEach(run -> run.state().forget(run));
      output.apply(pass, o, y);
    }
  }

  /** What goes past the convolutions: each query head and its key head, half and half. */
  private void pair(Pass pass, Matrix mixed, Matrix q, Matrix k) {
    int dim = spec.headDim();
    float share = 1f / spec.group();
    pass.eachRow(
        mixed.rows(),
        2 * spec.channels(),
        (from, to, worker) -> {
          float[] data = mixed.data();
          for (int row = from; row < to; row++) {
            for (int head = 0; head < spec.heads(); head++) {
              int keyHead = head / spec.group();
              int queryAt = mixed.at(row) + head * dim;
              int keyAt = mixed.at(row) + spec.queryCols() + keyHead * dim;
              int qAt = q.at(row) + head * dim;
              int kAt = k.at(row) + keyHead * dim;
              boolean first = head % spec.group() == 0;
              for (int i = 0; i < dim; i++) {
                float half = (data[queryAt + i] + data[keyAt + i]) * 0.5f;
                q.data()[qAt + i] = half;
                k.data()[kAt + i] = (first ? 0 : k.data()[kAt + i]) + half * share;
              }
            }
          }
        });
  }

  /**
   * Gathers what tokens see of those before them, and remembers what those after a run will see.
   *
   * @param past receives what was convolved, the tokens after each other, the oldest first
   * @param v receives half of the values
   */
  private void lookBack(
      Pass pass, Batch<RecurrentState> batch, Matrix mixed, Matrix past, Matrix v) {
    int channels = spec.channels();
    int taps = spec.headTaps() - 1;
    for (Run<RecurrentState> run : batch.runs()) {
      run.state().keep(BEFORE);
      pass.eachRow(
          run.length(),
          past.cols() + spec.half(),
          (from, to, worker) -> {
            for (int i = from; i < to; i++) {
              int row = run.from() + i;
              for (int tap = 0; tap < taps; tap++) {
                int at = past.at(row) + tap * channels;
                recent.copy(run, i - taps + tap, mixed, 0, channels, past.data(), at);
              }
              int at = v.at(row) + spec.half();
              recent.copy(run, i - 1, mixed, channels, spec.half(), v.data(), at);
              for (int j = 0; beforeBias != null && j < spec.half(); j++) {
                v.data()[at + j] += beforeBias[j];
              }
            }
          });
      recent.advance(run, mixed);
    }
  }

  /** The convolution of heads: for each tap what a head's matrix makes of it. */
  private void mixHeads(Pass pass, Matrix mixed, Matrix past, Matrix heads) {
    int count = spec.heads() + spec.kvHeads();
    List<Divisible> works = new ArrayList<>();
    for (int tap = 0; tap < spec.headTaps(); tap++) {
      boolean last = tap == spec.headTaps() - 1;
      for (int head = 0; head < count; head++) {
        int col = tap * spec.channels() + head * spec.headDim();
        works.add(
            mixes[tap * count + head].task(
                pass, last ? mixed : past, last ? head * spec.headDim() : col, heads, col));
      }
    }
    pass.run(works.toArray(Divisible[]::new));
  }

  /** Adds what was convolved, and brings each head to its length. */
  private void finish(Pass pass, Matrix heads, Matrix q, Matrix k) {
    int dim = spec.headDim();
    float length = (float) Math.sqrt(dim);
    var norms = kernels.norms();
    pass.eachRow(
        q.rows(),
        (spec.headTaps() + 2) * spec.channels(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            addTaps(heads, row, 0, q);
            addTaps(heads, row, spec.queryCols(), k);
            int at = q.at(row);
            norms.l2(q.data(), at, spec.heads(), dim, length, UNIT_EPSILON, q.data(), at);
            for (int head = 0; head < spec.kvHeads(); head++) {
              float scale = length * temperature[head];
              at = k.at(row) + head * dim;
              norms.l2(k.data(), at, 1, dim, scale, UNIT_EPSILON, k.data(), at);
            }
          }
        });
  }

  private void addTaps(Matrix heads, int row, int col, Matrix y) {
    int yAt = y.at(row);
    for (int i = 0; i < y.cols(); i++) {
      float sum = mixBias[col + i];
      for (int tap = 0; tap < spec.headTaps(); tap++) {
        sum += heads.data()[heads.at(row) + tap * spec.channels() + col + i];
      }
      y.data()[yAt + i] += sum;
    }
  }

  /** The type {@code convolutional-attention}; its settings are those of {@link Spec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "convolutional-attention";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new ConvolutionalAttention(Spec.read(settings, site.context()), site);
    }
  }
}
