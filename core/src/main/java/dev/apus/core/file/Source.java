package dev.apus.core.file;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * The bytes of one file while it is being opened: pieces of it for the header, and, when every
 * claim of the header has been checked against its size, all of it.
 */
sealed interface Source extends AutoCloseable permits FileSource, MemorySource {

  /** What messages call it. */
  String name();

  /** Its length in bytes, learnt once. */
  long size();

  /** Fills {@code into} from the bytes at {@code at}, which the caller knows to be there. */
  void read(long at, ByteBuffer into);

  /** All bytes, for as long as the mapping is open; outlives this source. */
  Mapping map();

  @Override
  void close();

  /**
   * What the file seems to be instead of what it should be, as the end of a message; or nothing.
   */
  default String lookalike() {
    byte[] start = new byte[(int) Math.min(size(), 8)];
    read(0, ByteBuffer.wrap(start));
    return switch (new String(start, StandardCharsets.ISO_8859_1)) {
      case "version " -> "; it looks like a Git LFS pointer: fetch the file that it stands for";
      case "<!DOCTYP", "<!doctyp" -> "; it looks like a web page: the download went wrong";
      case String s when s.startsWith("GGUF") -> "; it looks like a GGUF file";
      case String s when s.startsWith("PK") -> "; it looks like a zip or PyTorch file: convert it";
      default -> "";
    };
  }

  /** A source that is already in memory. */
  static Source of(String name, MemorySegment bytes) {
    return new MemorySource(name, bytes.asReadOnly());
  }
}
