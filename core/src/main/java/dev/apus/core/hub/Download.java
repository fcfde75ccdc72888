package dev.apus.core.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Gets one content into the cache: parts side by side into a draft, which becomes a blob when its
 * digest is right.
 */
final class Download {

  /** How much may have to come again after a crash. */
  private static final long BYTES_BETWEEN_NOTES = 8L << 20;

  private final HubFile file;
  private final URI address;
  private final Path blob;
  private final Path draft;
  private final Path note;
  private final Line line;

  /** What all downloads of a pull share. */
  record Line(Transport transport, Patience patience, PullListener listener, Crew crew) {}

  Download(HubFile file, URI address, Path blob, Line line) {
    this.file = file;
    this.address = address;
    this.blob = blob;
    // Not the name of other tools' drafts: they would take a file with gaps for a beginning.
    this.draft = blob.resolveSibling(file.digest() + ".apus");
    this.note = blob.resolveSibling(file.digest() + ".apus-parts");
    this.line = line;
  }

  /** Bytes that an earlier process has got of a content that is not complete. */
  static long begun(HubFile file, Path blob) throws IOException {
    Path draft = blob.resolveSibling(file.digest() + ".apus");
    return Files.isRegularFile(draft)
        ? Parts.of(blob.resolveSibling(file.digest() + ".apus-parts"), file.size()).received()
        : 0;
  }

  /**
   * Gets the content, once more if the first came damaged.
   *
   * @throws HubException if it comes damaged again
   */
  void run() throws IOException, InterruptedException {
    String found = once();
    if (!found.equals(file.digest())) {
      line.listener().received(-file.size());
      line.listener().tellsTrouble(file.path() + ": came damaged; all of it has to come again");
      found = once();
    }
    if (!found.equals(file.digest())) {
      throw new HubException(
          String.join(
              "",
              file.path(),
              ": came damaged twice: the hub says digest ",
              file.digest(),
              ", what came has ",
              found,
              "; perhaps something between here and the hub changes it"));
    }
  }

  /** The digest of what came; what is right has its place then, and the rest is gone. */
  private String once() throws IOException, InterruptedException {
    if (!Files.isRegularFile(draft)) {
      Files.deleteIfExists(note);
    }
    Parts parts = Parts.of(note, file.size());
    try (FileChannel out =
        FileChannel.open(draft, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      fill(parts, out);
      out.truncate(file.size());
      out.force(true);
    }
    String found = file.digestOf(draft);
    if (found.equals(file.digest())) {
      Files.move(draft, blob, StandardCopyOption.ATOMIC_MOVE);
    } else {
      Files.delete(draft);
    }
    Files.deleteIfExists(note);
    return found;
  }

  private void fill(Parts parts, FileChannel out) throws IOException, InterruptedException {
    Crew.Team team = line.crew().new Team();
    for (int part = 0; part < parts.count(); part++) {
      if (!parts.isComplete(part)) {
        int which = part;
        team.start(() -> get(parts, which, out));
      }
    }
    team.join();
  }

  private Void get(Parts parts, int part, FileChannel out)
      throws IOException, InterruptedException {
    try {
      return line.patience()
          .keepTrying(
              file.path(),
              () -> parts.received(part),
              () -> {
                long got = parts.received(part);
                line.transport()
                    .get(
                        address,
                        parts.start(part) + got,
                        parts.bytes(part) - got,
                        bytes -> put(bytes, parts, part, out));
                return null;
              });
    } finally {
      // What came is noted though the thread be told to stop, which would close the note's file.
      boolean stopped = Thread.interrupted();
      parts.save();
      if (stopped) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void put(ByteBuffer bytes, Parts parts, int part, FileChannel out) throws IOException {
    long before = parts.received(part);
    int count = bytes.remaining();
    try {
      for (long at = parts.start(part) + before; bytes.hasRemaining(); ) {
        at += out.write(bytes, at);
      }
    } catch (FileSystemException e) {
      throw e;
    } catch (IOException e) {
      throw new HubException(draft + ": cannot be written: " + e.getMessage(), e);
    }
    parts.add(part, count);
    line.listener().received(count);
    if (before / BYTES_BETWEEN_NOTES != (before + count) / BYTES_BETWEEN_NOTES) {
      parts.save();
    }
  }
}
