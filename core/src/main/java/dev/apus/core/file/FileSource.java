package dev.apus.core.file;

import dev.apus.core.json.Printable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file on disk, read through a channel and then mapped. */
final class FileSource implements Source {

  private final String name;
  private final FileChannel channel;
  private final long size;

  private FileSource(String name, FileChannel channel, long size) {
    this.name = name;
    this.channel = channel;
    this.size = size;
  }

  /** Opens a regular file; a folder, a pipe or a device is refused without opening it. */
  static FileSource open(Path file) {
    String name = Printable.fileName(file);
    Place place = Place.file(name);
    if (!Files.isRegularFile(file)) {
      String found =
          Files.isDirectory(file)
              ? "is a folder"
              : Files.exists(file) ? "is a device or a pipe" : "is not there";
      throw place.error("%s; needed: a file at %s", found, file);
    }
    FileChannel channel = null;
    try {
      channel = FileChannel.open(file, StandardOpenOption.READ);
      return new FileSource(name, channel, channel.size());
    } catch (IOException e) {
      closeQuietly(channel, e);
      throw unreadable(place, e);
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void read(long at, ByteBuffer into) {
    long next = at;
    try {
      while (into.hasRemaining()) {
        int count = channel.read(into, next);
        if (count < 0) {
          throw Place.file(name)
              .error("ended at byte %d while it was read; it had %d bytes before", next, size);
        }
        next += count;
      }
    } catch (IOException e) {
      throw unreadable(Place.file(name), e);
    }
  }

  @Override
  public Mapping map() {
    Arena arena = Arena.ofShared();
    try {
      return new Mapping(channel.map(MapMode.READ_ONLY, 0, size, arena), arena::close);
    } catch (IOException e) {
      arena.close();
      throw new FormatException(
          Place.file(name)
              + " cannot be mapped, all "
              + size
              + " bytes of it; the address space may be limited (ulimit -v): "
              + e.getMessage(),
          e);
    }
  }

  @Override
  public void close() {
    closeQuietly(channel, null);
  }

  private static FormatException unreadable(Place place, IOException e) {
    String reason =
        switch (e) {
          case ClosedByInterruptException interrupted -> "reading was interrupted";
          case AccessDeniedException denied -> "cannot be read: permission denied";
          default -> "cannot be read: " + e.getMessage();
        };
    return new FormatException(place + " " + reason, e);
  }

  private static void closeQuietly(FileChannel channel, IOException reason) {
    if (channel == null) {
      return;
    }
    try {
      channel.close();
    } catch (IOException e) {
      if (reason != null) {
        reason.addSuppressed(e);
      }
    }
  }
}
