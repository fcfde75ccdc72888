package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.MixerState;
import dev.apus.core.model.NativeFloats;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Stored;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** The keys and values that a sequence's tokens have left behind in one layer. */
final class KeyValueCache implements MixerState {

  private static final int FIRST_SLOTS = 64;

  /** Storing a value takes about as long as computing so many. */
  private static final int STORE_VALUES = 4;

  private final Attention kernel;
  private final int heads;
  private final int keyDim;
  private final int valueDim;
  private final int limit;
  private final Rope rope;
  private final CacheMarks marks;
  private int capacity;
  private int length;
  private NativeFloats keys;
  private NativeFloats values;

  /**
   * @param limit the most tokens the sequence will have
   * @param rope how the sequence's keys and queries are turned, or null
   */
  KeyValueCache(Attention kernel, int heads, int keyDim, int valueDim, int limit, Rope rope) {
    this.kernel = kernel;
    this.heads = heads;
    this.keyDim = keyDim;
    this.valueDim = valueDim;
    this.limit = limit;
    this.rope = rope;
    this.marks = new CacheMarks(this, kernel.slotGranularity());
  }

  Rope rope() {
    return rope;
  }

  /** Tokens whose keys and values are here. */
  int length() {
    return length;
  }

  /** Makes room for more tokens. */
  private void reserve(int tokens) {
    int needed = Math.addExact(length, tokens);
    if (needed <= capacity) {
      return;
    }
    long wanted = Math.max(needed, Math.min(Math.max(2L * capacity, FIRST_SLOTS), limit));
    int granularity = kernel.slotGranularity();
    int slots = Math.toIntExact(Math.ceilDiv(wanted, granularity) * granularity);
    NativeFloats moreKeys =
        moved(keys, kernel.keyBytes(keyDim, capacity), kernel.keyBytes(keyDim, slots));
    NativeFloats moreValues =
        moved(values, kernel.valueBytes(valueDim, capacity), kernel.valueBytes(valueDim, slots));
    release();
    keys = moreKeys;
    values = moreValues;
    capacity = slots;
  }

  /** Each head's slots, copied to where they begin in a larger cache. */
  private NativeFloats moved(NativeFloats from, long headBytes, long newHeadBytes) {
    NativeFloats to = NativeFloats.ofBytes(heads * newHeadBytes);
    if (from != null) {
      for (int head = 0; head < heads; head++) {
        MemorySegment.copy(
            from.segment(), head * headBytes, to.segment(), head * newHeadBytes, headBytes);
      }
    }
    return to;
  }

  /** Appends the keys and values in some rows of these matrices. */
  void append(Pass pass, Matrix k, Matrix v, int row, int rows) {
    reserve(rows);
    int first = length;
    pass.eachRow(
        rows,
        STORE_VALUES * (k.cols() + v.cols()),
        (from, to, worker) -> {
          for (int head = 0; head < heads; head++) {
            Stored stored = stored(head);
            for (int i = from; i < to; i++) {
              int kAt = k.at(row + i) + head * keyDim;
              int vAt = v.at(row + i) + head * valueDim;
              int slot = first + i;
              kernel.storeKeys(k.data(), kAt, keyDim, stored.keys(), stored.keysAt(), slot);
              kernel.storeValues(v.data(), vAt, valueDim, stored.values(), stored.valuesAt(), slot);
            }
          }
        });
    length += rows;
  }

  /** The keys and values of one head. */
  Stored stored(int head) {
    return new Stored(keys.segment(), keysAt(head), values.segment(), valuesAt(head));
  }

  private long keysAt(int head) {
    return head * kernel.keyBytes(keyDim, capacity);
  }

  private long valuesAt(int head) {
    return head * kernel.valueBytes(valueDim, capacity);
  }

  @Override
  public Mark mark(Mark reuse) {
    return marks.add(length);
  }

  /**
   * Goes back to a length; what later marks need of the slots that may now be overwritten is kept.
   */
  void truncate(int to) {
    length = to;
  }

  /** The bytes of slots {@code [from, to)} of all heads, multiples of the granularity. */
  byte[] slots(int from, int to) {
    byte[] bytes = new byte[Math.toIntExact(heads * slotBytes(to - from))];
    transfer(from, to, MemorySegment.ofArray(bytes), true);
    return bytes;
  }

  /** Puts back what {@link #slots} gave. */
  void restore(int from, int to, byte[] bytes) {
    transfer(from, to, MemorySegment.ofArray(bytes), false);
  }

  private long slotBytes(int slots) {
    return kernel.keyBytes(keyDim, slots) + kernel.valueBytes(valueDim, slots);
  }

  private void transfer(int from, int to, MemorySegment bytes, boolean out) {
    long keyBytes = kernel.keyBytes(keyDim, to - from);
    long valueBytes = kernel.valueBytes(valueDim, to - from);
    for (int head = 0; head < heads; head++) {
      long at = head * (keyBytes + valueBytes);
      MemorySegment k =
          keys.segment().asSlice(keysAt(head) + kernel.keyBytes(keyDim, from), keyBytes);
      MemorySegment v =
          values.segment().asSlice(valuesAt(head) + kernel.valueBytes(valueDim, from), valueBytes);
      MemorySegment keptKeys = bytes.asSlice(at, keyBytes);
      MemorySegment keptValues = bytes.asSlice(at + keyBytes, valueBytes);
      (out ? keptKeys : k).copyFrom(out ? k : keptKeys);
      (out ? keptValues : v).copyFrom(out ? v : keptValues);
    }
  }

  @Override
  public KeyValueCache copy() {
    var copy = new KeyValueCache(kernel, heads, keyDim, valueDim, limit, rope);
    copy.length = length;
    copy.capacity = capacity;
    copy.keys = keys == null ? null : keys.copy();
    copy.values = values == null ? null : values.copy();
    return copy;
  }

  @Override
  public long bytes() {
    return keys == null ? 0 : keys.bytes() + values.bytes();
  }

  @Override
  public void write(DataOutput out) throws IOException {
    out.writeUTF(kernel.format().name());
    out.writeInt(length);
    out.writeInt(capacity);
    if (capacity > 0) {
      keys.write(out);
      values.write(out);
    }
  }

  @Override
  public void read(DataInput in) throws IOException {
    String format = in.readUTF();
    if (!format.equals(kernel.format().name())) {
      throw new IOException(
          "a cache in " + format + " was written, this one is in " + kernel.format());
    }
    int written = in.readInt();
    int slots = in.readInt();
    int granularity = kernel.slotGranularity();
    long most = Math.max(FIRST_SLOTS, Math.ceilDiv((long) limit, granularity) * granularity);
    if (written < 0 || written > slots || slots > most || slots % granularity != 0) {
      throw new IOException(
          "a cache of "
              + written
              + " tokens in "
              + slots
              + " slots does not fit a limit of "
              + limit);
    }
    NativeFloats readKeys = null;
    NativeFloats readValues = null;
    if (slots > 0) {
      readKeys = filled(heads * kernel.keyBytes(keyDim, slots), in);
      try {
        readValues = filled(heads * kernel.valueBytes(valueDim, slots), in);
      } catch (IOException | RuntimeException | Error e) {
        readKeys.close();
        throw e;
      }
    }
    close();
    marks.forget();
    length = written;
    capacity = slots;
    keys = readKeys;
    values = readValues;
  }

  private static NativeFloats filled(long bytes, DataInput in) throws IOException {
    NativeFloats floats = NativeFloats.ofBytes(bytes);
    try {
      floats.read(in);
      return floats;
    } catch (IOException | RuntimeException | Error e) {
      floats.close();
      throw e;
    }
  }

  private void release() {
    if (keys != null) {
      keys.close();
      values.close();
    }
  }

  @Override
  public void close() {
    release();
    keys = null;
    values = null;
    capacity = 0;
    length = 0;
  }
}
