package dev.apus.attention.softmax;

import dev.apus.attention.rope.Rope;
import dev.apus.attention.rope.RopeChoice;
import dev.apus.attention.softmax.KeySelection.Heads;
import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.attention.CacheFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

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
 * <p>A token may have several latents, each for a group of heads (grouped latent attention, GLA),
 * and what is made of a latent may be the latent itself: {@code W_v} is left out, and {@code W_k}
 * takes its first values (grouped tied attention, GTA).
 *
 * <p>With an {@link Indexer}, of this layer or of an earlier one, a token attends to the tokens
 * that are chosen for it. A token that sees no more than are chosen attends to all, with the same
 * bits as without an index.
 *
 * @see <a href="https://arxiv.org/abs/2405.04434">DeepSeek-V2</a>
 * @see <a href="https://arxiv.org/abs/2505.21487">Grouped tied and grouped latent attention</a>
 */
public final class LatentAttention implements SequenceMixer<KeyValueCache> {

  private final LatentSpec spec;
  private final Attention kernel;

  /** The layer that chooses which tokens are attended to; null for all. */
  private final LatentAttention chooser;

  private final Indexer indexer;
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
  private final KeySelection selection;
  private final Traits traits;
  private final AttentionTiles tiles;
  private final RopeChoice rope;

  private LatentAttention(LatentSpec spec, LatentAttention chooser, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    int heads = spec.heads();
    boolean direct = spec.queryLatent() == 0;
    this.spec = spec;
    this.chooser = spec.index() == null ? chooser : this;
    this.kernel =
        this.chooser == null
            ? site.kernels().attention(site.cache())
            : site.steadyAttention("latent attention that chooses tokens");
    this.indexer =
        spec.index() == null
            ? null
            : new Indexer(spec.index(), kernel, spec.queryLatent(), spec.rope() != null, site);
    this.queryLatents =
        direct ? null : weights.projection("q.latent", spec.queryLatent(), width, spec.biased());
    this.queryNorm =
        direct || spec.norm() == null
            ? null
            : Normalization.of(spec.norm(), "q.norm", spec.queryLatent(), weights);
    this.queries =
        weights.projection("q", heads * spec.queryDim(), direct ? width : spec.queryLatent());
    this.latents =
        weights.projection("latent", spec.groups() * spec.latent(), width, spec.biased());
    this.latentNorm =
        spec.norm() == null
            ? null
            : Normalization.of(spec.norm(), "latent.norm", spec.latent(), weights);
    this.sharedKeys =
        spec.sharedDim() == 0
            ? null
            : weights.projection("k.shared", spec.sharedDim(), width, spec.biased());
    boolean tied = spec.tied();
    this.keys = tied ? null : weights.projections("k", heads, spec.latent(), spec.ownDim());
    this.values = tied ? null : weights.projections("v", heads, spec.valueDim(), spec.latent());
    this.output = weights.projection("o", width, heads * spec.valueDim(), spec.outBiased());
    this.traits = new Traits(spec.keyDim(), spec.latent(), spec.scale(), 0);
    var shared = new Heads(spec.groups(), heads / spec.groups());
    var biases = new Biases(null, null, 0);
    var layer =
        new Selections.Layer(
            site.layer(), site.layers(), shared, kernel, traits, biases, false, false);
    this.selection = spec.select().make(layer);
    this.layout = layout(site.kernels().attention(CacheFormat.F32));
    this.tiles = new AttentionTiles(kernel, traits, shared, selection, biases);
    this.rope = RopeChoice.of(spec.rope(), site.context());
  }

  /** A latent with what is shared is a key and a value, or a row that both are made of. */
  private CacheLayout layout(Attention exact) {
    if (chooser == null) {
      return new CacheLayout(
          kernel, spec.groups(), spec.keyDim(), spec.latent(), 0, selection.summary(exact));
    }
    return new CacheLayout(kernel, 1, indexer == null ? 0 : spec.index().headDim(), spec.keyDim());
  }

  @Override
  public KeyValueCache newState(int limit) {
    int capacity = selection.capacity(limit);
    PolicyMemory memory = selection.newMemory(limit);
    return new KeyValueCache(layout, selection.reach(), capacity, rope.at(limit), memory);
  }

  @Override
  public int variant(int limit) {
    return rope.variant(limit);
  }

  @Override
  public int grain() {
    return selection.grain();
  }

  @Override
  public boolean endsShow() {
    return selection.endsShow();
  }

  @Override
  public void rest(Pass pass, KeyValueCache state) {
    selection.rest(pass, state);
  }

  @Override
  public long bytesPerToken() {
    return selection.isBounded() ? 0 : layout.bytesPerToken(selection.reach());
  }

  @Override
  public long windowBytes() {
    return selection.isBounded()
        ? layout.bytes(layout.blocks(selection.capacity(Integer.MAX_VALUE)))
        : layout.windowBytes(selection.reach());
  }

  @Override
  public void forward(Pass pass, Batch<KeyValueCache> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      int heads = spec.heads();
      Matrix own = frame.matrix(rows, queries.outputs());
      Matrix latent = frame.matrix(rows, spec.groups() * spec.latent());
      Matrix q = frame.matrix(rows, heads * spec.keyDim());
      Matrix k = frame.matrix(rows, spec.groups() * spec.keyDim());
      Indexer.Rows asked = indexer == null ? null : indexer.rows(frame, rows);
      project(pass, frame, x, own, latent, k, asked);
      if (latentNorm != null) {
        Matrix each = new Matrix(latent.data(), rows * spec.groups(), spec.latent());
        latentNorm.rows(pass, each, each);
      }
      if (keys != null) {
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
      }
      join(pass, own, latent, q, k);
      boolean turnsFar = spec.rope() != null && selection.farPosition() >= 0;
      Matrix far = turnsFar ? frame.matrix(rows, q.cols()) : q;
      if (turnsFar) {
        System.arraycopy(q.data(), 0, far.data(), 0, rows * q.cols());
        int most = selection.farPosition();
        Rope.turnAtMost(pass, batch, KeyValueCache::rope, far, spec.keyDim(), most);
      }
      if (spec.rope() != null) {
        Rope.turn(pass, batch, KeyValueCache::rope, q, k, spec.keyDim());
      }
      Matrix mixed = frame.matrix(rows, heads * spec.latent());
      if (chooser == null) {
        tiles.append(pass, batch, q, far, k, latent, null, mixed);
        batch.runs().forEach(run -> run.state().forget(run));
      } else {
        attendChosen(pass, frame, batch, q, k, latent, asked, mixed);
      }
      if (values == null) {
        output.apply(pass, mixed, y);
        return;
      }
      Matrix o = frame.matrix(rows, output.inputs());
      pass.run(
          eachHead(
              values,
              (head, value) ->
                  value.task(pass, mixed, head * spec.latent(), o, head * spec.valueDim())));
      output.apply(pass, o, y);
    }
  }

  private static void append(Pass pass, Batch<KeyValueCache> batch, Matrix k, Matrix v) {
    for (Run<KeyValueCache> run : batch.runs()) {
      run.state().append(pass, k, v, run.from(), run.length());
    }
  }

  /** What one layer of a pass has chosen for itself and those that follow it. */
  private static final class Choice {
    private ChosenSlots slots;
  }

  /** Attends to some tokens, whose rows are gathered: what a cache has as keys is the index's. */
  private void attendChosen(
      Pass pass,
      Pass.Frame frame,
      Batch<KeyValueCache> batch,
      Matrix q,
      Matrix k,
      Matrix latent,
      Indexer.Rows asked,
      Matrix mixed) {
    Matrix kept = frame.matrix(k.rows(), spec.keyDim());
    pass.eachRow(
        k.rows(),
        spec.keyDim(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            int at = kept.at(row);
            System.arraycopy(latent.data(), latent.at(row), kept.data(), at, spec.latent());
            at += spec.latent();
            System.arraycopy(k.data(), k.at(row), kept.data(), at, spec.sharedDim());
          }
        });
    Choice choice = pass.once(chooser, Choice::new);
    if (indexer == null) {
      append(pass, batch, frame.matrix(k.rows(), 0), kept);
    } else {
      indexer.turn(pass, batch, asked);
      append(pass, batch, asked.k(), kept);
      choice.slots = indexer.choose(pass, batch, asked);
    }
    List<Tile> chosen = choice.slots.tiles(kernel, traits, batch.runs(), spec.heads());
    tiles.attendTiles(pass, batch.runs(), chosen, q, mixed);
  }

  /** Writes queries, latents without norm, and what heads share of the keys {@code k}. */
  private void project(
      Pass pass,
      Pass.Frame frame,
      Matrix x,
      Matrix own,
      Matrix latent,
      Matrix k,
      Indexer.Rows asked) {
    List<Divisible> works = new ArrayList<>();
    works.add(latents.task(pass, x, latent));
    if (sharedKeys != null) {
      works.add(sharedKeys.task(pass, x, 0, k, 0));
    }
    if (indexer != null) {
      works.addAll(indexer.ofInputs(pass, x, asked));
    }
    Matrix reduced = queryLatents == null ? null : frame.matrix(x.rows(), spec.queryLatent());
    works.add(reduced == null ? queries.task(pass, x, own) : queryLatents.task(pass, x, reduced));
    pass.run(works.toArray(Divisible[]::new));
    if (reduced != null) {
      if (queryNorm != null) {
        queryNorm.rows(pass, reduced, reduced);
      }
      Divisible asking = queries.task(pass, reduced, own);
      if (indexer == null) {
        pass.run(asking);
      } else {
        pass.run(asking, indexer.ofLatents(pass, reduced, asked));
      }
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

  /** Copies what is shared beside what is not: parts of the queries, and latents as keys. */
  private void join(Pass pass, Matrix own, Matrix latent, Matrix q, Matrix k) {
    int shared = spec.sharedDim();
    int ofLatent = spec.keyDim() - shared;
    pass.eachRow(
        q.rows(),
        k.cols() + spec.heads() * (spec.tied() ? spec.keyDim() : shared),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            for (int head = 0; head < spec.heads(); head++) {
              int at = own.at(row) + head * spec.queryDim();
              int asked = q.at(row) + head * spec.keyDim();
              System.arraycopy(own.data(), at + spec.ownDim(), q.data(), asked, shared);
              if (spec.tied()) {
                System.arraycopy(own.data(), at, q.data(), asked + shared, ofLatent);
              }
            }
            for (int group = 0; group < spec.groups(); group++) {
              int at = latent.at(row) + group * spec.latent();
              int key = k.at(row) + group * spec.keyDim();
              System.arraycopy(k.data(), k.at(row), k.data(), key, shared);
              System.arraycopy(latent.data(), at, k.data(), key + shared, ofLatent);
            }
          }
        });
  }

  /** The type {@code latent-attention}; its settings are those of {@link LatentSpec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "latent-attention";
    }

    @Override
    public boolean takesSelection(Map<String, Object> settings) {
      return !settings.containsKey("select") && !settings.containsKey("index");
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new LatentAttention(LatentSpec.read(settings, site.context()), null, site);
    }

    @Override
    public SequenceMixer<?> buildFollowing(Config settings, Site site, SequenceMixer<?> chooser) {
      LatentSpec spec = LatentSpec.read(settings, site.context());
      LatentAttention other = (LatentAttention) chooser;
      if (settings.has("select")) {
        throw settings.errorAt("select", "choiceOf names who chooses, and select does it again");
      }
      if (spec.index() != null || other.indexer == null) {
        throw settings.error(
            "choiceOf must name a layer with an index, for one without; this one has %s, that one"
                + " %s",
            spec.index() == null ? "none" : "an index", other.indexer == null ? "none" : "one");
      }
      return new LatentAttention(spec, other, site);
    }
  }
}
