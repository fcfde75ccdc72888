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
import dev.apus.kernels.attention.Attention;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Attention to tokens of near hashes. Keys are the queries, normalised, and a token does not see
 * itself unless it sees no other:
 *
 * <pre>
 *   oᵢ = Σⱼ softmaxⱼ(qᵢ·kⱼ/√d) vⱼ       k = q/rms(q), over j in the chunks that i sees
 * </pre>
 *
 * <p>In each round, a text is sorted by the {@link Hashes} of its tokens and cut into chunks; the
 * sorted texts of all rounds stand in a ring. A token sees its chunk in each of them and some on
 * either side, and what it sees several times counts as often. A text of one chunk is seen as a
 * whole.
 *
 * <p>What a sequence begins with is sorted as a whole: which tokens see each other depends on all
 * of them. A token that comes after is sorted in among those before it, which stay as they are, so
 * that from there on a sequence may be cut anywhere.
 *
 * @see <a href="https://arxiv.org/abs/2001.04451">Reformer</a>
 */
public final class HashedAttention implements SequenceMixer<NumberedCache> {

  /** Keeps the root of keys away from zero. */
  private static final double EPSILON = 1e-6;

  private final HashSpec spec;
  private final CacheLayout layout;
  private final Projection queries;
  private final Projection values;
  private final Projection output;
  private final Normalization keyNorm;
  private final Hashes hashes;
  private final OthersTiles tiles;

  private HashedAttention(HashSpec spec, Site site) {
    this.spec = spec;
    Attention kernel = site.steadyAttention("attention among hashed tokens");
    this.layout = new CacheLayout(kernel, spec.heads(), spec.headDim(), spec.headDim());
    this.queries = site.weights().projection("q", spec.cols(), site.inputs());
    this.values = site.weights().projection("v", spec.cols(), site.inputs());
    this.output = site.weights().projection("o", site.outputs(), spec.cols());
    NormSpec norm = NormSpec.rms(EPSILON).unweighted();
    this.keyNorm = Normalization.of(norm, "k.norm", spec.headDim(), site.weights());
    this.hashes = new Hashes(spec);
    this.tiles =
        new OthersTiles(kernel, spec.heads(), spec.headDim(), 1 / Math.sqrt(spec.headDim()));
  }

  @Override
  public NumberedCache newState(int limit) {
    return NumberedCache.of(layout, spec.hashes(), limit);
  }

  @Override
  public Set<Visibility> visibilities() {
    return spec.after() > 0
        ? Set.of(Visibility.BIDIRECTIONAL)
        : Set.of(Visibility.CAUSAL, Visibility.BIDIRECTIONAL);
  }

  @Override
  public long bytesPerToken() {
    return layout.bytesPerToken() + (long) spec.hashes() * Integer.BYTES;
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
      Matrix q = frame.matrix(x.rows(), spec.cols());
      Matrix k = frame.matrix(x.rows(), spec.cols());
      Matrix v = frame.matrix(x.rows(), spec.cols());
      Matrix o = frame.matrix(x.rows(), spec.cols());
      pass.run(queries.task(pass, x, q), values.task(pass, x, v));
      keyNorm.groups(pass, q, k, spec.heads(), spec.headDim(), 0);
      for (Run<NumberedCache> run : batch.runs()) {
        NumberedCache.requireWhole(run, "lsh-attention");
        TokenNumbers tokens = run.state().tokens();
        int first = run.position() == 0 ? run.length() : tokens.first();
        tokens.append(hashes.of(pass, q, run.from(), run.length(), spec.factors(first)));
        run.state().cache().append(pass, k, v, run.from(), run.length());
        boolean sorts = run.position() == 0 && !spec.isShort(first);
        long visited =
            sorts ? attendSorted(pass, run, q, k, v, o) : attendInOrder(pass, run, q, v, o);
        NumberedCache.count(run, spec.heads(), visited);
      }
      output.apply(pass, o, y);
    }
  }

  /** A first run that is sorted, head after head; returns how many keys are visited. */
  private long attendSorted(
      Pass pass, Run<NumberedCache> run, Matrix q, Matrix k, Matrix v, Matrix o) {
    var sorted = new SortedText(spec, run.length(), run.visibility() == Visibility.CAUSAL);
    long visited = 0;
    for (int head = 0; head < spec.heads(); head++) {
      sorted.sort(run.state().tokens(), head);
      try (Pass.Frame frame = pass.frame();
          KeyValueCache cache = tiles.cache(1, sorted.slots())) {
        Matrix keys = frame.matrix(sorted.slots(), spec.headDim());
        Matrix rest = frame.matrix(sorted.slots(), spec.headDim());
        int column = head * spec.headDim();
        sorted.gather(pass, k, run.from(), column, keys);
        sorted.gather(pass, v, run.from(), column, rest);
        cache.append(pass, keys, rest, 0, sorted.slots());
        OthersTiles.Row[] rows = new OthersTiles.Row[run.length()];
        int which = head;
        pass.eachRow(
            rows.length,
            spec.rounds() * spec.view(),
            (from, to, worker) -> {
              for (int i = from; i < to; i++) {
                rows[i] = sorted.row(i, run.from() + i, which);
              }
            });
        visited += tiles.attend(pass, cache, List.of(rows), 0, q, v, o);
      }
    }
    return visited;
  }

  /** Rows that see all before them, or what a sorted text has for them. */
  private long attendInOrder(Pass pass, Run<NumberedCache> run, Matrix q, Matrix v, Matrix o) {
    List<OthersTiles.Row> whole = new ArrayList<>();
    long visited = 0;
    boolean causal = run.visibility() == Visibility.CAUSAL;
    for (int i = 0; i < run.length(); i++) {
      int position = run.position() + i;
      boolean later = run.position() > 0;
      if (later && spec.isHashed(position, run.state().tokens().first())) {
        visited += attendAmongHashed(pass, run.state(), position, run.from() + i, q, v, o);
        continue;
      }
      int end = causal ? position + 1 : run.length();
      var ranges = new SlotRanges().add(0, position).add(position + 1, end);
      var others = ranges.visited(end, false, 0);
      for (int head = 0; head < spec.heads(); head++) {
        whole.add(
            others == null
                ? OthersTiles.Row.alone(run.from() + i, head, 1)
                : OthersTiles.Row.of(run.from() + i, head, List.of(others)));
      }
    }
    return visited + tiles.attend(pass, run.state().cache(), whole, -1, q, v, o);
  }

  /** A token that is sorted in among those before it. */
  private long attendAmongHashed(
      Pass pass, NumberedCache state, int position, int row, Matrix q, Matrix v, Matrix o) {
    int slots = spec.rounds() * spec.view();
    try (Pass.Frame frame = pass.frame();
        KeyValueCache cache = tiles.cache(spec.heads(), slots)) {
      Matrix keys = frame.matrix(slots, spec.cols());
      Matrix rest = frame.matrix(slots, spec.cols());
      OthersTiles.Row[] rows = new OthersTiles.Row[spec.heads()];
      pass.eachRow(
          spec.heads(),
          spec.rounds() * position + slots * spec.headDim(),
          (from, to, worker) -> {
            for (int head = from; head < to; head++) {
              var near = NearHashes.of(spec, state.tokens(), head, position);
              near.gather(state.cache(), head, keys, rest);
              rows[head] = near.row(row, head);
            }
          });
      cache.append(pass, keys, rest, 0, slots);
      return tiles.attend(pass, cache, List.of(rows), -1, q, v, o);
    }
  }

  /** The type {@code lsh-attention}; its settings are those of {@link HashSpec}. */
  public static final class Type implements MixerType {

    @Override
    public String name() {
      return "lsh-attention";
    }

    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      return new HashedAttention(HashSpec.read(settings, site.context()), site);
    }
  }
}
