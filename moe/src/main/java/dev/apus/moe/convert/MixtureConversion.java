package dev.apus.moe.convert;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigWriter;
import dev.apus.core.family.Families;
import dev.apus.core.file.FormatException;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.file.SafetensorsWriter;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.weight.StoredRows;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Makes mixtures of experts of checkpoints without experts: folders in the Hugging Face layout, of
 * Llama, Mistral, Qwen 3 or OLMo 2, become Mixtral, Qwen 3 MoE or FlexOlmo. Nothing is trained.
 */
public final class MixtureConversion {

  private static final String CONFIG = "config.json";

  /** The spread of a router that knows nothing. */
  private static final double ROUTER_SPREAD = 0.02;

  /**
   * A router that chooses by directions gives logits so small that the chosen experts count the
   * same but for a thousandth: they were cut out of one sum.
   */
  private static final float EVEN = 1f / 1024;

  private final DenseCheckpoint base;
  private final int experts;
  private final int top;
  private final int inner;
  private final SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
  private final Arena arena;

  private MixtureConversion(DenseCheckpoint base, int experts, int top, int inner, Arena arena) {
    this.base = base;
    this.experts = experts;
    this.top = top;
    this.inner = inner;
    this.arena = arena;
    if (experts < 2 || top < 1 || top > experts) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%d experts of which %d are chosen; needed: 2 experts at least, of which 1 at least"
                  + " and all at most",
              experts,
              top));
    }
    base.matrix(0, 0);
    base.tensors().tensors().values().stream()
        .filter(tensor -> !base.isReplaced(tensor.name()))
        .forEach(writer::add);
  }

  /**
   * Every expert is the block that was there, and the router knows nothing: the same model, as a
   * beginning for training. The weights of the chosen sum to one, so its logits are the same but
   * for rounding.
   *
   * @param seed of the router
   * @throws IllegalArgumentException if {@code top} is more than {@code experts}, or one is too few
   * @see <a href="https://arxiv.org/abs/2212.05055">Sparse Upcycling</a>
   */
  public static void upcycle(Path from, Path to, int experts, int top, long seed)
      throws IOException {
    try (DenseCheckpoint dense = new DenseCheckpoint(from);
        Arena arena = Arena.ofShared()) {
      var mixture = new MixtureConversion(dense, experts, top, dense.inner(), arena);
      var random = new SplittableRandom(seed);
      for (int layer = 0; layer < dense.layers(); layer++) {
        float[] router = new float[experts * dense.width()];
        for (int i = 0; i < router.length; i++) {
          router[i] = (float) (random.nextGaussian() * ROUTER_SPREAD);
        }
        mixture.addRouter(layer, router);
        for (int expert = 0; expert < experts; expert++) {
          mixture.addExpert(layer, expert, dense);
        }
      }
      mixture.write(to);
    }
  }

  /**
   * The block's inner values are shared out to experts, those together whose gates look for the
   * same: no weight is added. A token is given to the experts whose gates point where it does. With
   * all experts chosen it is the same sum, and the logits are the same but for rounding.
   *
   * @param experts a divisor of the block's inner values
   * @param seed of the search for clusters
   * @throws IllegalArgumentException if the numbers do not fit
   * @see <a href="https://arxiv.org/abs/2110.01786">MoEfication</a>
   * @see <a href="https://arxiv.org/abs/2406.16554">LLaMA-MoE</a>
   */
  public static void split(Path from, Path to, int experts, int top, long seed) throws IOException {
    try (DenseCheckpoint dense = new DenseCheckpoint(from);
        Arena arena = Arena.ofShared()) {
      if (experts < 1 || dense.inner() % experts != 0) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "%s: intermediate_size=%d cannot be shared out to %d experts evenly",
                from,
                dense.inner(),
                experts));
      }
      var mixture = new MixtureConversion(dense, experts, top, dense.inner() / experts, arena);
      for (int layer = 0; layer < dense.layers(); layer++) {
        mixture.addParts(layer, seed + layer);
      }
      mixture.write(to);
    }
  }

  /**
   * Checkpoints that differ in their blocks alone become the experts of one; all of them are asked,
   * and count the same, until a router is trained. Merging a checkpoint with itself gives its
   * logits but for rounding.
   *
   * @throws FormatException if another tensor differs, with its name
   * @throws IllegalArgumentException if there are fewer than two
   * @see <a href="https://arxiv.org/abs/2507.07024">FlexOlmo</a>
   */
  public static void merge(List<Path> from, Path to) throws IOException {
    List<DenseCheckpoint> all = new ArrayList<>();
    try (Arena arena = Arena.ofShared()) {
      for (Path path : from) {
        all.add(new DenseCheckpoint(path));
      }
      if (all.size() < 2) {
        throw new IllegalArgumentException(all.size() + " checkpoints; needed are 2 at least");
      }
      DenseCheckpoint base = all.getFirst();
      all.forEach(other -> requireSame(base, other));
      var mixture = new MixtureConversion(base, all.size(), all.size(), base.inner(), arena);
      for (int layer = 0; layer < base.layers(); layer++) {
        mixture.addRouter(layer, new float[all.size() * base.width()]);
        for (int expert = 0; expert < all.size(); expert++) {
          mixture.addExpert(layer, expert, all.get(expert));
        }
      }
      mixture.write(to);
    } finally {
      all.forEach(DenseCheckpoint::close);
    }
  }

  private static void requireSame(DenseCheckpoint base, DenseCheckpoint other) {
    for (StoredTensor tensor : base.tensors().tensors().values()) {
      StoredTensor there = other.tensors().tensors().get(tensor.name());
      boolean same =
          base.isReplaced(tensor.name())
              || there != null
                  && there.type().equals(tensor.type())
                  && there.shape().equals(tensor.shape())
                  && there.data().mismatch(tensor.data()) < 0;
      if (!same) {
        throw new FormatException(
            String.format(
                Locale.ROOT,
                "%s: tensor %s is not that of %s; checkpoints that are merged may differ in their"
                    + " feed-forward blocks alone",
                other.files().name(),
                tensor.name(),
                base.files().name()));
      }
    }
  }

  private void addRouter(int layer, float[] rows) {
    writer.add(base.kind().router(layer), rows, experts, base.width());
  }

  /** A whole block becomes an expert. */
  private void addExpert(int layer, int expert, DenseCheckpoint of) {
    for (int i = 0; i < MixtureKind.DENSE.size(); i++) {
      StoredTensor stored = of.matrix(layer, i);
      String name = base.kind().matrix(layer, expert, i);
      writer.add(name, stored.type(), stored.shape(), stored.data());
    }
  }

  /** A block is shared out. */
  private void addParts(int layer, long seed) {
    StoredRows gate = StoredRows.of(base.matrix(layer, 0));
    float[][] rows = new float[base.inner()][base.width()];
    for (int row = 0; row < rows.length; row++) {
      gate.decode(row, rows[row], 0);
    }
    BalancedClusters.Found found = BalancedClusters.find(rows, experts, seed);
    float[] router = new float[experts * base.width()];
    for (int expert = 0; expert < experts; expert++) {
      for (int i = 0; top < experts && i < base.width(); i++) {
        router[expert * base.width() + i] = found.centers()[expert][i] * EVEN;
      }
      int[] members = found.members()[expert];
      addRows(layer, expert, 0, members);
      addRows(layer, expert, 1, members);
      addColumns(layer, expert, members);
    }
    addRouter(layer, router);
  }

  private void addRows(int layer, int expert, int matrix, int[] members) {
    StoredTensor stored = base.matrix(layer, matrix);
    long rowBytes = stored.format().rowBytes(base.width());
    MemorySegment data = arena.allocate(rowBytes * members.length);
    for (int i = 0; i < members.length; i++) {
      MemorySegment.copy(stored.data(), members[i] * rowBytes, data, i * rowBytes, rowBytes);
    }
    List<Long> shape = List.of((long) members.length, (long) base.width());
    writer.add(base.kind().matrix(layer, expert, matrix), stored.type(), shape, data);
  }

  /** The columns of what the members give, times how many are chosen, each of which counts less. */
  private void addColumns(int layer, int expert, int[] members) {
    int down = MixtureKind.DENSE.size() - 1;
    StoredTensor stored = base.matrix(layer, down);
    StoredRows rows = StoredRows.of(stored);
    WeightFormat format = stored.format();
    MemorySegment data = arena.allocate(format.rowBytes(members.length) * base.width());
    float[] row = new float[base.inner()];
    float[] part = new float[members.length];
    for (int i = 0; i < base.width(); i++) {
      rows.decode(i, row, 0);
      for (int j = 0; j < part.length; j++) {
        part[j] = row[members[j]] * top;
      }
      format.codec().encode(part, 0, data, i * format.rowBytes(members.length), members.length);
    }
    List<Long> shape = List.of((long) base.width(), (long) members.length);
    writer.add(base.kind().matrix(layer, expert, down), stored.type(), shape, data);
  }

  private void write(Path to) throws IOException {
    Map<String, Object> settings = base.kind().config(base.config(), experts, top, inner);
    Config config = Config.of(to.resolve(CONFIG).toString(), settings);
    String json = ConfigWriter.json(settings);
    // What cannot be opened afterwards is not written.
    Families.installed().describe(config);
    Files.createDirectories(to);
    ModelFiles.copySettings(base.folder(), to);
    Files.writeString(to.resolve(CONFIG), json);
    writer.write(to.resolve("model.safetensors"));
  }
}
