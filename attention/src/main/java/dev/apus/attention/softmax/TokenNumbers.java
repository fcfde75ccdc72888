package dev.apus.attention.softmax;

import dev.apus.core.model.MixerState;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;

/**
 * Numbers that go with each of a sequence's tokens, and how many tokens its first run had. What was
 * written is not written again: a mark is a length, and who goes another way from there copies what
 * comes before.
 */
final class TokenNumbers implements MixerState {

  /** Numbers that several marks may share. */
  private static final class Written {

    private final int[] numbers;
    private int tokens;

    Written(int[] numbers, int tokens) {
      this.numbers = numbers;
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
  TokenNumbers(int width, int limit) {
    this.width = width;
    this.limit = limit;
  }

  /** How many tokens the first run had; 0 before it. */
  int first() {
    return first;
  }

  /** One of a token's numbers. */
  int number(int token, int which) {
    return written.numbers[token * width + which];
  }

  /** One of them where they are the bits of floats. */
  float real(int token, int which) {
    return Float.intBitsToFloat(number(token, which));
  }

  int length() {
    return length;
  }

  /** Takes note of tokens that follow. */
  void append(int[] numbers) {
    int tokens = numbers.length / width;
    int end = Math.addExact(length, tokens);
    if (length < written.tokens || end > written.numbers.length / width) {
      long room = end <= written.numbers.length / width ? end : Math.max(2L * length, end);
      int[] copy = Arrays.copyOf(written.numbers, (int) Math.min(room, limit) * width);
      written = new Written(copy, length);
    }
    System.arraycopy(numbers, 0, written.numbers, length * width, numbers.length);
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
      return there == written ? 0 : (long) there.numbers.length * Integer.BYTES;
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
  public TokenNumbers copy() {
    var copy = new TokenNumbers(width, limit);
    copy.become(this);
    return copy;
  }

  @Override
  public void become(MixerState other) {
    TokenNumbers there = (TokenNumbers) other;
    written = new Written(Arrays.copyOf(there.written.numbers, there.length * width), there.length);
    length = there.length;
    first = there.first;
  }

  @Override
  public long bytes() {
    return (long) written.numbers.length * Integer.BYTES;
  }

  @Override
  public void write(DataOutput out) throws IOException {
    out.writeInt(length);
    out.writeInt(first);
    for (int i = 0; i < length * width; i++) {
      out.writeInt(written.numbers[i]);
    }
  }

  @Override
  public void read(DataInput in) throws IOException {
    int tokens = in.readInt();
    int firstRun = in.readInt();
    if (tokens < 0 || tokens > limit || firstRun < 0 || firstRun > tokens) {
      throw new IOException(
          "numbers of "
              + tokens
              + " tokens, "
              + firstRun
              + " of them at first, do not fit "
              + limit);
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
