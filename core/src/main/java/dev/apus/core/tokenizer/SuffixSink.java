package dev.apus.core.tokenizer;

/** Makes spaces of the marks that end words, and nothing of the last token's. */
final class SuffixSink implements Decoding.Sink {

  private final Decoding.Sink next;
  private final String suffix;

  /** The token that would be the last one if the stream ended now, or null. */
  private String held;

  SuffixSink(Decoding.Sink next, String suffix) {
    this.next = next;
    this.suffix = suffix;
  }

  @Override
  public void token(String text) {
    handOn(" ");
    held = text;
  }

  @Override
  public void end() {
    handOn("");
    next.end();
  }

  private void handOn(String replacement) {
    if (held != null) {
      next.token(held.replace(suffix, replacement));
      held = null;
    }
  }
}
