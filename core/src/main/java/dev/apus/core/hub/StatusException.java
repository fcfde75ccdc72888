package dev.apus.core.hub;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Set;

/** An answer other than yes. */
final class StatusException extends IOException {

  private static final long serialVersionUID = 1;

  /** Too early, too much, or the hub's own trouble. */
  private static final Set<Integer> PASSING = Set.of(408, 425, 429, 500, 502, 503, 504);

  private final int status;
  private final Duration delay;

  private StatusException(URI address, int status, Duration delay) {
    super(address + " answers " + status);
    this.status = status;
    this.delay = delay;
  }

  static StatusException of(URI address, HttpResponse<?> response) {
    Duration delay =
        response
            .headers()
            .firstValue("Retry-After")
            .filter(text -> text.matches("\\d{1,4}"))
            .map(seconds -> Duration.ofSeconds(Long.parseLong(seconds)))
            .orElse(Duration.ZERO);
    return new StatusException(address, response.statusCode(), delay);
  }

  int status() {
    return status;
  }

  boolean isPassing() {
    return PASSING.contains(status);
  }

  /** How long the hub asks to wait at least. */
  Duration delay() {
    return delay;
  }
}
