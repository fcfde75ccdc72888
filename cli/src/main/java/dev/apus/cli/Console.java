package dev.apus.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/** The process' own streams. */
final class Console {

  private Console() {}

  static PrintWriter out() {
    return writer(FileDescriptor.out);
  }

  static PrintWriter err() {
    return writer(FileDescriptor.err);
  }

  /** Whether a person sees what is written; not so in files and pipes. */
  static boolean isTerminal() {
    return System.console() != null && System.console().isTerminal();
  }

  private static PrintWriter writer(FileDescriptor to) {
    return new PrintWriter(new FileOutputStream(to), true, charset());
  }

  /**
   * A terminal's own charset, if it has more than ASCII; UTF-8 for files and pipes, so that what is
   * written does not depend on where.
   */
  private static Charset charset() {
    String named = System.getProperty("stdout.encoding");
    if (named == null || !isTerminal()) {
      return StandardCharsets.UTF_8;
    }
    Charset charset = Charset.forName(named, StandardCharsets.UTF_8);
    return charset.equals(StandardCharsets.US_ASCII) ? StandardCharsets.UTF_8 : charset;
  }

  /**
   * All text that comes in, without the line break that ends it.
   *
   * @throws CharacterCodingException if it is not UTF-8
   */
  static String read(InputStream in) throws IOException {
    String text =
        StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(in.readAllBytes())).toString();
    return text.replaceFirst("\\R\\z", "");
  }
}
