package dev.apus.core.hub;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpResponse.ResponseInfo;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Requests to one hub. Follows where the hub redirects to, without its token; does not wait for
 * ever.
 */
final class Transport implements AutoCloseable {

  private static final int MOST_REDIRECTS = 10;
  private static final int LARGEST_ANSWER = 64 << 20;
  private static final int PARTIAL = 206;

  private final Hub hub;
  private final HttpClient client;

  Transport(Hub hub) {
    this.hub = hub;
    this.client =
        HttpClient.newBuilder()
            // With HTTP/2 all parts of a file would share one connection, and its speed.
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(hub.patience())
            .build();
  }

  /**
   * A short answer as a whole.
   *
   * @throws StatusException if the hub says anything but yes
   */
  byte[] get(URI address) throws IOException, InterruptedException {
    var bytes = new ByteArrayOutputStream();
    Receiver.Sink sink =
        buffer -> {
          if (bytes.size() + buffer.remaining() > LARGEST_ANSWER) {
            throw new HubException(address + ": the answer is larger than " + LARGEST_ANSWER);
          }
          byte[] some = new byte[buffer.remaining()];
          buffer.get(some);
          bytes.writeBytes(some);
        };
    send(address, null, (info, beat) -> Receiver.all(beating(sink, beat)));
    return bytes.toByteArray();
  }

  /**
   * A range of a file.
   *
   * @throws StatusException if the hub says anything but yes
   */
  void get(URI address, long from, long count, Receiver.Sink sink)
      throws IOException, InterruptedException {
    send(
        address,
        "bytes=" + from + "-" + (from + count - 1),
        (info, beat) -> {
          // Who knows no ranges sends all from the beginning.
          long before = info.statusCode() == PARTIAL ? 0 : from;
          return Receiver.range(before, count, beating(sink, beat));
        });
  }

  private static Receiver.Sink beating(Receiver.Sink sink, Runnable beat) {
    return buffer -> {
      beat.run();
      sink.accept(buffer);
    };
  }

  /** What takes a good answer; the runnable is called whenever something comes. */
  private interface Taking {
    BodySubscriber<Void> of(ResponseInfo info, Runnable beat);
  }

  private void send(URI address, String range, Taking taking)
      throws IOException, InterruptedException {
    URI at = address;
    for (int redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      HttpRequest.Builder request = HttpRequest.newBuilder(at).header("User-Agent", "apus");
      if (range != null) {
        request.header("Range", range);
      }
      if (hub.token() != null && isOfTheHub(at)) {
        request.header("Authorization", "Bearer " + hub.token());
      }
      HttpResponse<Void> response = answer(request.build(), taking);
      if (isGood(response.statusCode())) {
        return;
      }
      if (response.statusCode() / 100 != 3) {
        throw StatusException.of(at, response);
      }
      at = redirected(at, response);
    }
    throw new IOException(address + " redirects more than " + MOST_REDIRECTS + " times");
  }

  private URI redirected(URI from, HttpResponse<?> response) throws IOException {
    String location = response.headers().firstValue("Location").orElse("");
    try {
      URI to = from.resolve(location);
      boolean safe = "https".equals(to.getScheme()) || from.getScheme().equals(to.getScheme());
      if (!location.isEmpty() && safe && to.getHost() != null) {
        return to;
      }
    } catch (IllegalArgumentException e) {
      throw new IOException(from + " redirects to \"" + location + "\", which is no address", e);
    }
    throw new IOException(from + " redirects to \"" + location + "\", where Apus does not follow");
  }

  private boolean isOfTheHub(URI address) {
    URI endpoint = hub.endpoint();
    return Objects.equals(endpoint.getScheme(), address.getScheme())
        && Objects.equals(endpoint.getHost(), address.getHost())
        && endpoint.getPort() == address.getPort();
  }

  private static boolean isGood(int status) {
    return status == 200 || status == PARTIAL;
  }

  private HttpResponse<Void> answer(HttpRequest request, Taking taking)
      throws IOException, InterruptedException {
    AtomicLong last = new AtomicLong(System.nanoTime());
    Runnable beat = () -> last.set(System.nanoTime());
    BodyHandler<Void> handler =
        info -> isGood(info.statusCode()) ? taking.of(info, beat) : BodySubscribers.discarding();
    CompletableFuture<HttpResponse<Void>> answer = client.sendAsync(request, handler);
    try {
      while (true) {
        Duration silent = Duration.ofNanos(System.nanoTime() - last.get());
        Duration left = hub.patience().minus(silent);
        if (!left.isPositive()) {
          throw new IOException("nothing came for " + hub.patience().toMillis() / 1000.0 + " s");
        }
        try {
          return answer.get(left.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
          // Something may have come meanwhile.
        }
      }
    } catch (ExecutionException e) {
      throw thrown(e.getCause());
    } finally {
      answer.cancel(true);
    }
  }

  private static IOException thrown(Throwable cause) {
    return switch (cause) {
      case RuntimeException fault -> throw fault;
      case Error fault -> throw fault;
      case IOException fault -> fault;
      default -> new IOException(cause);
    };
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
