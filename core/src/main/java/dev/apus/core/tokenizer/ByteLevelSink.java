package dev.apus.core.tokenizer;

/** Joins the bytes that tokens spell to characters. */
final class ByteLevelSink implements Decoding.Sink {

  private final Decoding.Sink next;
  private final Utf8 utf8 = new Utf8();
  private final StringBuilder ready = new StringBuilder();

  ByteLevelSink(Decoding.Sink next) {
    this.next = next;
  }

  @Override
  public void token(String text) {
    for (byte b : ByteAlphabet.bytes(text)) {
      utf8.accept(b, ready);
    }
    handOn();
  }

  @Override
  public void end() {
    utf8.end(ready);
    handOn();
    next.end();
  }

  private void handOn() {
    if (!ready.isEmpty()) {
      next.token(ready.toString());
      ready.setLength(0);
    }
  }
}
