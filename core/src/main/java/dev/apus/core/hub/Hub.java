package dev.apus.core.hub;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A hub of models in the manner of Hugging Face, and the cache on this machine, which other tools
 * for the same hub share. Immutable.
 *
 * <p>Models come over several connections; what was cut off goes on where it stopped, in the same
 * process or the next one; every content is compared with its digest before it gets its place.
 */
public final class Hub {

  private static final URI PUBLIC = URI.create("https://huggingface.co");
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration PAUSE = Duration.ofSeconds(1);
  private static final int CONNECTIONS = 8;
  private static final Set<String> YES = Set.of("1", "ON", "YES", "TRUE");
  private static final Set<String> THIS_MACHINE = Set.of("localhost", "127.0.0.1", "[::1]");

  private final URI endpoint;
  private final Path cache;
  private final String token;
  private final boolean offline;
  private final Duration patience;
  private final Duration pause;

  private Hub(
      URI endpoint, Path cache, String token, boolean offline, Duration patience, Duration pause) {
    this.endpoint = endpoint;
    this.cache = cache;
    this.token = token;
    this.offline = offline;
    this.patience = patience;
    this.pause = pause;
  }

  /**
   * As the environment says, by the variables of Hugging Face's own tools: {@code HF_ENDPOINT},
   * {@code HF_TOKEN} or the file {@code HF_TOKEN_PATH}, {@code HF_HUB_CACHE} or {@code HF_HOME},
   * and {@code HF_HUB_OFFLINE}. Without any, the public hub and {@code ~/.cache/huggingface}.
   *
   * @throws HubException if one has a value that makes no sense
   */
  public static Hub standard() {
    return of(System.getenv(), Path.of(System.getProperty("user.home")));
  }

  static Hub of(Map<String, String> environment, Path home) {
    Path caches = path(environment, "XDG_CACHE_HOME", home.resolve(".cache"));
    Path own = path(environment, "HF_HOME", caches.resolve("huggingface"));
    String endpoint = environment.getOrDefault("HF_ENDPOINT", "");
    boolean offline =
        YES.contains(environment.getOrDefault("HF_HUB_OFFLINE", "").toUpperCase(Locale.ROOT));
    Hub hub =
        new Hub(
            PUBLIC,
            path(environment, "HF_HUB_CACHE", own.resolve("hub")),
            token(environment, own),
            offline,
            PATIENCE,
            PAUSE);
    return endpoint.isBlank() ? hub : hub.withEndpoint(endpoint);
  }

  private static Path path(Map<String, String> environment, String variable, Path otherwise) {
    String value = environment.getOrDefault(variable, "");
    return value.isBlank() ? otherwise : Path.of(value);
  }

  private static String token(Map<String, String> environment, Path own) {
    String token = environment.getOrDefault("HF_TOKEN", "").strip();
    Path file = path(environment, "HF_TOKEN_PATH", own.resolve("token"));
    try {
      if (token.isEmpty() && Files.isRegularFile(file)) {
        token = Files.readString(file).strip();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return token.isEmpty() ? null : token;
  }

  /**
   * Another hub that answers like Hugging Face's.
   *
   * @throws HubException if the address is none of {@code http} or {@code https}
   */
  public Hub withEndpoint(String address) {
    URI uri;
    try {
      uri = URI.create(address.replaceFirst("/+$", ""));
    } catch (IllegalArgumentException e) {
      throw new HubException("the hub's address \"" + address + "\" is none", e);
    }
    boolean web = "https".equals(uri.getScheme()) || "http".equals(uri.getScheme());
    if (!web || uri.getHost() == null) {
      throw new HubException(
          "the hub's address \"" + address + "\" is none; needed: https://HOST, or http://HOST");
    }
    return new Hub(uri, cache, token, offline, patience, pause);
  }

  /** Another folder for what is pulled. */
  public Hub withCache(Path folder) {
    return new Hub(endpoint, folder, token, offline, patience, pause);
  }

  /** Shows a token to the hub, and to nobody whom it redirects to. */
  public Hub withToken(String secret) {
    return new Hub(endpoint, cache, secret, offline, patience, pause);
  }

  /** Without the network: only what is in the cache. */
  public Hub offline() {
    return new Hub(endpoint, cache, token, true, patience, pause);
  }

  /**
   * How long a connection may be silent until another is tried, and how long to wait before that;
   * the wait doubles each time.
   */
  public Hub withPatience(Duration silence, Duration wait) {
    return new Hub(endpoint, cache, token, offline, silence, wait);
  }

  /** Like {@link #pull(HubModel, PullListener)}, unheard. */
  public Path pull(HubModel model) {
    return pull(model, PullListener.NONE);
  }

  /**
   * Gets what is missing of a model.
   *
   * <p>A repository that has safetensors files is a folder with these and its settings; of one that
   * has GGUF files, one file is meant. If the hub cannot be reached, what the cache has of the
   * model is used, and the log says so.
   *
   * @return what {@link dev.apus.core.Model#load(Path)} opens: a folder or a GGUF file
   * @throws HubException if it cannot be had; what came stays and need not come again
   */
  public Path pull(HubModel model, PullListener listener) {
    requireSecrecy();
    var pull = new Pull(this, model, listener);
    return pull.run();
  }

  private void requireSecrecy() {
    if (token != null
        && endpoint.getScheme().equals("http")
        && !THIS_MACHINE.contains(endpoint.getHost())) {
      throw new HubException(
          endpoint + ": a token would go there for everybody to read; use https, or no token");
    }
  }

  URI endpoint() {
    return endpoint;
  }

  Path cache() {
    return cache;
  }

  String token() {
    return token;
  }

  boolean isOffline() {
    return offline;
  }

  Duration patience() {
    return patience;
  }

  Duration pause() {
    return pause;
  }

  int connections() {
    return CONNECTIONS;
  }
}
