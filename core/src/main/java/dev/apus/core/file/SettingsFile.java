package dev.apus.core.file;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * A small file of a checkpoint, read whole.
 *
 * <p>A download may hold anything: what is larger than such a file can be would fill the memory,
 * and what is no regular file may have no end or never begin.
 */
final class SettingsFile {

  private static final int LARGEST_SETTINGS = 4 << 20;

  /** A vocabulary, which the files of a tokenizer hold, may be long. */
  private static final int LARGEST_TOKENIZER = 256 << 20;

  private SettingsFile() {}

  /**
   * The content, or null if there is no such file.
   *
   * @throws FormatException if it is no regular file or link to one, is too large or cannot be read
   */
  static byte[] read(Path file) {
    if (!Files.exists(file)) {
      return null;
    }
    if (!Files.isRegularFile(file)) {
      throw new FormatException(file + ": is no regular file; needed: a file");
    }
    int largest = largest(file);
    try (InputStream in = Files.newInputStream(file)) {
      long size = Files.size(file);
      // A file may tell a size of 0 and go on for ever, or grow while it is read.
      byte[] content = size > largest ? new byte[0] : in.readNBytes(largest + 1);
      if (Math.max(size, content.length) > largest) {
        throw new FormatException(
            String.format(
                Locale.ROOT,
                "%s: has %d bytes; at most %d make sense",
                file,
                Math.max(size, content.length),
                largest));
      }
      return content;
    } catch (IOException e) {
      throw new FormatException(file + ": cannot be read: " + e, e);
    }
  }

  /** Copies a file, if there is one. */
  static void copy(Path from, Path to) throws IOException {
    byte[] content = read(from);
    if (content != null) {
      AtomicFile.write(to, out -> AtomicFile.write(out, ByteBuffer.wrap(content)));
    }
  }

  private static int largest(Path file) {
    return switch (file.getFileName().toString()) {
      case "tokenizer.json",
          "tokenizer_config.json",
          "tokenizer.model",
          "spiece.model",
          "vocab.json",
          "vocab.txt",
          "merges.txt",
          "sentencepiece.bpe.model",
          "tiktoken.model",
          "qwen.tiktoken",
          "rwkv_vocab_v20230424.txt" ->
          LARGEST_TOKENIZER;
      default -> LARGEST_SETTINGS;
    };
  }
}
