package dev.apus.core.hub;

import dev.apus.core.file.AtomicFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * The part of the cache that holds one repository, laid out as Hugging Face's own tools do, so that
 * each finds what the other has pulled: contents by their digest in {@code blobs}, and for each
 * commit a folder in {@code snapshots} whose files link there; {@code refs} says at which commit a
 * branch was.
 */
final class HubCache {

  private static final long LOCK_PAUSE_MILLIS = 100;

  private final Path root;
  private final Path locks;

  /**
   * @param cache the folder of all repositories
   */
  HubCache(Path cache, HubModel model) {
    String folder = "models--" + model.owner() + "--" + model.name();
    this.root = cache.resolve(folder);
    this.locks = cache.resolve(".locks").resolve(folder);
  }

  /** The commit at which a branch or tag was when it was last asked for. */
  Optional<String> commit(HubModel model) {
    if (model.isPinned()) {
      return Optional.of(model.revision());
    }
    Path ref = ref(model.revision());
    try {
      return Files.isRegularFile(ref)
          ? Optional.of(Files.readString(ref).strip()).filter(HubModel::isCommit)
          : Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Remembers at which commit a branch or tag is. */
  void remember(HubModel model, String commit) throws IOException {
    if (!model.isPinned()) {
      Path ref = ref(model.revision());
      Files.createDirectories(ref.getParent());
      byte[] content = commit.getBytes(StandardCharsets.UTF_8);
      AtomicFile.write(ref, out -> out.write(ByteBuffer.wrap(content)));
    }
  }

  private Path ref(String revision) {
    return root.resolve("refs").resolve(revision);
  }

  /** The folder in which a commit's files lie. */
  Path snapshot(String commit) {
    return root.resolve("snapshots").resolve(commit);
  }

  /** Where the content of a file lies, or will. */
  Path blob(HubFile file) {
    return root.resolve("blobs").resolve(file.digest());
  }

  boolean has(HubFile file) {
    return Files.isRegularFile(blob(file));
  }

  /** Makes a file appear in a commit's folder; its content is here. */
  void link(String commit, HubFile file) throws IOException {
    Path place = snapshot(commit).resolve(file.path());
    if (Files.exists(place)) {
      return;
    }
    Files.createDirectories(place.getParent());
    Files.deleteIfExists(place);
    Path blob = blob(file);
    try {
      Files.createSymbolicLink(place, place.getParent().relativize(blob));
    } catch (UnsupportedOperationException | FileSystemException e) {
      // Some systems do not let everybody make links.
      Files.copy(blob, place, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /**
   * Waits until nobody else, in this process or another, gets the same content.
   *
   * @throws InterruptedException if the thread is interrupted meanwhile
   */
  Held hold(HubFile file) throws IOException, InterruptedException {
    Files.createDirectories(locks);
    Files.createDirectories(blob(file).getParent());
    FileChannel channel =
        FileChannel.open(
            locks.resolve(file.digest() + ".lock"),
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE);
    try {
      while (!isLocked(channel)) {
        Thread.sleep(LOCK_PAUSE_MILLIS);
      }
      return channel::close;
    } catch (IOException | InterruptedException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static boolean isLocked(FileChannel channel) throws IOException {
    try {
      FileLock lock = channel.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }

  /** The right to get one content. */
  interface Held extends AutoCloseable {
    @Override
    void close() throws IOException;
  }
}
