package dev.apus.core.hub;

import dev.apus.core.file.Safetensors;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One model's way into the cache. */
final class Pull {

  private static final Logger LOG = LoggerFactory.getLogger(Hub.class);

  private final Hub hub;
  private final HubModel model;
  private final PullListener listener;
  private final HubCache cache;
  private final Patience patience;

  Pull(Hub hub, HubModel model, PullListener listener) {
    this.hub = hub;
    this.model = model;
    this.listener = new Ordered(listener);
    this.cache = new HubCache(hub.cache(), model);
    this.patience = new Patience(hub.pause(), this.listener);
  }

  /** Hears one call at a time. */
  private record Ordered(PullListener listener) implements PullListener {

    @Override
    public synchronized void begins(int files, long bytes, long present) {
      listener.begins(files, bytes, present);
    }

    @Override
    public synchronized void received(long bytes) {
      listener.received(bytes);
    }

    @Override
    public synchronized void tellsTrouble(String sentence) {
      listener.tellsTrouble(sentence);
    }
  }

  Path run() {
    Optional<Path> cached = cached();
    if (cached.isPresent() && (hub.isOffline() || model.isPinned())) {
      return cached.get();
    }
    if (hub.isOffline()) {
      throw new HubException(
          model + ": is not in " + hub.cache() + ", and the network must not be used");
    }
    try (Transport transport = new Transport(hub)) {
      HubListing listing;
      try {
        listing = listing(transport);
      } catch (StatusException e) {
        throw refused(e);
      } catch (IOException e) {
        if (cached.isPresent()) {
          LOG.warn(
              "{}: {} cannot be reached ({}); what was pulled before is used",
              model,
              hub.endpoint(),
              Patience.reason(e));
          return cached.get();
        }
        throw unreachable(e);
      }
      return fetch(transport, listing);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HubException(model + ": was interrupted; what came stays", e);
    }
  }

  /** What is complete in the cache. */
  private Optional<Path> cached() {
    return cache
        .commit(model)
        .map(cache::snapshot)
        .filter(Files::isDirectory)
        .flatMap(this::completeIn);
  }

  private Optional<Path> completeIn(Path folder) {
    try {
      if (model.variant() == null && Files.exists(folder.resolve("config.json"))) {
        Path index = folder.resolve(Safetensors.INDEX);
        boolean complete =
            Files.exists(folder.resolve(Safetensors.SINGLE))
                || Files.exists(index)
                    && Wanted.shards(index.toString(), Files.readAllBytes(index)).stream()
                        .allMatch(shard -> Files.exists(folder.resolve(shard)));
        if (complete) {
          return Optional.of(folder);
        }
      }
      List<String> paths;
      try (Stream<Path> all = Files.walk(folder)) {
        paths =
            all.filter(Files::isRegularFile)
                .map(path -> folder.relativize(path).toString().replace('\\', '/'))
                .toList();
      }
      List<String> files = Wanted.gguf(model, paths);
      return Wanted.isWhole(files) ? Optional.of(folder.resolve(files.get(0))) : Optional.empty();
    } catch (IOException | HubException | InvalidPathException e) {
      return Optional.empty();
    }
  }

  private HubListing listing(Transport transport) throws IOException, InterruptedException {
    URI address =
        address(
            "/api/models/" + model.repository() + "/revision/", model.revision(), "?blobs=true");
    return HubListing.parse(
        address.toString(),
        patience.keepTrying(model.toString(), () -> 0, () -> transport.get(address)));
  }

  private URI address(String before, String path, String after) {
    String encoded =
        Arrays.stream(path.split("/"))
            .map(part -> URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20"))
            .collect(Collectors.joining(before.endsWith("/revision/") ? "%2F" : "/"));
    return URI.create(hub.endpoint() + before + encoded + after);
  }

  private Path fetch(Transport transport, HubListing listing) throws InterruptedException {
    try (Crew crew = new Crew(hub.connections())) {
      var line = new Download.Line(transport, patience, listener, crew);
      List<String> weights = weights(listing, line);
      boolean packed = weights.get(0).endsWith(".gguf");
      List<HubFile> files =
          listing.files().stream()
              .filter(
                  file ->
                      weights.contains(file.path()) || !packed && Wanted.isSettings(file.path()))
              .toList();
      requireRoom(files);
      listener.begins(files.size(), sum(files), present(files));
      Crew.Team team = crew.new Team();
      for (HubFile file : files) {
        team.oversee(() -> get(listing, file, line));
      }
      team.join();
      cache.remember(model, listing.commit());
      Path folder = cache.snapshot(listing.commit());
      return packed ? folder.resolve(weights.get(0)) : folder;
    } catch (StatusException e) {
      throw refused(e);
    } catch (IOException e) {
      throw new HubException(
          model + ": " + Patience.reason(e) + "; what came stays, and another pull goes on", e);
    }
  }

  /** The files with the weights; of GGUF files, the one to open comes first. */
  private List<String> weights(HubListing listing, Download.Line line)
      throws IOException, InterruptedException {
    if (model.variant() == null && listing.file(Safetensors.SINGLE).isPresent()) {
      return List.of(Safetensors.SINGLE);
    }
    Optional<HubFile> index = listing.file(Safetensors.INDEX);
    if (model.variant() == null && index.isPresent()) {
      get(listing, index.get(), line);
      byte[] json = Files.readAllBytes(cache.blob(index.get()));
      List<String> shards = Wanted.shards(model + "/" + Safetensors.INDEX, json);
      for (String shard : shards) {
        if (listing.file(shard).isEmpty()) {
          throw new HubException(model + ": the index names " + shard + ", which is not there");
        }
      }
      return shards;
    }
    return Wanted.gguf(model, listing.files().stream().map(HubFile::path).toList());
  }

  private Void get(HubListing listing, HubFile file, Download.Line line)
      throws IOException, InterruptedException {
    if (!cache.has(file)) {
      try (HubCache.Held _ = cache.hold(file)) {
        if (!cache.has(file)) {
          URI address =
              address(
                  "/" + model.repository() + "/resolve/" + listing.commit() + "/", file.path(), "");
          new Download(file, address, cache.blob(file), line).run();
        }
      }
    }
    cache.link(listing.commit(), file);
    return null;
  }

  private static long sum(List<HubFile> files) {
    return files.stream().mapToLong(HubFile::size).sum();
  }

  private long present(List<HubFile> files) throws IOException {
    long present = 0;
    for (HubFile file : files) {
      present += cache.has(file) ? file.size() : Download.begun(file, cache.blob(file));
    }
    return present;
  }

  private void requireRoom(List<HubFile> files) throws IOException {
    Files.createDirectories(hub.cache());
    FileStore store = Files.getFileStore(hub.cache());
    long needed = sum(files) - present(files);
    if (needed > store.getUsableSpace()) {
      throw new HubException(
          String.format(
              Locale.ROOT,
              "%s: needs %d bytes more, %s has %d left; HF_HUB_CACHE names another folder",
              model,
              needed,
              hub.cache(),
              store.getUsableSpace()));
    }
  }

  private HubException refused(StatusException e) {
    String page = hub.endpoint() + "/" + model.repository();
    String sentence =
        switch (e.status()) {
          case 401, 403 ->
              hub.token() == null
                  ? "is not there for everybody, or not at all: see "
                      + page
                      + ", accept its terms there if it has any, and set HF_TOKEN"
                  : "is not there for your token: see "
                      + page
                      + ", accept its terms there if it has any";
          case 404 -> "there is no such model or revision, or it is private; see " + page;
          default -> e.getMessage() + "; try again later";
        };
    return new HubException(model + ": " + sentence + " (status " + e.status() + ")", e);
  }

  private HubException unreachable(IOException e) {
    return new HubException(
        model
            + ": "
            + hub.endpoint()
            + " cannot be reached ("
            + Patience.reason(e)
            + "), and the model is not in "
            + hub.cache(),
        e);
  }
}
