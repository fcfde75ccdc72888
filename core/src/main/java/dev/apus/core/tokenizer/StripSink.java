package dev.apus.core.tokenizer;

/** Drops a character where a token, or the whole text, begins with it. */
final class StripSink implements Decoding.Sink {

  private final Decoding.Sink next;
  private final char content;
  private final int most;
  private final boolean joined;
  private int left;

  StripSink(Decoding.Sink next, char content, int most, boolean joined) {
    this.next = next;
    this.content = content;
    this.most = most;
    this.joined = joined;
    this.left = most;
  }

  @Override
  public void token(String text) {
    int at = 0;
    while (left > 0 && at < text.length() && text.charAt(at) == content) {
      at++;
      left--;
    }
    if (!joined) {
      left = most;
    } else if (at < text.length()) {
      left = 0;
    }
    next.token(text.substring(at));
  }

  @Override
  public void end() {
    next.end();
    left = most;
  }
}
