package dev.apus.attention.softmax;

import dev.apus.attention.rope.Rope;
import dev.apus.attention.rope.RopeChoice;
import dev.apus.attention.softmax.KeySelection.Heads;
import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Traits;
import java.util.ArrayList;
import java.util.List;

/**
 * Multi-head latent attention: a token's keys and values of all heads are made of one short latent,
 * and that is what the cache holds.
 *
 * <pre>
 *   c = rms(W_c x)      r = rope(W_r x)                  one of each for all heads
 *   [n, t] = W_q x  or  W_q rms(W_d x)                   for each head
 *   oᵢ = Σⱼ softmaxⱼ(scale · (nᵢ·(W_k cⱼ) + rope(tᵢ)·rⱼ)) W_v cⱼ          y = W_o o
 * </pre>
 *
 * <p>Keys and values are never made: {@code n·(W_k c) = (W_kᵀ n)·c} and {@code Σ p W_v c = W_v Σ p
 * c}, so this is attention of all heads to one key {@code [r, c]} and one value {@code c} a token,
 * between two small matrices for each head. Prompts and single tokens are computed alike, and a
 * sequence may be cut into calls anywhere with the same bits.
 *
 * @see <a href="https://arxiv.org/abs/2405.04434">DeepSeek-V2</a>
 */
public final class LatentAttention implements SequenceMixer<KeyValueCache> {

  /**
   * The settings of a layer.
   *
   * @param queryLatent values that the queries are made of; 0 if they are made of the row itself
   * @param latent values that keys and values are made of
   * @param ownDim values of a key that each head has for itself
   * @param sharedDim values of a key that all heads share, and that turn where anything does
   * @param valueDim values of a head's value
   * @param scale factor on {@code q·k}
   * @param biased whether latents and shared keys have biases
   * @param norm of the latents
   * @param rope how queries and shared keys are turned, or null
   */
  record Spec(
      int heads,
      int queryLatent,
      int latent,
      int ownDim,
      int sharedDim,
      int valueDim,
      float scale,
      boolean biased,
      boolean outBiased,
      NormSpec norm,
      Rope.Spec rope) {

    static Spec read(Config c, int context) {
      int heads = c.positive("heads");
      int latent = c.positive("latent");
      int ownDim = c.positive("ownDim");
      int sharedDim = c.count("sharedDim", 0);
      int valueDim = c.positive("valueDim", ownDim);
      long widest = Math.max(Math.max(ownDim, latent) + (long) sharedDim, valueDim);
      if (heads * widest > Integer.MAX_VALUE) {
        throw c.error("heads=%d of %d values are more than 2^31 − 1 values a row", heads, widest);
      }
      if (latent * (double) heads * Math.max(ownDim, valueDim) > Integer.MAX_VALUE) {
        throw c.error(
            "heads=%d with latent=%d have matrices of more than 2^31 − 1 values", heads, latent);
      }
      if (sharedDim == 0 && c.has("rope")) {
        throw c.errorAt("rope", "rope turns what heads share of a key, and sharedDim=0");
      }
      return new Spec(
          heads,
          c.count("queryLatent", 0),
          latent,
          ownDim,
          sharedDim,
          valueDim,
          c.real("scale", (float) (1 / Math.sqrt(ownDim + sharedDim))),
          c.flag("biased", false),
          c.flag("outBiased", false),
          c.has("norm") ? NormSpec.read(c.section("norm")) : NormSpec.rms(1e-6),
          c.has("rope") ? Rope.Spec.read(c.section("rope"), sharedDim, context) : null);
    }

    int queryDim() {
      return ownDim + sharedDim;
    }

    /** Values of a key in the cache. */
    int keyDim() {
      return sharedDim + latent;
    }
  }

  private final Spec spec;
  private final CacheLayout layout;
  private final Projection queryLatents;
  private final Normalization queryNorm;
  private final Projection queries;
  private final Projection latents;
  private final Normalization latentNorm;
  private final Projection sharedKeys;
  private final Projection[] keys;
  private final Projection[] values;
  private final Projection output;
  private final AttentionTiles tiles;
  private final RopeChoice rope;

  private LatentAttention(Spec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    int heads = spec.heads();
    boolean direct = spec.queryLatent() == 0;
    this.spec = spec;
    var kernel = site.kernels().attention(site.cache());
    this.layout = new CacheLayout(kernel, 1, spec.keyDim(), spec.latent());
    this.queryLatents =
        direct ? null : weights.projection("q.latent", spec.queryLatent(), width, spec.biased());
    this.queryNorm =
        direct ? null : Normalization.of(spec.norm(), "q.norm", spec.queryLatent(), weights);
    this.queries =
        weights.projection("q", heads * spec.queryDim(), direct ? width : spec.queryLatent());
    this.latents = weights.projection("latent", spec.latent(), width, spec.biased());
    this.latentNorm = Normalization.of(spec.norm(), "latent.norm", spec.latent(), weights);
    this.sharedKeys =
        spec.sharedDim() == 0
            ? null
            : weights.projection("k.shared", spec.sharedDim(), width, spec.biased());
    this.keys = weights.projections("k", heads, spec.latent(), spec.ownDim());
    this.values = weights.projections("v", heads, spec.valueDim(), spec.latent());
    this.output = weights.projection("o", width, heads * spec.valueDim(), spec.outBiased());
    this.tiles =
        new AttentionTiles(
            kernel,
            new Traits(spec.keyDim(), spec.latent(), spec.scale(), 0),
            new Heads(1, heads),
            NearKeys.ALL,
            new Biases(null, null, 0));
    this.rope = RopeChoice.of(spec.rope(), site.context());
  }

  @Override
  public KeyValueCache newState(int limit) {
    return new KeyValueCache(layout, limit, rope.at(limit));
  }

  @Override
  public int variant(int limit) {
    return rope.variant(limit);
  }

  @Override
  public long bytesPerToken() {
    return layout.bytesPerToken(Reach.ALL);
  }

  @Override
  public void forward(Pass pass, Batch<KeyValueCache> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      int heads = spec.heads();
      Matrix own = frame.matrix(rows, queries.outputs());
      Matrix latent = frame.matrix(rows, spec.latent());
      Matrix q = frame.matrix(rows, heads * spec.keyDim());
      Matrix k = frame.matrix(rows, spec.keyDim());
      project(pass, frame, x, own, latent, k);
      latentNorm.rows(pass, latent, latent);
      pass.run(
          eachHead(
              keys,
              (head, key) ->
                  key.task(
                      pass,
                      own,
                      head * spec.queryDim(),
                      q,
                      head * spec.keyDim() + spec.sharedDim())));
      join(pass, own, latent, q, k);
      if (spec.rope() != null) {
        Rope.turn(pass, batch, KeyValueCache::rope, q, k, spec.keyDim());
      }
      for (Run<KeyValueCache> run : batch.runs()) {
        run.state().append(pass, k, latent, run.from(), run.length());
      }
      Matrix mixed = frame.matrix(rows, heads * spec.latent());
      tiles.attend(pass, batch, q, mixed);
      Matrix o = frame.matrix(rows, output.inputs());
      pass.run(
          eachHead(
              values,
              (head, value) ->
                  value.task(pass, mixed, head * spec.latent(), o, head * spec.valueDim())));
      output.apply(pass, o, y);
    }
  }

  /** Writes queries, latents without norm, and what heads share of the keys {@code k}. */
  private void project(Pass pass, Pass.Frame frame, Matrix x, Matrix own, Matrix latent, Matrix k) {
    List<Divisible> works = new ArrayList<>();
    works.add(latents.task(pass, x, latent));
    if (sharedKeys != null) {
      works.add(sharedKeys.task(pass, x, 0, k, 0));
    }
    Matrix reduced = queryLatents == null ? null : frame.matrix(x.rows(), spec.queryLatent());
    works.add(reduced == null ? queries.task(pass, x, own) : queryLatents.task(pass, x, reduced));
    pass.run(works.toArray(Divisible[]::new));
    if (reduced != null) {
      queryNorm.rows(pass, reduced, reduced);
      queries.apply(pass, reduced, own);
    }
  }

  private interface OfHead {
    Divisible task(int head, Projection projection);
  }

  private static Divisible[] eachHead(Projection[] projections, OfHead work) {
    Divisible[] works = new Divisible[projections.length];
    for (int head = 0; head < works.length; head++) {
      works[head] = work.task(head, projections[head]);
    }
    return works;
  }

  /** Copies what is shared beside what is not: parts of the queries, and the latent as a key. */
  private void join(Pass pass, Matrix own, Matrix latent, Matrix q, Matrix k) {
    int shared = spec.sharedDim();
    pass.eachRow(
        q.rows(),
        k.cols() + spec.heads() * shared,
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            for (int head = 0; head < spec.heads(); head++) {
              int at = own.at(row) + head * spec.queryDim() + spec.ownDim();
              System.arraycopy(own.data(), at, q.data(), q.at(row) + head * spec.keyDim(), shared);
            }
            System.arraycopy(
                latent.data(), latent.at(row), k.data(), k.at(row) + shared, spec.latent());
          }
        });
  }

  /** The type {@code latent-attention}; its settings are those of {@link Spec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "latent-attention";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new LatentAttention(Spec.read(settings, site.context()), site);
    }
  }
}
