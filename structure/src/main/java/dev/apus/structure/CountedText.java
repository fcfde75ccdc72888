package dev.apus.structure;

/**
 * Free text up to a mark, of so many characters. The beginning of the mark may be text after all,
 * so its letters count as soon as it does not go on.
 */
final class CountedText {

  private static final int MORE = 0x100;

  private final FreeText text;
  private final byte[] mark;
  private final int[] shorter;
  private final int[] letters;
  private final int least;
  private final int most;

  /**
   * @param text whose only end is the mark
   */
  CountedText(FreeText text, byte[] mark, int least, int most) {
    this.text = text;
    this.mark = mark;
    this.least = least;
    this.most = most;
    this.shorter = new int[mark.length];
    this.letters = new int[mark.length];
    for (int i = 1; i < mark.length; i++) {
      letters[i] = letters[i - 1] + (begins(mark[i - 1] & 0xFF) ? 1 : 0);
      shorter[i] = i == 1 ? 0 : matched(shorter[i - 1], mark[i - 1] & 0xFF);
    }
  }

  Node node() {
    return new At(0, 0, 0, 0);
  }

  /** How much of the mark a text ends with after one more byte. */
  private int matched(int before, int b) {
    int length = before;
    while (length > 0 && (mark[length] & 0xFF) != b) {
      length = shorter[length];
    }
    return (mark[length] & 0xFF) == b ? length + 1 : 0;
  }

  private static boolean begins(int b) {
    return b < 0x80 || (b >= 0xC0 && b < Alphabet.SYMBOLS);
  }

  /**
   * What is left of a character of UTF-8 after one more byte: how many bytes, in units of {@value
   * #MORE}, and its first byte if the next is the second; negative if the byte cannot stand there.
   */
  private static int left(int before, int b) {
    if (before == 0) {
      return b < 0x80 || b >= Alphabet.SYMBOLS
          ? 0
          : b < 0xC2 || b > 0xF4 ? -1 : b < 0xE0 ? MORE : (b < 0xF0 ? 2 : 3) * MORE + b;
    }
    int first = before % MORE;
    int from = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    int to = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    return b < from || b > to ? -1 : (before / MORE - 1) * MORE;
  }

  /** A place in the text. */
  private final class At implements Node.Reader {

    /** Of the free text. */
    private final int state;

    /** Bytes of the mark that the text ends with. */
    private final int matched;

    /** Characters before these; no more than matter. */
    private final int count;

    /** What is left of a character that has begun. */
    private final int left;

    At(int state, int matched, int count, int left) {
      this.state = state;
      this.matched = matched;
      this.count = count;
      this.left = left;
    }

    @Override
    public Node read(int b) {
      int rest = left(left, b);
      int to = text.step(state, b);
      if (rest < 0 || to == FreeText.DEAD) {
        return null;
      }
      if (to < 0) {
        return count < least ? null : text.after(to);
      }
      int now = matched(matched, b);
      int counted = count + letters[matched] + (begins(b) ? 1 : 0) - letters[now];
      // Of a text that is too short, the beginning of the mark can be nothing but text.
      if (counted > most || (counted < least && counted > most - letters[now])) {
        return null;
      }
      return new At(to, now, most == Node.UNBOUNDED ? Math.min(counted, least) : counted, rest);
    }

    @Override
    public boolean isAlive() {
      return least <= most;
    }

    private CountedText form() {
      return CountedText.this;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof At at
          && at.form() == form()
          && at.state == state
          && at.matched == matched
          && at.count == count
          && at.left == left;
    }

    @Override
    public int hashCode() {
      return ((state * 31 + matched) * 31 + count) * 31 + left;
    }
  }
}
