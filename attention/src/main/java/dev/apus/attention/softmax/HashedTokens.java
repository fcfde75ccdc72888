package dev.apus.attention.softmax;

import dev.apus.core.model.MixerState;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;

/**
 * The hashes of a sequence's tokens, and how many tokens its first run had. What was written is not
 * written again: a mark is a length, and who goes another way from there copies what comes before.
 */
final class HashedTokens implements MixerState {

  /** Numbers that several marks may share. */
  private static final class Written {

    private final int[] hashes;
    private int tokens;

    Written(int[] hashes, int tokens) {
      this.hashes = hashes;
      this.tokens = tokens;
    }
  }

  private final int width;
  private final int limit;
  private Written written = new Written(new int[0], 0);
  private int length;
  private int first;

  /**
   * @param width numbers of a token
   * @param limit the most tokens
   */
  HashedTokens(int width, int limit) {
    this.width = width;
    this.limit = limit;
  }

  /** How many tokens the first run had; 0 before it. */
  int first() {
    return first;
  }

  /** One of a token's numbers. */
  int hash(int token, int which) {
    return written.hashes[token * width + which];
  }

  /** Takes note of tokens that follow. */
  void append(int[] hashes) {
    int tokens = hashes.length / width;
    int end = Math.addExact(length, tokens);
    if (length < written.tokens || end > written.hashes.length / width) {
      long room = end <= written.hashes.length / width ? end : Math.max(2L * length, end);
      int[] copy = Arrays.copyOf(written.hashes, (int) Math.min(room, limit) * width);
      written = new Written(copy, length);
    }
    System.arraycopy(hashes, 0, written.hashes, length * width, hashes.length);
    first = length == 0 ? tokens : first;
    length = end;
    written.tokens = end;
  }

  private final class Here implements Mark {

    private final Written there = written;
    private final int lengthThen = length;
    private final int firstThen = first;

    @Override
    public void rewind() {
      written = there;
      length = lengthThen;
      first = firstThen;
    }

    @Override
    public long bytes() {
      return there == written ? 0 : (long) there.hashes.length * Integer.BYTES;
    }

    @Override
    public void close() {
      // What it keeps goes with it.
    }
  }

  @Override
  public Mark mark(Mark reuse) {
    return new Here();
  }

  @Override
  public HashedTokens copy() {
    var copy = new HashedTokens(width, limit);
    copy.become(this);
    return copy;
  }

  @Override
  public void become(MixerState other) {
    HashedTokens there = (HashedTokens) other;
    written =
        new Written(Arrays.copyOf(there.written.hashes, there.length * width), there.length);
    length = there.length;
    first = there.first;
  }

  @Override
  public long bytes() {
    return (long) written.hashes.length * Integer.BYTES;
  }

  @Override
  public void write(DataOutput out) throws IOException {
    out.writeInt(length);
    out.writeInt(first);
    for (int i = 0; i < length * width; i++) {
      out.writeInt(written.hashes[i]);
    }
  }

  @Override
  public void read(DataInput in) throws IOException {
    int tokens = in.readInt();
    int firstRun = in.readInt();
    if (tokens < 0 || tokens > limit || firstRun < 0 || firstRun > tokens) {
      throw new IOException(
          "hashes of " + tokens + " tokens, " + firstRun + " of them at first, do not fit " + limit);
    }
    int[] read = new int[Math.multiplyExact(tokens, width)];
    for (int i = 0; i < read.length; i++) {
      read[i] = in.readInt();
    }
    written = new Written(read, tokens);
    length = tokens;
    first = firstRun;
  }

  @Override
  public void close() {
    written = new Written(new int[0], 0);
    length = 0;
    first = 0;
  }
}
