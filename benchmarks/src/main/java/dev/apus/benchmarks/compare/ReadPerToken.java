package dev.apus.benchmarks.compare;

import dev.apus.core.file.FormatException;
import dev.apus.core.file.Gguf;
import dev.apus.core.file.StoredTensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Map.Entry;

/**
 * How many bytes of weights one token needs, as a GGUF file holds them: all matrices, of the
 * experts those that are chosen, and the table of embeddings only where it is the head as well.
 */
final class ReadPerToken {

  private ReadPerToken() {}

  /** The bytes; 0 if the model is no GGUF file, or a broken one. */
  static long of(Path model) {
    if (!Files.isRegularFile(model)) {
      return 0;
    }
    try (Gguf file = Gguf.open(model)) {
      boolean untied = file.tensors().containsKey("output.weight");
      double chosen = shareOfExperts(file.metadata());
      double bytes = 0;
      for (Entry<String, StoredTensor> tensor : file.tensors().entrySet()) {
        String name = tensor.getKey();
        double share = name.contains("_exps.") ? chosen : 1;
        if (!name.equals("token_embd.weight") || !untied) {
          bytes += share * tensor.getValue().data().byteSize();
        }
      }
      return Math.round(bytes);
    } catch (FormatException e) {
      return 0;
    }
  }

  private static double shareOfExperts(Map<String, Object> metadata) {
    String family = String.valueOf(metadata.get("general.architecture"));
    return metadata.get(family + ".expert_used_count") instanceof Number used
            && metadata.get(family + ".expert_count") instanceof Number all
            && all.doubleValue() > 0
        ? used.doubleValue() / all.doubleValue()
        : 1;
  }
}
