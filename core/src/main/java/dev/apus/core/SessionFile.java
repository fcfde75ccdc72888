package dev.apus.core;

import dev.apus.core.file.FormatException;
import dev.apus.core.file.SealedInput;
import dev.apus.core.file.SealedOutput;
import dev.apus.core.json.Printable;
import dev.apus.core.model.SequenceState;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Sessions in files: what the model must be, the tokens, the logits if they are known, and the
 * state.
 */
final class SessionFile {

  private static final String MAGIC = "ApusSess";
  private static final int VERSION = 2;

  private SessionFile() {}

  /** Everything but the state, which is at the end. */
  record Head(int limit, int variant, int[] tokens, float[] logits, boolean exact) {

    void write(DataOutputStream out) throws IOException {
      out.writeInt(limit);
      out.writeInt(variant);
      out.writeBoolean(exact);
      out.writeInt(tokens.length);
      for (int token : tokens) {
        out.writeInt(token);
      }
      out.writeInt(logits == null ? 0 : logits.length);
      for (int i = 0; logits != null && i < logits.length; i++) {
        out.writeFloat(logits[i]);
      }
    }
  }

  static void write(Fingerprint model, Head head, SequenceState state, OutputStream to)
      throws IOException {
    var sealed = new SealedOutput(to, MAGIC, VERSION);
    var out = new DataOutputStream(sealed);
    model.write(out);
    head.write(out);
    state.write(out);
    sealed.finish();
  }

  /**
   * @param limit 0 for that of the saved session
   */
  static Session read(Model model, Path file, int limit) {
    String name = Printable.fileName(file);
    if (!Files.isRegularFile(file)) {
      String found = Files.exists(file) ? "is not a file" : "is not there";
      throw new FormatException(name + ": " + found + "; needed: a saved session at " + file);
    }
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 17)) {
      return read(model, in, name, limit, true);
    } catch (IOException e) {
      throw new FormatException(name + ": cannot be read: " + e.getMessage(), e);
    }
  }

  static Session read(Model model, InputStream from, String name, int limit, boolean toTheEnd) {
    var sealed = new SealedInput(from, name, "a saved session", MAGIC, VERSION);
    var in = new DataInputStream(sealed);
    SequenceState state = null;
    try {
      String wrong = model.fingerprint().against(Fingerprint.read(in));
      if (wrong != null) {
        throw sealed.error("%s", wrong);
      }
      Head head = readHead(in, sealed, model, limit);
      state = model.newState(head.limit());
      state.read(in);
      if (toTheEnd) {
        sealed.finishFile();
      } else {
        sealed.finish();
      }
      if (state.length() > head.tokens.length
          || (head.logits != null && state.length() != head.tokens.length)) {
        throw sealed.error(
            "holds a state of %d tokens; needed: one of the session's %d",
            state.length(), head.tokens.length);
      }
      return model.restored(state, head);
    } catch (EOFException e) {
      close(state);
      throw new FormatException(name + ": its content ends before the session's does", e);
    } catch (IOException e) {
      close(state);
      throw new FormatException(name + ": " + e.getMessage(), e);
    } catch (RuntimeException | Error e) {
      close(state);
      throw e;
    }
  }

  private static void close(SequenceState state) {
    if (state != null) {
      state.close();
    }
  }

  private static Head readHead(DataInputStream in, SealedInput file, Model model, int asked)
      throws IOException {
    int saved = in.readInt();
    int variant = in.readInt();
    boolean exact = in.readBoolean();
    int limit = asked == 0 ? saved : asked;
    int count = in.readInt();
    if (count < 0 || count > saved) {
      throw file.error("holds %d tokens of at most %d", count, saved);
    }
    if (count > limit) {
      throw file.error(
          "holds %d tokens; the limit is %d; needed: a limit of %d at least", count, limit, count);
    }
    if (model.network().variant(limit) != variant) {
      throw file.error(
          "was saved with a limit of %d, found is one of %d; needed: a limit by which the model"
              + " turns keys alike, such as the saved one",
          saved, limit);
    }
    int vocabulary = model.architecture().vocabulary();
    int[] tokens = new int[count];
    for (int i = 0; i < count; i++) {
      tokens[i] = in.readInt();
      if (tokens[i] < 0 || tokens[i] >= vocabulary) {
        throw file.error("token %d is %d; the vocabulary is %d", i, tokens[i], vocabulary);
      }
    }
    int logits = in.readInt();
    if (logits != 0 && logits != vocabulary) {
      throw file.error("holds %d logits; needed: 0 or %d", logits, vocabulary);
    }
    float[] values = logits == 0 ? null : new float[logits];
    for (int i = 0; i < logits; i++) {
      values[i] = in.readFloat();
    }
    return new Head(limit, variant, tokens, values, exact);
  }
}
