package dev.apus.core.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Architecture.Step;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.RandomWeights;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.core.weight.WeightSource.Key;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the assembler refuses, and the smallest networks that it builds. */
class ModelAssemblerTest {

  private static final Part MLP = Part.of("mlp").with("inner", 5);

  private final Workers workers = Workers.of(2);
  private final Arena arena = Arena.ofShared();
  private final RandomWeights source = new RandomWeights(2, WeightFormat.F32);

  @AfterEach
  void close() {
    workers.close();
    arena.close();
  }

  private static Architecture of(int vocabulary, int width, Head head, Layer... layers) {
    return new Architecture(
        "tiny", vocabulary, width, 100, Embedding.PLAIN, List.of(layers), null, head);
  }

  private Network assemble(Architecture architecture, Mixers mixers) {
    Weights weights = new Weights(source, Kernels.chosen(), workers, arena);
    return ModelAssembler.assemble(architecture, mixers, CacheFormat.F32, weights);
  }

  private String refusal(Branch branch) {
    Architecture architecture =
        of(7, 3, Head.of(true), Layer.of(Branch.channel(MLP, null)), Layer.of(branch));
    Mixers mixers = Mixers.of(List.of(new Nothing("nothing")), List.of());
    return assertThrows(ConfigException.class, () -> assemble(architecture, mixers)).getMessage();
  }

  /** A mixer's type that reads the setting {@code known}. */
  private record Nothing(String name) implements MixerType {
    @Override
    public SequenceMixer<?> build(Config settings, Site site) {
      settings.count("known", 0);
      return null;
    }
  }

  private record Idle(String name) implements ChannelType {
    @Override
    public ChannelMixer build(Config settings, Site site) {
      return (pass, x, y) -> Arrays.fill(y.data(), 0, y.rows() * y.cols(), 0);
    }
  }

  @Test
  void aPartThatIsNotInstalledIsNamed() {
    assertEquals(
        "layer 1 needs the mixer \"sponge\"; installed: nothing, gated-mlp, identity, linear,"
            + " lookup, mlp, product. Add the module that provides it",
        refusal(Branch.mixer(Part.of("sponge"), null)));
    assertEquals(
        "layer 1 needs the channel mixer \"nothing\"; installed: nothing, gated-mlp, identity,"
            + " linear, lookup, mlp, product. Add the module that provides it",
        refusal(Branch.channel(Part.of("nothing"), null)));
  }

  @Test
  void aSettingThatThePartDoesNotReadIsRefused() {
    assertEquals(
        "layer 1 nothing: unknown is not a setting of \"nothing\"",
        refusal(Branch.mixer(Part.of("nothing").with("known", 1).with("unknown", 2), null)));
  }

  @Test
  void aSettingOfAnotherTypeIsRefused() {
    assertEquals(
        "layer 1 mlp: inner=\"5\" must be a whole number from 1 to 2147483647",
        refusal(Branch.channel(Part.of("mlp").with("inner", "5"), null)));
  }

  @Test
  void twoPartsOfOneNameAreRefused() {
    String type = Idle.class.getName();
    var e =
        assertThrows(
            IllegalStateException.class,
            () -> Mixers.of(List.of(), List.of(new Idle("x"), new Idle("x"))));
    assertEquals("two parts are called \"x\": " + type + " and " + type, e.getMessage());
    e =
        assertThrows(
            IllegalStateException.class, () -> Mixers.of(List.of(), List.of(new Idle("mlp"))));
    assertEquals(
        "two parts are called \"mlp\": " + Mlp.Plain.class.getName() + " and " + type,
        e.getMessage());
  }

  /** A mixer and a channel mixer are looked for in different places. */
  @Test
  void aMixerMayHaveTheNameOfAChannelMixer() {
    Mixers mixers = Mixers.of(List.of(new Nothing("mlp")), List.of());
    assertEquals(Nothing.class, mixers.mixer("mlp").getClass());
    assertEquals(Mlp.Plain.class, mixers.channel("mlp").getClass());
  }

  @ParameterizedTest(name = "vocabulary {0}, width {1}, layers {2}, tied {3}")
  @CsvSource({"7, 3, 0, false", "7, 3, 0, true", "1, 1, 0, true", "1, 1, 2, false"})
  void theSmallestModelsRun(int vocabulary, int width, int layers, boolean tied) {
    Layer layer = Layer.of(Branch.channel(MLP, NormSpec.rms(1e-5)));
    Architecture architecture =
        of(
            vocabulary,
            width,
            Head.of(tied),
            Collections.nCopies(layers, layer).toArray(Layer[]::new));
    Network network = assemble(architecture, Mixers.of(List.of(), List.of()));
    assertEquals(0, network.stateBytesPerToken());
    float[] logits = logits(network, new int[] {0, vocabulary - 1});
    for (float logit : logits) {
      assertTrue(Float.isFinite(logit));
    }
    if (layers == 0) {
      float[] embedding = matrix("embedding", vocabulary, width);
      float[] head = matrix(tied ? "embedding" : "head", vocabulary, width);
      for (int token = 0; token < vocabulary; token++) {
        double sum = 0;
        for (int i = 0; i < width; i++) {
          sum += (double) embedding[i] * head[token * width + i];
        }
        assertEquals(sum, logits[token], 1e-6);
      }
    }
  }

  /** Streams that begin alike and whose mixing adds nothing stay what one stream would be. */
  @Test
  void withoutStepsSeveralResidualStreamsAreOne() {
    Architecture one = of(7, 3, Head.of(false));
    Architecture several = one.joined(new HyperSpec(4, 20, 1e-6, 1e-6, true));
    Mixers mixers = Mixers.of(List.of(), List.of());
    int[] tokens = {2, 4};
    assertArrayEquals(
        logits(assemble(one, mixers), tokens), logits(assemble(several, mixers), tokens), 1e-6f);
  }

  @Test
  void whatIsForOneResidualStreamIsRefusedWhereThereAreSeveral() {
    Step step = new Step(List.of(Branch.channel(MLP, null)));
    Mixers mixers = Mixers.of(List.of(), List.of());
    for (Step other :
        List.of(
            step.keeping(0.5f),
            step.summing(NormSpec.rms(1e-6)),
            new Step(step.branches(), NormSpec.rms(1e-6)),
            new Step(List.of()))) {
      Architecture architecture =
          of(7, 3, Head.of(true), new Layer(List.of(step)), new Layer(List.of(other)))
              .joined(new HyperSpec(4, 20, 1e-6, 1e-6, false));
      assertEquals(
          "layer 1: hyper-connections join each step to the residual streams; it needs a branch and"
              + " can have neither residual, keep nor sum, which are for one stream",
          assertThrows(ConfigException.class, () -> assemble(architecture, mixers)).getMessage());
    }
  }

  @Test
  void scalesPositionsBiasAndSoftcapAreApplied() {
    var architecture =
        new Architecture(
            "tiny",
            5,
            3,
            100,
            new Embedding(2.5f, 4, null),
            List.of(),
            null,
            new Head(false, true, 0.75f, 1.5f));
    float[] logits =
        logits(assemble(architecture, Mixers.of(List.of(), List.of())), new int[] {2, 4});
    float[] embedding = matrix("embedding", 5, 3);
    float[] positions = matrix("positions", 4, 3);
    float[] head = matrix("head", 5, 3);
    float[] bias = source.find(new Key("head.bias", -1, -1), 1, 5, Typical.BIAS).decode();
    int[] tokens = {2, 4};
    for (int row = 0; row < 2; row++) {
      for (int token = 0; token < 5; token++) {
        double sum = bias[token];
        for (int i = 0; i < 3; i++) {
          double x = 2.5 * embedding[tokens[row] * 3 + i] + positions[row * 3 + i];
          sum += x * head[token * 3 + i];
        }
        assertEquals(1.5 * Math.tanh(0.75 * sum / 1.5), logits[row * 5 + token], 1e-5);
      }
    }
  }

  @Test
  void theBranchesOfAStepReadTheSameRows() {
    Branch branch = Branch.channel(MLP, null);
    Mixers mixers = Mixers.of(List.of(), List.of());
    int[] token = {1};
    float[] parallel =
        logits(assemble(of(7, 3, Head.of(true), Layer.parallel(branch, branch)), mixers), token);
    float[] doubled =
        logits(assemble(of(7, 3, Head.of(true), Layer.of(branch.scaled(2))), mixers), token);
    float[] sequential =
        logits(assemble(of(7, 3, Head.of(true), Layer.of(branch, branch)), mixers), token);
    assertArrayEquals(doubled, parallel, 1e-5f);
    assertFalse(Arrays.equals(sequential, parallel));
  }

  /** What is added to is scaled after it has been read, once for all branches. */
  @Test
  void theResidualOfAStepIsScaled() {
    Branch idle = Branch.channel(Part.of("idle"), null);
    Mixers mixers = Mixers.of(List.of(), List.of(new Idle("idle")));
    Layer layer = new Layer(List.of(new Step(List.of(idle, idle), NormSpec.AFFINE)));
    float[] logits = logits(assemble(of(7, 3, Head.of(false), layer), mixers), new int[] {5});
    float[] embedding = matrix("embedding", 7, 3);
    float[] head = matrix("head", 7, 3);
    float[] scale = source.find(new Key("channel.residual", 0, -1), 1, 3, Typical.NORM).decode();
    float[] bias =
        source
            .find(
                new Key("channel.residual.bias", 0, -1),
                1,
                3,
                Normalization.typicalBias(NormSpec.AFFINE))
            .decode();
    for (int token = 0; token < 7; token++) {
      double sum = 0;
      for (int i = 0; i < 3; i++) {
        sum += (embedding[5 * 3 + i] + bias[i]) * scale[i] * (double) head[token * 3 + i];
      }
      assertEquals(sum, logits[token], 1e-6);
    }
  }

  private float[] matrix(String name, int rows, int cols) {
    return source.find(new Key(name, -1, -1), rows, cols, null).decode();
  }

  private float[] logits(Network network, int[] tokens) {
    int vocabulary = network.architecture().vocabulary();
    float[] data = new float[tokens.length * vocabulary];
    Arrays.fill(data, Float.NaN);
    int[] wanted = new int[tokens.length];
    Arrays.setAll(wanted, i -> i);
    try (SequenceState state = network.newState(10)) {
      network.forward(
          new Pass(workers, Kernels.chosen()),
          Batch.of(state, tokens.length, 0),
          tokens,
          wanted,
          new Matrix(data, tokens.length, vocabulary),
          () -> false);
    }
    return data;
  }
}
