package dev.apus.core.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.compute.Workers;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.weight.RandomWeights;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What is said of a part that is not installed. */
class MixersTest {

  /** A mixer that is there and never built. */
  private record Named(String name) implements MixerType {
    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      throw new AssertionError("built");
    }
  }

  static Stream<Arguments> missing() {
    return Stream.of(
        Arguments.of(
            Branch.mixer(Part.of("attention"), null),
            "the mixer \"attention\"; installed: gated-mlp, identity, linear, lookup, mlp, product."
                + " Add the artifact dev.apus:apus-attention, which provides it"),
        Arguments.of(
            Branch.mixer(Part.of("gated-delta-net"), null),
            "the mixer \"gated-delta-net\"; installed: gated-mlp, identity, linear, lookup, mlp,"
                + " product. Add the artifact dev.apus:apus-attention, which provides it"),
        Arguments.of(
            Branch.channel(Part.of("moe"), null),
            "the channel mixer \"moe\"; installed: gated-mlp, identity, linear, lookup, mlp,"
                + " product. Add the artifact dev.apus:apus-moe, which provides it"),
        Arguments.of(
            Branch.mixer(Part.of("moe"), null),
            "the mixer \"moe\"; installed: gated-mlp, identity, linear, lookup, mlp, product. Add"
                + " the module that provides it"),
        Arguments.of(
            Branch.channel(Part.of("kan"), null),
            "the channel mixer \"kan\"; installed: gated-mlp, identity, linear, lookup, mlp,"
                + " product. Add the module that provides it"));
  }

  @ParameterizedTest
  @MethodSource("missing")
  void whatProvidesAMissingPartIsNamed(Branch branch, String message) {
    refused(Mixers.of(List.of(), List.of()), branch, message);
  }

  @Test
  void whatIsInstalledIsNamed() {
    refused(
        Mixers.of(List.of(new Named("mamba"), new Named("attention")), List.of()),
        Branch.mixer(Part.of("rwkv"), null),
        "the mixer \"rwkv\"; installed: attention, mamba, gated-mlp, identity, linear, lookup, mlp,"
            + " product. Add the module that provides it");
  }

  private static void refused(Mixers mixers, Branch branch, String message) {
    var architecture =
        new Architecture(
            "tiny", 7, 3, 9, Embedding.PLAIN, List.of(Layer.of(branch)), null, Head.of(true));
    try (Workers workers = Workers.of(1);
        Arena arena = Arena.ofShared()) {
      var weights =
          new Weights(new RandomWeights(1, WeightFormat.F32), Kernels.scalar(), workers, arena);
      var e =
          assertThrows(
              ConfigException.class,
              () -> ModelAssembler.assemble(architecture, mixers, CacheFormat.F32, weights));
      assertEquals("layer 0 needs " + message, e.getMessage());
    }
  }
}
