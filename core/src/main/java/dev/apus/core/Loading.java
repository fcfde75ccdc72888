package dev.apus.core;

import dev.apus.core.Checkpoint.Language;
import dev.apus.core.compute.Workers;
import dev.apus.core.config.ConfigException;
import dev.apus.core.file.TensorFile;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.ModelAssembler;
import dev.apus.core.model.Network;
import dev.apus.core.tokenizer.Tokenizer;
import dev.apus.core.weight.CheckpointWeights;
import dev.apus.core.weight.WeightSource;
import dev.apus.core.weight.Weights;
import java.lang.foreign.Arena;
import java.util.Locale;

/** From what is known of a model to the model; a failure leaves nothing open. */
final class Loading {

  private Loading() {}

  static Model load(Checkpoint checkpoint, ModelOptions options) {
    try {
      Opening.report(checkpoint.name(), options);
      return assemble(
          checkpoint.architecture(),
          new CheckpointWeights(checkpoint.tensors(), checkpoint.names()),
          checkpoint.language(),
          options,
          checkpoint.tensors());
    } catch (RuntimeException | Error e) {
      checkpoint.tensors().close();
      throw e;
    }
  }

  static Model assemble(
      Architecture described,
      WeightSource source,
      Later<Language> language,
      ModelOptions options,
      TensorFile file) {
    Architecture architecture = options.attention().over(described, options.mixers());
    Workers workers = Workers.of(options.threads());
    Arena arena = Arena.ofShared();
    try {
      Weights weights =
          new Weights(
              source,
              options.kernels(),
              workers,
              arena,
              options.weights(),
              options.experts(),
              options.eased());
      Network network =
          ModelAssembler.assemble(architecture, options.mixers(), options.cache(), weights);
      options.prefixes().requirePossible(network);
      requireRoom(language.get().text().tokenizer(), architecture.vocabulary());
      return new Model(
          network, language.get(), weights, options, new Lifetime(workers, arena, weights, file));
    } catch (RuntimeException | Error e) {
      arena.close();
      workers.close();
      throw e;
    }
  }

  private static void requireRoom(Tokenizer tokenizer, int vocabulary) {
    if (tokenizer != null && tokenizer.vocabularySize() > vocabulary) {
      throw new ConfigException(
          String.format(
              Locale.ROOT,
              "the tokenizer has ids up to %d, the model's vocabulary is %d",
              tokenizer.vocabularySize() - 1,
              vocabulary));
    }
  }
}
