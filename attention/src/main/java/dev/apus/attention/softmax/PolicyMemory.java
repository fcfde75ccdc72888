package dev.apus.attention.softmax;

import dev.apus.core.model.MixerState;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;

/**
 * What a policy remembers of a sequence beside its keys and values: which slots of each head it has
 * given up, how much weight each slot has had, and the last queries.
 *
 * <p>Slots that are given up stay where they are, and nobody visits them, until the cache is made
 * {@linkplain KeyValueCache#keep smaller}: then all heads have given up equally many, and those
 * that are left are the first slots.
 */
final class PolicyMemory {

  private final int capacity;
  private final int tailRows;
  private final int tailCols;
  private final BitSet[] gone;
  private final float[][] sums;
  private float[] tail = {};
  private int pending;
  private int dropped;

  /**
   * @param heads of keys and values
   * @param capacity slots that there may be
   * @param summed whether slots have sums
   * @param tailRows how many rows of queries are remembered at most
   * @param tailCols values of a row
   */
  PolicyMemory(int heads, int capacity, boolean summed, int tailRows, int tailCols) {
    this.capacity = capacity;
    this.tailRows = tailRows;
    this.tailCols = tailCols;
    this.gone = new BitSet[heads];
    Arrays.setAll(gone, head -> new BitSet());
    this.sums = new float[heads][summed ? capacity : 0];
  }

  /** Tokens before the first slot's, and between those of slots, that no head has any more. */
  int dropped() {
    return dropped;
  }

  /** The slots that a head has given up. */
  BitSet gone(int head) {
    return gone[head];
  }

  /** The weight that each slot of a head has had. */
  float[] sums(int head) {
    return sums[head];
  }

  /** Tokens since {@link #forgetQueries}. */
  int pending() {
    return pending;
  }

  /** The last queries since then, row after row; at most as many rows as are remembered. */
  float[] tail() {
    return tail;
  }

  /** Remembers the queries of some rows. */
  void remember(float[] queries, int at, int rows) {
    int cols = tailCols;
    int before = Math.min(pending, tailRows);
    int added = Math.min(rows, tailRows);
    int kept = Math.min(before, tailRows - added);
    float[] next = new float[(kept + added) * cols];
    System.arraycopy(tail, (before - kept) * cols, next, 0, kept * cols);
    System.arraycopy(queries, at + (rows - added) * cols, next, kept * cols, added * cols);
    tail = next;
    pending = Math.addExact(pending, rows);
  }

  void forgetQueries() {
    tail = new float[0];
    pending = 0;
  }

  /**
   * Only these slots are left, and have become the first.
   *
   * @param kept of each head, ascending
   * @param of so many
   */
  void keep(int[][] kept, int of) {
    for (int head = 0; head < gone.length; head++) {
      gone[head].clear();
      for (int i = 0; sums[head].length > 0 && i < kept[head].length; i++) {
        sums[head][i] = sums[head][kept[head][i]];
      }
    }
    dropped += of - kept[0].length;
  }

  /** Takes over what another one remembers. */
  void become(PolicyMemory other) {
    dropped = other.dropped;
    pending = other.pending;
    tail = other.tail;
    for (int head = 0; head < gone.length; head++) {
      gone[head].clear();
      gone[head].or(other.gone[head]);
      System.arraycopy(other.sums[head], 0, sums[head], 0, sums[head].length);
    }
  }

  PolicyMemory copy() {
    boolean summed = sums.length > 0 && sums[0].length > 0;
    var copy = new PolicyMemory(gone.length, capacity, summed, tailRows, tailCols);
    copy.become(this);
    return copy;
  }

  private final class Then implements MixerState.Mark {
    private final PolicyMemory then = copy();

    @Override
    public void rewind() {
      become(then);
    }

    @Override
    public long bytes() {
      return then.bytes();
    }

    @Override
    public void close() {}
  }

  MixerState.Mark mark() {
    return new Then();
  }

  long bytes() {
    long bytes = (long) Float.BYTES * tail.length;
    for (int head = 0; head < gone.length; head++) {
      bytes += (long) Float.BYTES * sums[head].length + gone[head].size() / Byte.SIZE;
    }
    return bytes;
  }

  /**
   * @param slots that the cache has
   */
  void write(DataOutput out, int slots) throws IOException {
    out.writeInt(dropped);
    out.writeInt(pending);
    write(out, tail, tail.length);
    for (int head = 0; head < gone.length; head++) {
      long[] words = gone[head].toLongArray();
      out.writeInt(words.length);
      for (long word : words) {
        out.writeLong(word);
      }
      write(out, sums[head], Math.min(slots, sums[head].length));
    }
  }

  private static void write(DataOutput out, float[] values, int count) throws IOException {
    out.writeInt(count);
    for (int i = 0; i < count; i++) {
      out.writeFloat(values[i]);
    }
  }

  /** What {@link #write} wrote for one like this. */
  PolicyMemory read(DataInput in, int slots) throws IOException {
    PolicyMemory read = copy();
    read.dropped = in.readInt();
    read.pending = in.readInt();
    int rows = Math.clamp(read.pending, 0, tailRows);
    read.tail = new float[Math.multiplyExact(rows, tailCols)];
    if (read.dropped < 0 || read.pending < 0) {
      throw new IOException("a policy remembers fewer than no tokens");
    }
    read(in, read.tail, read.tail.length);
    for (int head = 0; head < gone.length; head++) {
      int words = in.readInt();
      if (words < 0 || words > Math.ceilDiv(slots, Long.SIZE)) {
        throw new IOException("a policy has given up more slots than the " + slots + " there are");
      }
      long[] bits = new long[words];
      for (int i = 0; i < words; i++) {
        bits[i] = in.readLong();
      }
      read.gone[head].clear();
      read.gone[head].or(BitSet.valueOf(bits));
      read(in, read.sums[head], Math.min(slots, read.sums[head].length));
    }
    return read;
  }

  private static void read(DataInput in, float[] values, int count) throws IOException {
    int written = in.readInt();
    if (written != count) {
      throw new IOException("a policy remembers " + written + " values; needed: " + count);
    }
    for (int i = 0; i < count; i++) {
      values[i] = in.readFloat();
    }
  }
}
