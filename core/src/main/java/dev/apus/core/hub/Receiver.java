package dev.apus.core.hub;

import java.io.IOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Subscription;

/** Hands an answer's bytes on as they come: all, or a range of them. */
final class Receiver implements BodySubscriber<Void> {

  /** Takes bytes, in their order. */
  interface Sink {
    void accept(ByteBuffer bytes) throws IOException;
  }

  private static final long ALL = Long.MAX_VALUE;

  private final CompletableFuture<Void> end = new CompletableFuture<>();
  private final Sink sink;
  private long before;
  private long left;
  private Subscription subscription;

  private Receiver(long before, long count, Sink sink) {
    this.before = before;
    this.left = count;
    this.sink = sink;
  }

  /** All of an answer, however long. */
  static Receiver all(Sink sink) {
    return new Receiver(0, ALL, sink);
  }

  /**
   * A range of an answer, which must have all of it.
   *
   * @param before how many bytes of the answer come before the range
   */
  static Receiver range(long before, long count, Sink sink) {
    return new Receiver(before, count, sink);
  }

  @Override
  public CompletionStage<Void> getBody() {
    return end;
  }

  @Override
  public void onSubscribe(Subscription given) {
    subscription = given;
    given.request(1);
  }

  @Override
  public void onNext(List<ByteBuffer> buffers) {
    try {
      for (ByteBuffer buffer : buffers) {
        take(buffer);
      }
    } catch (IOException | RuntimeException e) {
      subscription.cancel();
      end.completeExceptionally(e);
      return;
    }
    if (left == 0) {
      subscription.cancel();
      end.complete(null);
    } else {
      subscription.request(1);
    }
  }

  private void take(ByteBuffer buffer) throws IOException {
    int skipped = (int) Math.min(before, buffer.remaining());
    buffer.position(buffer.position() + skipped);
    before -= skipped;
    int taken = (int) Math.min(left, buffer.remaining());
    buffer.limit(buffer.position() + taken);
    left -= left == ALL ? 0 : taken;
    sink.accept(buffer);
  }

  @Override
  public void onError(Throwable fault) {
    end.completeExceptionally(fault);
  }

  @Override
  public void onComplete() {
    if (left > 0 && left != ALL) {
      end.completeExceptionally(new IOException("the answer ended " + left + " bytes too early"));
    } else {
      end.complete(null);
    }
  }
}
