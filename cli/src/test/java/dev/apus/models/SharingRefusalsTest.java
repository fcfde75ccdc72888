package dev.apus.models;

import static dev.apus.models.SharingTest.ATTENTION;
import static dev.apus.models.SharingTest.DELTA;
import static dev.apus.models.SharingTest.MLP;
import static dev.apus.models.SharingTest.NORM;
import static dev.apus.models.SharingTest.RANDOM;
import static dev.apus.models.SharingTest.WIDTH;
import static dev.apus.models.SharingTest.layer;
import static dev.apus.models.SharingTest.mixer;
import static dev.apus.models.SharingTest.of;
import static dev.apus.models.SharingTest.writing;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Part;
import dev.apus.core.model.Wiring;
import dev.apus.core.model.Wiring.Reads;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What layers cannot share is refused with the layer, what was found and what was needed. */
class SharingRefusalsTest {

  private static String refused(Architecture architecture) {
    return assertThrows(ConfigException.class, () -> SharingTest.logits(architecture, RANDOM))
        .getMessage();
  }

  @Test
  void whatCannotBeSharedIsRefused() {
    Layer own = layer(ATTENTION, Wiring.PLAIN);
    Layer delta = layer(DELTA, Wiring.PLAIN);
    assertEquals(
        "layer 1: weightsOf=1 must be an earlier layer whose mixer \"attention\" has weights of its"
            + " own",
        refused(of(own, layer(ATTENTION, Wiring.PLAIN.weightsOf(1)))));
    assertEquals(
        "layer 2: weightsOf=1 must be an earlier layer whose mixer \"attention\" has weights of its"
            + " own",
        refused(
            of(
                own,
                layer(ATTENTION, Wiring.PLAIN.weightsOf(0)),
                layer(ATTENTION, Wiring.PLAIN.weightsOf(1)))));
    assertEquals(
        "layer 1: weightsOf=0 must be an earlier layer whose mixer \"attention\" named \"b\" has"
            + " weights of its own",
        refused(of(own, layer(ATTENTION, Wiring.PLAIN.weightsOf(0).named("b")))));
    assertEquals(
        "layer 1: stateOf=0 must be an earlier layer whose mixer \"attention\" has a state of its"
            + " own",
        refused(of(delta, Layer.of(mixer(ATTENTION, Wiring.PLAIN.stateOf(0))))));
    assertEquals(
        "layer 1 gated-delta-net: stateOf is for attention, whose keys and values stay as they are;"
            + " \"gated-delta-net\" advances its state",
        refused(of(delta, Layer.of(mixer(DELTA, Wiring.PLAIN.stateOf(0))))));
    assertEquals(
        "layer 1 attention: stateOf: kvHeads, headDim, valueDim and rope must be those of the layer"
            + " whose keys and values are read, and so must heads be where it forgets",
        refused(of(own, Layer.of(mixer(ATTENTION.with("kvHeads", 4), Wiring.PLAIN.stateOf(0))))));
    assertEquals(
        "layer 0: stateOf=0 must be an earlier layer whose channel mixer \"gated-mlp\" has a state"
            + " of its own",
        refused(of(Layer.of(Branch.channel(MLP, NORM).wired(Wiring.PLAIN.stateOf(0))))));
  }

  @Test
  void choicesThatCannotBeFollowedAreRefused() {
    Part following =
        Part.of("latent-attention")
            .with("heads", 2)
            .with("latent", 8)
            .with("ownDim", 4)
            .with("queryLatent", 8);
    Part choosing = following.with("index", Map.of("heads", 1, "headDim", 4, "top", 3));
    Layer chooser = layer(choosing, Wiring.PLAIN);
    Layer follower = Layer.of(mixer(following, Wiring.PLAIN.choiceOf(0)));
    SharingTest.logits(of(chooser, follower), RANDOM);
    assertEquals(
        "layer 1: choiceOf=1 must be an earlier layer whose mixer \"latent-attention\" has a state"
            + " of its own",
        refused(of(chooser, Layer.of(mixer(following, Wiring.PLAIN.choiceOf(1))))));
    assertEquals(
        "layer 2 latent-attention: choiceOf must name a layer with an index, for one without; this"
            + " one has none, that one none",
        refused(of(chooser, follower, Layer.of(mixer(following, Wiring.PLAIN.choiceOf(1))))));
    assertEquals(
        "layer 1 latent-attention: choiceOf must name a layer with an index, for one without; this"
            + " one has an index, that one one",
        refused(of(chooser, Layer.of(mixer(choosing, Wiring.PLAIN.choiceOf(0))))));
    assertEquals(
        "layer 1 attention: choiceOf is for attention to tokens that are chosen one by one;"
            + " \"attention\" chooses none",
        refused(
            of(
                layer(ATTENTION, Wiring.PLAIN),
                Layer.of(mixer(ATTENTION, Wiring.PLAIN.choiceOf(0))))));
    assertEquals(
        "layer 1 latent-attention: who reads another layer's state (stateOf) cannot have choiceOf",
        refused(of(chooser, Layer.of(mixer(following, Wiring.PLAIN.choiceOf(0).stateOf(0))))));
  }

  @Test
  void streamsThatDoNotFitAreRefused() {
    Branch reader = Branch.channel(MLP, NORM).wired(Wiring.PLAIN.reading(Reads.of("t")));
    Branch writer = Branch.channel(MLP, NORM).wired(Wiring.PLAIN.writing("t"));
    assertEquals(
        "layer 0: a branch names the stream \"t\"; the model has residual, embedding",
        refused(of(Layer.of(reader))));
    assertEquals(
        "layer 0: a branch reads the stream \"t\" before any has written it",
        refused(of(Layer.parallel(writer, reader)).withStream("t", WIDTH)));
    Branch beside =
        Branch.channel(MLP, NORM).wired(Wiring.PLAIN.reading(Reads.of("residual").beside("t")));
    assertEquals(
        "layer 0: a branch reads the stream \"t\" before any has written it",
        refused(of(Layer.of(beside)).withStream("t", WIDTH)));
    assertEquals(
        "streams: no branch reads the stream \"t\"",
        refused(of(Layer.of(writer)).withStream("t", WIDTH)));
    assertEquals(
        "layer 0: a branch writes the stream \"embedding\", which can only be read",
        refused(of(Layer.of(Branch.channel(MLP, NORM).wired(writing(Wiring.EMBEDDING))))));
    assertEquals(
        "layer 0: a branch adds the streams \"residual\" of 24 values and \"t\" of 5",
        refused(
            of(Layer.of(
                    writer,
                    Branch.channel(MLP, NORM)
                        .wired(Wiring.PLAIN.reading(Reads.sum(Wiring.RESIDUAL, "t")))))
                .withStream("t", 5)));
    assertEquals(
        "layer 0: a branch reads its share of \"t\", whose 5 values are not divisible by 2 layers",
        refused(
            of(
                    Layer.of(
                        writer,
                        Branch.channel(MLP, NORM)
                            .wired(Wiring.PLAIN.reading(Reads.of(Wiring.ofLayer("t"))))),
                    Layer.of(writer))
                .withStream("t", 5)));
    assertEquals(
        "streams: there is a stream \"residual\" in every model",
        refused(of(Layer.of(writer)).withStream(Wiring.RESIDUAL, WIDTH)));
    assertEquals(
        "layer 0: a part that keeps the width of its rows reads rows of 24 values and is to write"
            + " rows of 5",
        refused(of(Layer.of(mixer(DELTA, writing("t")), reader)).withStream("t", 5)));
    assertEquals(
        "layer 0: projected=false gives rows of 24 values, needed are rows of 5",
        refused(
            of(Layer.of(mixer(ATTENTION.with("projected", false), writing("t")), reader))
                .withStream("t", 5)));
  }
}
