package dev.apus.attention.softmax;

import static dev.apus.attention.softmax.CachePage.SLOTS;

import dev.apus.kernels.attention.CacheFormat;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The pages of a cache in a file, and how far it has come.
 *
 * @param oldest the first page that has not been forgotten, but for pinned ones
 * @param pages by their spans; null where they were forgotten
 */
record CacheFile(int length, int oldest, List<CachePage> pages) {

  void write(CacheLayout layout, Reach reach, DataOutput out) throws IOException {
    out.writeUTF(layout.kernel().format().name());
    out.writeInt(length);
    out.writeInt(oldest);
    for (int i = 0; i < CachePage.count(length); i++) {
      if (reach.keeps(i, oldest)) {
        pages.get(i).write(out, Math.min(SLOTS, length - i * SLOTS));
      }
    }
  }

  /**
   * Reads pages of the caller's own.
   *
   * @param expected so many slots must have been written; below 0 for any number
   */
  static CacheFile read(DataInput in, CacheLayout layout, Reach reach, int limit, int expected)
      throws IOException {
    CacheFormat wanted = layout.kernel().format();
    String format = in.readUTF();
    if (!format.equals(wanted.name())) {
      throw new IOException("a cache in " + format + " was written, this one is in " + wanted);
    }
    int length = in.readInt();
    if (length < 0 || length > limit) {
      throw new IOException("a cache of " + length + " tokens does not fit a limit of " + limit);
    }
    if (expected >= 0 && length != expected) {
      throw new IOException(length + " summaries of blocks were written; needed: " + expected);
    }
    int first = in.readInt();
    if (first < 0 || first > reach.firstPage(length)) {
      throw new IOException(
          "a cache of " + length + " tokens was written from page " + first + " on");
    }
    var file = new CacheFile(length, first, new ArrayList<>());
    try {
      for (int i = 0; i < CachePage.count(length); i++) {
        int used = Math.min(SLOTS, length - i * SLOTS);
        CacheLayout kept = used < SLOTS ? layout.recent() : layout;
        file.pages.add(reach.keeps(i, first) ? CachePage.read(in, kept, i, used) : null);
      }
      return file;
    } catch (IOException | RuntimeException | Error e) {
      file.release();
      throw e;
    }
  }

  void release() {
    CachePage.releaseAll(pages);
  }
}
