package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.activation.Activations;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Stored;
import dev.apus.kernels.attention.Attention.Visited;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * XAttention: a block of queries visits the blocks of keys that most of its weight is expected to
 * fall on. Groups of {@code stride} queries are scored against groups of as many keys by the sum
 * along an antidiagonal, which crosses every row and every column of the square between them,
 *
 * <pre>
 *   s = scale / stride · Σᵢ q_{stride − 1 − i} · kᵢ
 * </pre>
 *
 * <p>each group of queries has a softmax over the groups of keys up to its own, and a block of keys
 * has the sum of what its groups get. Each query head visits the first block of keys and those with
 * keys of its own queries, and of the others those with the most, until they have the share {@code
 * mass} of all.
 *
 * @see QueryBlocks
 * @see <a href="https://arxiv.org/abs/2503.16428">XAttention</a>
 */
final class Antidiagonals extends QueryBlocks {

  private final int stride;
  private final double mass;

  private Antidiagonals(int block, int stride, double mass, Selections.Layer layer) {
    super(block, layer);
    this.stride = stride;
    this.mass = mass;
  }

  static Selections.Maker read(Config c) {
    int block = c.positive("block", 128);
    int stride = c.positive("stride", 8);
    double mass = c.number("mass", 0.9);
    if (block % stride != 0) {
      throw c.errorAt("stride", "select.block=%d is not divisible by stride=%d", block, stride);
    }
    if (!(mass > 0 && mass <= 1)) {
      throw c.errorAt("mass", "select.mass=%s must be above 0 and at most 1", mass);
    }
    return layer -> {
      layer.requireProducts(c);
      return new Antidiagonals(block, stride, mass, layer);
    };
  }

  @Override
  List<Tile> choose(Pass pass, int worker, Block rows, Matrix q, Heads heads) {
    int group = heads.group();
    int dim = layer.traits().headDim();
    int keyGroups = (rows.position() + block) / stride;
    int groups = block / stride;
    int width = stride * dim;
    // Scratch: queries of all heads in the order of the sums, the keys of a group, and scores.
    int keysAt = group * groups * width;
    int scoresAt = keysAt + width;
    int floats = Math.addExact(scoresAt, Math.multiplyExact(group * groups, keyGroups));
    float[] scratch = pass.scratch(worker, floats);
    for (int head = 0; head < group; head++) {
      for (int i = 0; i < block; i++) {
        int from = q.at(rows.from() + i) + (rows.keyHead() * group + head) * dim;
        int to = (head * groups + i / stride) * width + (stride - 1 - i % stride) * dim;
        System.arraycopy(q.data(), from, scratch, to, dim);
      }
    }
    score(pass.kernels().activations(), rows, group * groups, keyGroups, scratch, keysAt);
    List<Tile> tiles = new ArrayList<>();
    for (int head = 0; head < group; head++) {
      int at = scoresAt + head * groups * keyGroups;
      Visited visited = visited(pass.kernels().activations(), rows, scratch, at, keyGroups);
      int step = Math.min(block, Tile.rows(1));
      for (int i = 0; i < block; i += step) {
        int queryHead = rows.keyHead() * group + head;
        int count = Math.min(step, block - i);
        tiles.add(
            Tile.of(rows.run(), rows.from() + i, count, queryHead, 1, rows.keyHead(), visited));
      }
    }
    return tiles;
  }

  /** Scores all groups of queries against all groups of keys. */
  private void score(
      Activations kernel, Block rows, int queryGroups, int keyGroups, float[] scratch, int keysAt) {
    Stored keys = rows.run().state().stored(rows.keyHead());
    Attention stored = layer.kernel();
    int last = rows.position() + block - 1;
    int dim = layer.traits().headDim();
    int width = stride * dim;
    float scale = layer.traits().scale() / stride;
    for (int key = 0; key < keyGroups; key++) {
      for (int i = 0; i < stride; i++) {
        int slot = key * stride + i;
        stored.loadKeys(keys, last, dim, slot, scratch, keysAt + i * dim);
      }
      for (int query = 0; query < queryGroups; query++) {
        float sum = kernel.dot(scratch, query * width, scratch, keysAt, width);
        scratch[keysAt + width + query * keyGroups + key] = sum * scale;
      }
    }
  }

  /** The blocks of keys that one head's queries visit, of its groups' scores. */
  private Visited visited(
      Activations kernel, Block rows, float[] scores, int scoresAt, int keyGroups) {
    int groups = block / stride;
    int end = rows.position() + block;
    int own = rows.position() / block;
    int last = (end - 1) / block;
    float[] masses = new float[last + 1];
    for (int i = 0; i < groups; i++) {
      int at = scoresAt + i * keyGroups;
      int seen = rows.position() / stride + i + 1;
      kernel.softmax(scores, at, seen);
      for (int j = 0; j < seen; j++) {
        masses[j / groups] += scores[at + j];
      }
    }
    double all = 0;
    double reached = 0;
    boolean[] visits = new boolean[last + 1];
    for (int i = 0; i <= last; i++) {
      visits[i] = i == 0 || i >= own;
      all += masses[i];
      reached += visits[i] ? masses[i] : 0;
    }
    // From the most to the least: sorted, they stand the other way round.
    long[] ranks = new long[Math.max(0, own - 1)];
    Arrays.setAll(ranks, i -> rank(masses[i + 1], i + 1));
    Arrays.sort(ranks);
    for (int i = ranks.length - 1; i >= 0 && (mass == 1 || reached < mass * all); i--) {
      int next = index(ranks[i]);
      visits[next] = true;
      reached += masses[next];
    }
    var ranges = new SlotRanges();
    for (int i = 0; i <= last; i++) {
      if (visits[i]) {
        ranges.add(i * block, Math.min(end, (i + 1) * block));
      }
    }
    return ranges.visited(end, true, 0);
  }

  /** Unlike for any other index; greater for greater masses, and for smaller indices. */
  private static long rank(float mass, int index) {
    int bits = Float.floatToIntBits(mass);
    int ordered = bits ^ (bits >> 31 & 0x7fff_ffff);
    return (long) ordered << 32 | 0xffff_ffffL - index;
  }

  /** The index that a rank was made of. */
  private static int index(long rank) {
    return (int) (0xffff_ffffL - (rank & 0xffff_ffffL));
  }
}
