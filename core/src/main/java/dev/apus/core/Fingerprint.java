package dev.apus.core;

import dev.apus.core.model.Batch;
import dev.apus.core.model.Network;
import dev.apus.core.model.SequenceState;
import dev.apus.core.tensor.Matrix;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * What a state must have in common with a model to be of use to it.
 *
 * @param family whose model it is; for people
 * @param cache how keys and values are kept
 * @param architecture digest of the architecture's document
 * @param weights digest of the logits that the model gives for a few tokens: their bits are the
 *     same on every machine, and those of other weights are others
 */
record Fingerprint(String family, String cache, String architecture, String weights) {

  private static final int PROBE_TOKENS = 8;

  static Fingerprint of(Model model) {
    var architecture = model.architecture();
    return new Fingerprint(
        architecture.family(),
        model.cache().name(),
        digest(architecture.toJson().getBytes(StandardCharsets.UTF_8)),
        digest(probe(model)));
  }

  private static byte[] probe(Model model) {
    Network network = model.network();
    var architecture = model.architecture();
    int count = Math.min(PROBE_TOKENS, architecture.context());
    int[] tokens = new int[count];
    for (int i = 0; i < count; i++) {
      tokens[i] = (int) ((long) architecture.vocabulary() * i / count);
    }
    Matrix logits = Matrix.zeros(1, architecture.vocabulary());
    Lifetime lifetime = model.lifetime();
    lifetime.enter();
    try (SequenceState state = network.newState(count)) {
      Batch<SequenceState> batch = Batch.of(state, count, 0);
      network.forward(model.newPass(), batch, tokens, new int[] {count - 1}, logits, () -> false);
    } finally {
      lifetime.leave();
    }
    ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * logits.cols());
    bytes.asFloatBuffer().put(logits.data(), 0, logits.cols());
    return bytes.array();
  }

  private static String digest(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  void write(DataOutput out) throws IOException {
    out.writeUTF(family);
    out.writeUTF(cache);
    out.writeUTF(architecture);
    out.writeUTF(weights);
  }

  static Fingerprint read(DataInput in) throws IOException {
    return new Fingerprint(in.readUTF(), in.readUTF(), in.readUTF(), in.readUTF());
  }

  /** What about another fingerprint is not as it must be, or null: "found; needed: this". */
  String against(Fingerprint found) {
    if (!architecture.equals(found.architecture)) {
      return difference("architecture " + name(found), name(this));
    }
    if (!cache.equals(found.cache)) {
      return difference("caches in " + found.cache, cache);
    }
    return weights.equals(found.weights)
        ? null
        : difference(
            "weights " + abridged(found.weights) + " of " + family,
            abridged(weights) + ", as here");
  }

  private static String name(Fingerprint of) {
    return of.family + " " + abridged(of.architecture);
  }

  private static String difference(String found, String needed) {
    return "was saved by a model with " + found + "; needed: " + needed;
  }

  private static String abridged(String digest) {
    return digest.length() > 12 ? digest.substring(0, 12) : digest;
  }
}
