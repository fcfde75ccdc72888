package dev.apus.core.tokenizer;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes characters of runs of byte tokens. A run that is not UTF-8 as a whole is one U+FFFD per
 * byte, so nothing of a run can be told before its end.
 */
final class ByteFallbackSink implements Decoding.Sink {

  private final Decoding.Sink next;
  private final List<Byte> run = new ArrayList<>();

  ByteFallbackSink(Decoding.Sink next) {
    this.next = next;
  }

  @Override
  public void token(String text) {
    int value = ByteTokens.value(text);
    if (value >= 0) {
      run.add((byte) value);
      return;
    }
    handOn();
    next.token(text);
  }

  @Override
  public void end() {
    handOn();
    next.end();
  }

  private void handOn() {
    if (run.isEmpty()) {
      return;
    }
    ByteBuffer bytes = ByteBuffer.allocate(run.size());
    run.forEach(bytes::put);
    try {
      next.token(StandardCharsets.UTF_8.newDecoder().decode(bytes.flip()).toString());
    } catch (CharacterCodingException e) {
      run.forEach(_ -> next.token("\uFFFD"));
    }
    run.clear();
  }
}
