package dev.apus.core.tokenizer;

/** Joins SentencePiece's pieces to a text, as that library does. */
final class SentencePieceSink implements Decoding.Sink {

  private final Decoding.Sink next;
  private final String unknownPiece;
  private final String unknownSurface;
  private final boolean drops;
  private final boolean dropsAll;
  private final Utf8 utf8 = Utf8.countingBytes();
  private final StringBuilder ready = new StringBuilder();
  private boolean begun;
  private boolean dropped;

  SentencePieceSink(Decoding.Sink next, SentencePiece model) {
    this.next = next;
    this.unknownPiece = model.unknownPiece();
    this.unknownSurface = model.unknownSurface();
    this.drops = model.spaces().prefix() || model.spaces().merged();
    this.dropsAll = model.spaces().merged();
  }

  @Override
  public void token(String piece) {
    int value = ByteTokens.value(piece);
    if (value >= 0) {
      utf8.accept((byte) value, ready);
    } else {
      silence();
      append(piece);
    }
    handOn();
  }

  /** A character ends where its bytes do, even if more bytes follow after a silent token. */
  @Override
  public void silence() {
    utf8.end(ready);
    begun |= dropped || !ready.isEmpty();
    dropped = false;
  }

  /** Appends a piece; of the first ones, the space that normalization put there goes. */
  private void append(String piece) {
    if (piece.equals(unknownPiece) && unknownSurface != null) {
      ready.append(unknownSurface);
      return;
    }
    boolean drop = drops && !begun && !piece.isEmpty() && piece.charAt(0) == SentencePiece.SPACE;
    dropped = drop && !dropsAll;
    ready.append((drop ? piece.substring(1) : piece).replace(SentencePiece.SPACE, ' '));
  }

  @Override
  public void end() {
    utf8.end(ready);
    handOn();
    next.end();
    begun = false;
    dropped = false;
  }

  private void handOn() {
    if (!ready.isEmpty()) {
      next.token(ready.toString());
      ready.setLength(0);
      begun = true;
    }
  }
}
