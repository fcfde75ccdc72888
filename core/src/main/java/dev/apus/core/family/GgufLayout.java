package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.file.Gguf;
import dev.apus.core.file.GgufWriter;
import dev.apus.core.model.Architecture;
import dev.apus.core.weight.WeightException;
import dev.apus.core.weight.WeightList;
import dev.apus.core.weight.WeightNames;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * How a GGUF file says what a model is: the metadata, with the tensors that belong to it, and the
 * names of the weights. Reading it gives the same model.
 *
 * @param writer a file with the metadata and without weights
 */
public record GgufLayout(GgufWriter writer, WeightNames names) {

  private static final String EMBEDDING = "token_embd.weight";
  private static final String FACTORS = "rope_freqs.weight";

  /** Readers look for tensors, and name them; more often they do not wait for one another. */
  private static final int ROUNDS = 4;

  /**
   * What a kind of file makes of a model.
   *
   * @param model what reading such a file would give
   */
  record Reading(GgufLayout layout, Architecture model) {}

  /**
   * How a kind of file would say it. It is written as all kinds are, and read; keys that its reader
   * does not ask for are left out, and the tensors are those that it names.
   *
   * @throws ConfigException if its reader refuses what the model would be
   * @throws WeightException if it has no name for a weight
   */
  static Reading read(
      Architecture model, WeightList weights, String name, GgufFamily family, Families families) {
    Set<String> tensors = Set.of(EMBEDDING);
    for (int round = 0; round < ROUNDS; round++) {
      GgufMetadata said = new GgufMetadata(model, name);
      family.describe(model, said);
      Config config = family.config(outline(model, said, name, tensors));
      if (said.drop(config.asMap().keySet())) {
        config = family.config(outline(model, said, name, tensors));
      }
      WeightNames names = family.weights(config);
      Set<String> named = new TreeSet<>(weights.stored(names));
      if (named.equals(tensors)) {
        return new Reading(new GgufLayout(writer(said), names), families.describe(config));
      }
      tensors = named;
    }
    throw new ConfigException(name + ": its reader names other tensors each time");
  }

  private static GgufWriter writer(GgufMetadata said) {
    GgufWriter writer = new GgufWriter();
    said.write(writer);
    float[] factors = said.factors();
    if (factors.length > 0) {
      ByteBuffer data = ByteBuffer.allocateDirect(4 * factors.length);
      data.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(factors);
      writer.add(FACTORS, "F32", List.of((long) factors.length), MemorySegment.ofBuffer(data));
    }
    return writer;
  }

  private static Gguf outline(
      Architecture model, GgufMetadata said, String name, Set<String> tensors) {
    GgufWriter probe = writer(said);
    for (String tensor : tensors) {
      probe.add(
          tensor,
          "F32",
          tensor.equals(EMBEDDING)
              ? List.of((long) model.vocabulary(), (long) model.width())
              : List.of(1L),
          out -> {
            throw new IllegalStateException("an outline is not written");
          });
    }
    return probe.preview(name);
  }
}
