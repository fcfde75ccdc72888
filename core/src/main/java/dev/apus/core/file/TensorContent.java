package dev.apus.core.file;

import java.io.IOException;
import java.nio.channels.WritableByteChannel;

/** The bytes of a tensor that are made only when its file is written, piece by piece. */
@FunctionalInterface
public interface TensorContent {

  /** Writes all bytes, in the order of the file; to write more or fewer is an error. */
  void writeTo(WritableByteChannel out) throws IOException;
}
