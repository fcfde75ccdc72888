package dev.apus.core;

import dev.apus.core.Checkpoint.Language;
import dev.apus.core.compute.Workers;
import dev.apus.core.config.ConfigException;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.file.TensorFile;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.ModelAssembler;
import dev.apus.core.model.Network;
import dev.apus.core.model.SequenceState;
import dev.apus.core.tokenizer.Tokenizer;
import dev.apus.core.weight.CheckpointWeights;
import dev.apus.core.weight.Placement;
import dev.apus.core.weight.WeightException;
import dev.apus.core.weight.WeightSource;
import dev.apus.core.weight.Weights;
import java.lang.foreign.Arena;
import java.util.Locale;

/** From what is known of a model to the model; a failure leaves nothing open. */
final class Loading {

  private Loading() {}

  static Model load(ModelFiles files, ModelOptions options) {
    boolean checked = options.memoryChecked() && options.weights() == Placement.PACKED;
    // The JVM takes a while to ask the system.
    Later<Long> free = checked ? Later.of("memory", FreeMemory::bytes).begin() : null;
    Checkpoint checkpoint = Checkpoint.open(files, options.families());
    try {
      checkpoint.language().begin();
      Opening.report(checkpoint.name(), options);
      if (checked) {
        requireMemory(checkpoint, options, free.get());
      }
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

  /**
   * What a checkpoint will take.
   *
   * @param free how much memory there is
   */
  static MemoryEstimate estimate(Checkpoint checkpoint, ModelOptions options, long free) {
    Architecture architecture =
        options.attention().over(checkpoint.architecture(), options.mixers());
    Weights weights =
        Weights.estimate(
            new CheckpointWeights(checkpoint.tensors(), checkpoint.names()),
            options.kernels(),
            options.weights(),
            options.experts());
    Network network =
        ModelAssembler.assemble(architecture, options.mixers(), options.cache(), weights);
    try (SequenceState state = network.newState(1)) {
      return new MemoryEstimate(
          weights.bytes(),
          state.bytes(),
          network.stateBytesPerToken(),
          network.windowBytes(),
          architecture.context(),
          free);
    }
  }

  /**
   * Makes sure that a model fits into the memory; does nothing where its file shows that it does.
   *
   * @throws WeightException saying how much is missing and what to do
   */
  static void requireMemory(Checkpoint checkpoint, ModelOptions options, long free) {
    long stored =
        checkpoint.tensors().tensors().values().stream()
            .mapToLong(tensor -> tensor.data().byteSize())
            .sum();
    if (stored <= free / 2) {
      return;
    }
    MemoryEstimate estimate = estimate(checkpoint, options, free);
    if (estimate.neededBytes(1) > free) {
      throw new WeightException(
          String.format(
              Locale.ROOT,
              "%s: the weights take %,d MB and the JVM %,d MB besides, but %,d MB of memory are"
                  + " free; weights that stay in their file (mapped) need less, experts can be"
                  + " given a limited memory, and smaller formats take less; withoutMemoryCheck"
                  + " tries it nevertheless",
              checkpoint.name(),
              estimate.weightBytes() / 1_000_000,
              MemoryEstimate.BESIDE_BYTES / 1_000_000,
              free / 1_000_000));
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
      if (options.weights() == Placement.PACKED && file != null) {
        // Reading a tensor fills pages of its neighbours too, some of which were let go before.
        file.release();
      }
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
