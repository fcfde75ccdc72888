package dev.apus.core.weight;

import dev.apus.core.compute.EasedKernels;
import dev.apus.core.compute.Workers;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.matmul.Matmul;
import dev.apus.kernels.matmul.Matmuls;
import java.lang.foreign.Arena;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * All weights of one model: reads them from a source, packs matrices for the kernels, and owns the
 * memory they lie in.
 */
public final class Weights implements AutoCloseable {

  /** Models so small that compiling kernels takes longer than their first tokens. */
  private static final long EASED_BYTES = 64 << 20;

  /**
   * How long scalar matmuls compute alone, in nanoseconds of all threads together: about what a
   * short prompt takes them. Whoever waits for the first word need not wait for the compiler too,
   * which takes a processor for as long again.
   */
  private static final long PATIENCE = 200_000_000;

  private final WeightSource source;
  private final Kernels kernels;
  private final Workers workers;
  private final Arena arena;
  private final Placement placement;
  private final boolean eased;
  private final ExpertStore store;
  private final ExpertMemory experts;
  private final boolean estimates;
  private final Set<WeightSource.Key> counted = new HashSet<>();
  private final Map<String, Ease> eases = new HashMap<>();
  private final Map<Built, Projection[]> built = new HashMap<>();
  private final Map<WeightSource.Key, Experts> layers = new HashMap<>();
  private long bytes;
  private long boundedBytes;
  private long parameters;

  /** Projections as they were asked for: whoever asks for the same again gets the same. */
  private record Built(WeightSource.Key key, int count, int outputs, int inputs, boolean biased) {}

  public Weights(WeightSource source, Kernels kernels, Workers workers, Arena arena) {
    this(source, kernels, workers, arena, Placement.PACKED, ExpertMemory.UNLIMITED, false);
  }

  /**
   * @param arena owns what is packed
   * @param experts how much memory experts may take
   * @param eased whether small models start with the scalar kernels
   */
  public Weights(
      WeightSource source,
      Kernels kernels,
      Workers workers,
      Arena arena,
      Placement placement,
      ExpertMemory experts,
      boolean eased) {
    this(source, kernels, workers, arena, placement, experts, eased, false);
  }

  private Weights(
      WeightSource source,
      Kernels kernels,
      Workers workers,
      Arena arena,
      Placement placement,
      ExpertMemory experts,
      boolean eased,
      boolean estimates) {
    this.experts = experts;
    this.estimates = estimates;
    this.placement = placement;
    this.source = source;
    this.eased = eased && placement == Placement.PACKED && source.bytes() <= EASED_BYTES;
    this.kernels = this.eased ? new EasedKernels(Kernels.scalar(), kernels) : kernels;
    this.workers = workers;
    this.arena = arena;
    this.store = experts.isLimited() && arena != null ? new ExpertStore(experts, arena) : null;
  }

  /**
   * Weights that are asked for and not packed: what is assembled from them shows which weights a
   * model has, and cannot run.
   */
  public static Weights outline(WeightSource source, Kernels kernels) {
    return new Weights(
        source, kernels, null, null, Placement.MAPPED, ExpertMemory.UNLIMITED, false);
  }

  /**
   * An {@link #outline} that tells by {@link #bytes} what the weights would take; those of experts
   * in a limited memory at most. Matrices are not read.
   */
  public static Weights estimate(
      WeightSource source, Kernels kernels, Placement placement, ExpertMemory experts) {
    return new Weights(source, kernels, null, null, placement, experts, false, true);
  }

  private static void runHere(int parts, Workers.Work work) {
    for (int part = 0; part < parts; part++) {
      work.run(part, 0);
    }
  }

  /** What the weights are packed for, and what is to compute with them. */
  public Kernels kernels() {
    return kernels;
  }

  /** Weights outside the layers, such as the embedding. */
  public WeightScope root() {
    return new Scope("", -1, -1, -1, null);
  }

  /** Weights of one layer. */
  public WeightScope layer(int layer) {
    return layer(layer, layer);
  }

  /**
   * Weights that a layer uses of another one.
   *
   * @param layer whose they are
   * @param user has what {@link WeightScope#own} gives
   */
  public WeightScope layer(int layer, int user) {
    return new Scope("", layer, -1, user, null);
  }

  /** Memory that all weights read so far take. */
  public long bytes() {
    return bytes + (store == null ? Math.min(experts.bytes(), boundedBytes) : store.bytes());
  }

  /** How well the experts fit the memory they were given, if it was limited. */
  public Optional<ExpertStatistics> expertStatistics() {
    return Optional.ofNullable(store).map(ExpertStore::statistics);
  }

  /** How many values all weights read so far have; a weight that is used twice counts once. */
  public long parameters() {
    return parameters;
  }

  /**
   * Checks that a weight outside the layers, where the source has it, equals the one that is used
   * for it.
   *
   * @throws WeightException if it does not
   */
  public void expectCopy(String copy, String original, int rows, int cols) {
    if (estimates) {
      return;
    }
    source.expectCopy(
        new WeightSource.Key(copy, -1, -1), new WeightSource.Key(original, -1, -1), rows, cols);
  }

  /**
   * Checks that the source holds nothing that the model did not ask for.
   *
   * @throws WeightException naming what was forgotten
   */
  public void expectAllRead() {
    if (estimates) {
      return;
    }
    List<String> unread = source.unread();
    if (!unread.isEmpty()) {
      throw new WeightException(
          String.format(
              Locale.ROOT,
              "the checkpoint holds %d tensors that no part of the model reads, the first: %s",
              unread.size(),
              String.join(", ", unread.subList(0, Math.min(4, unread.size())))));
    }
  }

  private long packedBytes(StoredRows stored) {
    return PackedPanels.bytes(stored, kernels.matmul(stored.format()));
  }

  private long takenBytes(StoredRows stored) {
    return placement == Placement.PACKED
        ? packedBytes(stored)
        : new StoredPanels(kernels.matmul(stored.format()), stored).bytes();
  }

  /** Returns when nothing reads or writes the weights' memory of its own accord any more. */
  @Override
  public void close() {
    if (store != null) {
      store.close();
    }
  }

  private final class Scope implements WeightScope {

    private final String prefix;
    private final int layer;
    private final int expert;
    private final int user;

    /** Whose matrices these are, if they come and go with an expert; or null. */
    private final ExpertStore.Expert resident;

    Scope(String prefix, int layer, int expert, int user, ExpertStore.Expert resident) {
      this.prefix = prefix;
      this.layer = layer;
      this.expert = expert;
      this.user = user;
      this.resident = resident;
    }

    @Override
    public Projection projection(String name, int outputs, int inputs, boolean biased) {
      return once(name, 1, outputs, inputs, biased)[0];
    }

    @Override
    public Projection[] projections(String name, int count, int outputs, int inputs) {
      return once(name, count, outputs, inputs, false).clone();
    }

    private Projection[] once(String name, int count, int outputs, int inputs, boolean biased) {
      var asked = new Built(key(name), count, outputs, inputs, biased);
      Projection[] known = built.get(asked);
      if (known == null) {
        known = build(name, count, outputs, inputs, biased);
        built.put(asked, known);
      }
      return known;
    }

    private Projection[] build(String name, int count, int outputs, int inputs, boolean biased) {
      StoredRows all = find(name, Math.multiplyExact(count, outputs), inputs, null);
      float[] bias = biased ? vector(name + ".bias", outputs, Typical.BIAS) : null;
      Projection[] projections = new Projection[count];
      for (int i = 0; i < count; i++) {
        StoredRows stored = count == 1 ? all : all.rows(i * outputs, outputs);
        projections[i] =
            arena == null
                ? Projection.outline(stored)
                : new Projection(stored, panels(stored, () -> source.release(key(name))), bias);
        if (estimates) {
          count(stored);
        } else if (resident == null) {
          bytes += projections[i].bytes() - (bias == null || arena == null ? 0 : 4L * outputs);
        }
      }
      return projections;
    }

    private void count(StoredRows stored) {
      boolean bounded = experts.isLimited() && expert >= 0;
      long taken = bounded ? packedBytes(stored) : takenBytes(stored);
      boundedBytes += bounded ? taken : 0;
      bytes += bounded ? 0 : taken;
    }

    @Override
    public Projection computed(float[] rows, int outputs, int inputs) {
      StoredRows stored = StoredRows.of("computed", rows, outputs, inputs);
      if (arena == null) {
        bytes += estimates ? takenBytes(stored) : 0;
        return Projection.outline(stored);
      }
      var projection = new Projection(stored, panels(stored, () -> {}), null);
      bytes += projection.bytes();
      return projection;
    }

    private Panels panels(StoredRows stored, Runnable release) {
      Matmul matmul = kernels.matmul(stored.format());
      var inPlace = new StoredPanels(matmul, stored);
      if (resident != null) {
        return store.add(resident, inPlace);
      }
      if (placement == Placement.MAPPED) {
        return inPlace;
      }
      Matmul scalar = Matmuls.scalar(stored.format(), kernels.products());
      if (matmul == scalar || !eased) {
        return PackedPanels.pack(stored, matmul, arena, workers::run, workers.threads(), release);
      }
      return new EasedPanels(
          new StoredPanels(scalar, stored),
          inPlace,
          eases.computeIfAbsent(stored.format() + " one", format -> new Ease(PATIENCE)),
          eases.computeIfAbsent(stored.format() + " many", format -> new Ease(PATIENCE)),
          () -> PackedPanels.pack(stored, matmul, arena, Weights::runHere, 1, release));
    }

    @Override
    public float[] vector(String name, int length, Typical typical) {
      return table(name, 1, length, typical);
    }

    @Override
    public float[] table(String name, int rows, int cols, Typical typical) {
      float[] values = find(name, rows, cols, typical).decode();
      bytes += 4L * values.length;
      return values;
    }

    @Override
    public int[] indices(String name, int rows, int cols, int bound) {
      StoredRows stored = find(name, rows, cols, Typical.index(bound));
      float[] values = stored.decode();
      int[] indices = new int[values.length];
      for (int i = 0; i < indices.length; i++) {
        indices[i] = (int) values[i];
        if (indices[i] != values[i] || indices[i] < 0 || indices[i] >= bound) {
          throw new WeightException(
              String.format(
                  Locale.ROOT,
                  "%s: row %d of %s holds %s; needed are whole numbers from 0 to %d",
                  stored.source(),
                  i / cols,
                  key(name),
                  values[i],
                  bound - 1));
        }
      }
      bytes += 4L * indices.length;
      return indices;
    }

    @Override
    public RowTable lookup(String name, int rows, int cols) {
      return RowTable.of(find(name, rows, cols, null));
    }

    @Override
    public WeightScope scope(String name) {
      return new Scope(prefix + name + ".", layer, expert, user, resident);
    }

    @Override
    public WeightScope own() {
      return new Scope(prefix, user, expert, user, resident);
    }

    @Override
    public WeightScope common() {
      return new Scope(prefix, -1, expert, user, resident);
    }

    @Override
    public Experts experts(int count) {
      if (store == null || arena == null) {
        return Experts.of(this);
      }
      return layers.computeIfAbsent(
          key(""),
          key ->
              store.add(count, (member, index) -> new Scope(prefix, layer, index, user, member)));
    }

    @Override
    public WeightScope expert(int index) {
      return new Scope(prefix, layer, index, user, resident);
    }

    private StoredRows find(String name, int rows, int cols, Typical typical) {
      WeightSource.Key key = key(name);
      if (counted.add(key)) {
        parameters += (long) rows * cols;
      }
      return source.find(key, rows, cols, typical);
    }

    private WeightSource.Key key(String name) {
      return new WeightSource.Key(prefix + name, layer, expert);
    }
  }
}
