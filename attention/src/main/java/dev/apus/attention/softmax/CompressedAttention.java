package dev.apus.attention.softmax;

import dev.apus.attention.rope.Rope;
import dev.apus.attention.rope.RopeChoice;
import dev.apus.attention.softmax.CompressedSpec.Entries;
import dev.apus.attention.softmax.KeySelection.Heads;
import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Traits;
import java.util.ArrayList;
import java.util.List;

/**
 * Attention of all heads to one key a token, which is its value, too: to the tokens of a window,
 * and to entries that each stand for a block of the tokens before.
 *
 * <pre>
 *   l = rms(W_l x)      q_h = rope(rms(W_q l))      k = rope(rms(W_k x))
 *   o_h = Σ softmax(scale · q_h·k_s, sink_h) k_s               s: tokens of the window, entries
 *   y = W_o [W_g rope⁻¹(o of the heads of group g), …]
 * </pre>
 *
 * <p>A value has turned with its key; turning the output back at the query's position leaves what
 * depends on their distance. The last values of a head turn. Entries are made by a {@link
 * Compressor} when the last token of their block is there, and seen from that token on; an {@link
 * EntryIndex} chooses among them where there is one (CSA), otherwise all are visited (HCA).
 *
 * <p>A sequence may be cut into calls anywhere with the same bits.
 *
 * @see <a href="https://huggingface.co/deepseek-ai/DeepSeek-V4-Flash">DeepSeek-V4</a>
 */
public final class CompressedAttention implements SequenceMixer<CompressedCache> {

  /** The regions of what is pending. */
  private static final int ENTRY = 0;

  private static final int INDEX = 1;

  private final CompressedSpec spec;
  private final CacheLayout layout;
  private final Reach reach;
  private final Projection latents;
  private final Normalization latentNorm;
  private final Projection queries;
  private final Normalization queryNorm;
  private final Projection keys;
  private final Normalization keyNorm;
  private final Compressor compressor;
  private final EntryIndex index;
  private final CompressedTiles tiles;
  private final AttentionTiles attention;
  private final Projection[] groups;
  private final Projection output;
  private final RopeChoice rope;

  private CompressedAttention(CompressedSpec spec, Site site) {
    WeightScope weights = site.weights();
    int width = site.width();
    int dim = spec.headDim();
    this.spec = spec;
    var kernel = site.steadyAttention("compressed attention");
    this.layout = new CacheLayout(kernel, 1, 0, dim);
    this.reach = new Reach(spec.window(), 0);
    this.latents = weights.projection("latent", spec.queryLatent(), width);
    this.latentNorm = Normalization.of(spec.norm(), "latent.norm", spec.queryLatent(), weights);
    this.queries = weights.projection("q", spec.cols(), spec.queryLatent());
    this.queryNorm = Normalization.of(spec.norm().unweighted(), "q.norm", dim, weights);
    this.keys = weights.projection("kv", dim, width);
    this.keyNorm = Normalization.of(spec.norm(), "kv.norm", dim, weights);
    Entries entries = spec.entries();
    this.compressor =
        entries == null
            ? null
            : new Compressor(entries, dim, width, spec.norm(), weights.scope("entry"));
    this.index =
        entries == null || entries.index() == null
            ? null
            : new EntryIndex(
                entries, spec.queryLatent(), width, spec.norm(), kernel, weights.scope("index"));
    var traits = new Traits(dim, dim, spec.scale(), 0);
    int rate = entries == null ? 0 : entries.rate();
    this.tiles = new CompressedTiles(kernel, traits, spec.heads(), spec.window(), rate);
    float[] sinks = spec.sinks() ? weights.vector("sinks", spec.heads(), Typical.BIAS) : null;
    this.attention =
        new AttentionTiles(
            kernel, traits, new Heads(1, spec.heads()), NearKeys.ALL, new Biases(null, sinks, 0));
    int grouped = spec.cols() / spec.outGroups();
    this.groups = weights.projections("o.group", spec.outGroups(), spec.outLatent(), grouped);
    this.output = weights.projection("o", width, spec.outGroups() * spec.outLatent());
    this.rope = RopeChoice.of(spec.rope(), site.context());
  }

  @Override
  public CompressedCache newState(int limit) {
    List<Region> regions = new ArrayList<>();
    if (compressor != null) {
      regions.add(compressor.region());
    }
    if (index != null) {
      regions.add(index.keys().region());
    }
    int entries = compressor == null ? 0 : limit / spec.entries().rate();
    CacheLayout keyLayout = index == null ? layout : index.layout();
    return new CompressedCache(
        new KeyValueCache(layout, reach, limit, rope.at(limit)),
        new KeyValueCache(layout, entries, null),
        new KeyValueCache(keyLayout, index == null ? 0 : entries, null),
        RecurrentState.of(regions.toArray(Region[]::new)));
  }

  @Override
  public int variant(int limit) {
    return rope.variant(limit);
  }

  @Override
  public long bytesPerToken() {
    long entry = layout.bytesPerToken() + (index == null ? 0 : index.layout().bytesPerToken());
    return compressor == null ? 0 : entry / spec.entries().rate();
  }

  @Override
  public long windowBytes() {
    return layout.windowBytes(reach);
  }

  @Override
  public void forward(Pass pass, Batch<CompressedCache> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int rows = x.rows();
      Matrix latent = frame.matrix(rows, spec.queryLatent());
      Matrix k = frame.matrix(rows, spec.headDim());
      Work work = compressor == null ? null : new Work(frame, rows);
      List<Divisible> tasks = new ArrayList<>();
      tasks.add(latents.task(pass, x, latent));
      tasks.add(keys.task(pass, x, k));
      if (work != null) {
        work.addTasks(pass, x, tasks);
      }
      pass.run(tasks.toArray(Divisible[]::new));
      latentNorm.rows(pass, latent, latent);
      keyNorm.rows(pass, k, k);
      Matrix q = frame.matrix(rows, spec.cols());
      if (index == null) {
        queries.apply(pass, latent, q);
      } else {
        pass.run(queries.task(pass, latent, q), index.queriesTask(pass, latent, work.indexQueries));
      }
      queryNorm.groups(pass, q, q, spec.heads(), spec.headDim(), 0);
      turn(pass, batch, q, spec.headDim(), false);
      turn(pass, batch, k, spec.headDim(), false);
      Matrix none = frame.matrix(rows, 0);
      for (Run<CompressedCache> run : batch.runs()) {
        run.state().tokens().append(pass, none, k, run.from(), run.length());
      }
      ChosenSlots chosen = work == null ? null : work.compress(pass, frame, batch);
      Matrix o = frame.matrix(rows, spec.cols());
      Batch<KeyValueCache> tokens = batch.map(CompressedCache::tokens);
      attention.attendTiles(pass, tokens.runs(), tiles.tiles(batch, chosen), q, o);
      tokens.runs().forEach(run -> run.state().forget(run));
      turn(pass, batch, o, spec.headDim(), true);
      project(pass, frame, o, y);
    }
  }

  private static void turn(
      Pass pass, Batch<CompressedCache> batch, Matrix x, int headDim, boolean back) {
    for (Run<CompressedCache> run : batch.runs()) {
      Rope rope = run.state().tokens().rope();
      if (back) {
        rope.turnLastBack(pass, x, run.from(), run.length(), headDim, run.position());
      } else {
        rope.turnLast(pass, x, run.from(), run.length(), headDim, run.position(), 1);
      }
    }
  }

  private void project(Pass pass, Pass.Frame frame, Matrix o, Matrix y) {
    Matrix grouped = frame.matrix(o.rows(), output.inputs());
    Divisible[] works = new Divisible[groups.length];
    for (int g = 0; g < works.length; g++) {
      int inputs = groups[g].inputs();
      works[g] = groups[g].task(pass, o, g * inputs, grouped, g * spec.outLatent());
    }
    pass.run(works);
    output.apply(pass, grouped, y);
  }

  /** What the rows of a pass add to entries, and ask of them. */
  private final class Work {

    private final Matrix values;
    private final Matrix weights;
    private final Matrix indexValues;
    private final Matrix indexWeights;
    private final Matrix indexQueries;
    private final Matrix headWeights;

    Work(Pass.Frame frame, int rows) {
      boolean indexed = index != null;
      values = frame.matrix(rows, compressor.cols());
      weights = frame.matrix(rows, compressor.cols());
      indexValues = indexed ? frame.matrix(rows, index.keys().cols()) : null;
      indexWeights = indexed ? frame.matrix(rows, index.keys().cols()) : null;
      indexQueries = indexed ? index.queries(frame, rows) : null;
      headWeights = indexed ? index.weights(frame, rows) : null;
    }

    void addTasks(Pass pass, Matrix x, List<Divisible> tasks) {
      tasks.add(compressor.valuesTask(pass, x, values));
      tasks.add(compressor.weightsTask(pass, x, weights));
      if (index != null) {
        tasks.add(index.keys().valuesTask(pass, x, indexValues));
        tasks.add(index.keys().weightsTask(pass, x, indexWeights));
        tasks.add(index.weightsTask(pass, x, headWeights));
      }
    }

    /** Appends the entries that are complete now, and chooses among all. */
    ChosenSlots compress(Pass pass, Pass.Frame frame, Batch<CompressedCache> batch) {
      Batch<RecurrentState> pending = batch.map(CompressedCache::pending);
      Matrix entries = compress(pass, frame, batch, compressor, ENTRY, values, weights);
      ChosenSlots chosen = null;
      if (index == null) {
        append(pass, frame, batch, entries, null);
      } else {
        Compressor keys = index.keys();
        Matrix made = compress(pass, frame, batch, keys, INDEX, indexValues, indexWeights);
        append(pass, frame, batch, entries, made);
        turn(pass, batch, indexQueries, index.headDim(), false);
        chosen = index.choose(pass, batch, indexQueries, headWeights);
      }
      pending.runs().forEach(run -> run.state().changed());
      return chosen;
    }

    private Matrix compress(
        Pass pass,
        Pass.Frame frame,
        Batch<CompressedCache> batch,
        Compressor from,
        int region,
        Matrix c,
        Matrix z) {
      return from.compress(
          pass,
          frame,
          batch,
          CompressedCache::pending,
          region,
          c,
          z,
          state -> state.tokens().rope());
    }

    /**
     * @param keys of the entries, or null if nobody chooses among them
     */
    private void append(
        Pass pass, Pass.Frame frame, Batch<CompressedCache> batch, Matrix entries, Matrix keys) {
      Matrix none = frame.matrix(entries.rows(), 0);
      int row = 0;
      for (Run<CompressedCache> run : batch.runs()) {
        int count = compressor.completed(run);
        if (count > 0) {
          run.state().entries().append(pass, none, entries, row, count);
          if (keys != null) {
            run.state().index().append(pass, keys, none, row, count);
          }
        }
        row += count;
      }
    }
  }

  /** The type {@code compressed-attention}; its settings are those of {@link CompressedSpec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "compressed-attention";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new CompressedAttention(CompressedSpec.read(settings, site.context()), site);
    }
  }
}
