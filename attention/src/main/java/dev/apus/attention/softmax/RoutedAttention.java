package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerType;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceMixer;
import dev.apus.core.model.Site;
import dev.apus.core.model.Visibility;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.attention.Attention;
import java.util.Set;

/**
 * Attention inside clusters of tokens. Each cluster has a centroid μ, and takes the {@code top}
 * tokens of a text whose queries point its way most. Keys are the queries with length 1, and a
 * token does not see itself unless it sees no other:
 *
 * <pre>
 *   members of c:  the top i by μ_c·qᵢ/|qᵢ|
 *   oᵢ = mean over the clusters c of i of  Σⱼ softmaxⱼ(qᵢ·kⱼ/√d) vⱼ      k = q/|q|, j in c
 * </pre>
 *
 * <p>A token of no cluster gets zeros. Of equal products, earlier tokens are taken.
 *
 * <p>What a sequence begins with is clustered as a whole. A token that comes after sees, in the
 * clusters that would have it among the tokens up to it, the others that they would have.
 *
 * @see <a href="https://arxiv.org/abs/2003.05997">Routing Transformer</a>
 */
public final class RoutedAttention implements SequenceMixer<NumberedCache> {

  /** Keeps the root of keys away from zero. */
  private static final double EPSILON = 1e-12;

  private final int heads;
  private final int headDim;
  private final int clusters;
  private final int top;
  private final CacheLayout layout;
  private final Projection queries;
  private final Projection values;
  private final Projection output;
  private final Normalization keyNorm;
  private final float[] centroids;
  private final OthersTiles tiles;

  private RoutedAttention(Config c, Site site) {
    this.heads = c.positive("heads");
    this.headDim = c.positive("headDim");
    this.clusters = c.positive("clusters");
    this.top = c.positive("top");
    if ((long) heads * Math.max(headDim, clusters) > Integer.MAX_VALUE) {
      throw c.error(
          "heads=%d of %d values and %d clusters are more than 2^31 − 1 a row",
          heads, headDim, clusters);
    }
    int cols = heads * headDim;
    Attention kernel = site.steadyAttention("attention among clusters");
    this.layout = new CacheLayout(kernel, heads, headDim, headDim);
    this.queries = site.weights().projection("q", cols, site.inputs());
    this.values = site.weights().projection("v", cols, site.inputs());
    this.output = site.weights().projection("o", site.outputs(), cols);
    this.centroids =
        site.weights().table("centroids", heads * clusters, headDim, new Typical(0, 1));
    NormSpec norm = NormSpec.rms(EPSILON).unweighted();
    this.keyNorm = Normalization.of(norm, "k.norm", headDim, site.weights());
    // Keys of length √d.
    this.tiles = new OthersTiles(kernel, 1, headDim, 1.0 / headDim);
  }

  @Override
  public NumberedCache newState(int limit) {
    return NumberedCache.of(layout, heads * clusters, limit);
  }

  @Override
  public Set<Visibility> visibilities() {
    return Set.of(Visibility.CAUSAL, Visibility.BIDIRECTIONAL);
  }

  @Override
  public long bytesPerToken() {
    return layout.bytesPerToken() + (long) heads * clusters * Float.BYTES;
  }

  @Override
  public int grain() {
    return WHOLE;
  }

  @Override
  public boolean endsShow() {
    return true;
  }

  @Override
  public void forward(Pass pass, Batch<NumberedCache> batch, Matrix x, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      Matrix q = frame.matrix(x.rows(), heads * headDim);
      Matrix k = frame.matrix(x.rows(), heads * headDim);
      Matrix v = frame.matrix(x.rows(), heads * headDim);
      Matrix o = frame.matrix(x.rows(), heads * headDim);
      pass.run(queries.task(pass, x, q), values.task(pass, x, v));
      keyNorm.groups(pass, q, k, heads, headDim, 0);
      for (Run<NumberedCache> run : batch.runs()) {
        NumberedCache.requireWhole(run, "routing-attention");
        run.state().tokens().append(products(pass, k, run));
        run.state().cache().append(pass, k, v, run.from(), run.length());
        long visited = 0;
        for (int head = 0; head < heads; head++) {
          if (run.position() == 0) {
            visited += attend(pass, run, head, 0, run.length(), q, o);
          }
          for (int i = 0; run.position() > 0 && i < run.length(); i++) {
            visited += attend(pass, run, head, i, i + 1, q, o);
          }
        }
        NumberedCache.count(run, heads, visited);
      }
      output.apply(pass, o, y);
    }
  }

  /** The bits of the products of keys with all centroids, a row for each token. */
  private int[] products(Pass pass, Matrix k, Run<NumberedCache> run) {
    int each = heads * clusters;
    int[] bits = new int[Math.multiplyExact(run.length(), each)];
    pass.eachRow(
        run.length(),
        each * headDim,
        (from, to, worker) -> {
          for (int i = from * each; i < to * each; i++) {
            int head = i % each / clusters;
            int at = k.at(run.from() + i / each) + head * headDim;
            int centroid = i % each * headDim;
            float product =
                pass.kernels().activations().dot(k.data(), at, centroids, centroid, headDim);
            bits[i] = Float.floatToIntBits(product);
          }
        });
    return bits;
  }

  /**
   * Writes one head of some rows of a run, which see clusters of the tokens up to the last of them.
   *
   * @param first of the rows
   * @param end after the last of them
   * @return how many keys they visit
   */
  private long attend(
      Pass pass, Run<NumberedCache> run, int head, int first, int end, Matrix q, Matrix o) {
    int tokens = run.position() + end;
    int[][] members = members(pass, run.state().tokens(), head, tokens);
    boolean causal = run.visibility() == Visibility.CAUSAL;
    var clustered = ClusteredRows.of(members, run.position() + first, tokens, causal);
    try (Pass.Frame frame = pass.frame();
        KeyValueCache cache = tiles.cache(1, Math.max(1, clustered.slots()))) {
      Matrix keys = frame.matrix(clustered.slots(), headDim);
      Matrix values = frame.matrix(clustered.slots(), headDim);
      Matrix asking = frame.matrix(clustered.rows().size(), headDim);
      Matrix own = frame.matrix(clustered.rows().size(), headDim);
      Matrix answers = frame.matrix(clustered.rows().size(), headDim);
      clustered.gather(pass, run.state().cache(), head, keys, values);
      cache.append(pass, keys, values, 0, clustered.slots());
      int shift = run.from() - run.position();
      clustered.collect(q, shift, head * headDim, asking);
      clustered.collectOwn(values, own);
      long visited = tiles.attend(pass, cache, clustered.rows(), 0, asking, own, answers);
      clustered.average(answers, run.from() + first, end - first, head * headDim, o);
      return visited;
    }
  }

  /** The tokens of each cluster among the first ones of a text, in their order. */
  private int[][] members(Pass pass, TokenNumbers tokens, int head, int count) {
    int[][] members = new int[clusters][];
    pass.eachRow(
        clusters,
        4 * count,
        (from, to, worker) -> {
          float[] products = pass.scratch(worker, count);
          for (int cluster = from; cluster < to; cluster++) {
            for (int token = 0; token < count; token++) {
              products[token] = tokens.real(token, head * clusters + cluster);
            }
            members[cluster] = TopSlots.of(products, 0, count, top);
          }
        });
    return members;
  }

  /**
   * The type {@code routing-attention}: {@code heads}, {@code headDim}, {@code clusters}, {@code
   * top}.
   */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "routing-attention";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new RoutedAttention(settings, site);
    }
  }
}
