package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Architecture.Step;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.model.Wiring;
import dev.apus.core.model.Wiring.Reads;
import java.util.ArrayList;
import java.util.List;

/**
 * The layers of Gemma 4. What each layer reads besides the residual stream is computed in the first
 * and lies in a stream as wide as all of it: of the token, and of its embedding.
 *
 * @param types whether a layer has a window
 * @param firstReading the first of the layers that read the keys and values of another
 * @param shared whether layers without a window have no matrix for values
 * @param moe the experts of each layer, or null
 * @param input values of what each layer reads besides; 0 for nothing
 * @param noisy whether rows of noise have a factor of their own on what a layer gives
 */
record Gemma4Layers(
    Decoder d,
    NormSpec norm,
    List<String> types,
    int firstReading,
    boolean shared,
    Part moe,
    int input,
    boolean noisy) {

  private static final String FULL = "full_attention";
  private static final String SLIDING = "sliding_attention";

  /**
   * The streams of what all layers read besides, of a layer's gate to it, and of what is let in.
   */
  private static final String INPUTS = "inputs";

  private static final String GATE = "gate";
  private static final String GATED = "gated";

  /** The stream of what the dense block and the experts give. */
  private static final String BOTH = "both";

  static Gemma4Layers read(Config c) {
    Decoder d = new Decoder(c, 131_072);
    List<String> types = types(d);
    int reading = c.count("num_kv_shared_layers", 0);
    if (reading > 0 && !types.subList(0, Math.max(0, d.layers - reading)).containsAll(types)) {
      throw c.errorAt(
          "num_kv_shared_layers",
          "num_kv_shared_layers=%d leaves no layer of each kind with keys and values to read",
          reading);
    }
    Part moe = null;
    if (c.flag("enable_moe_block", false)) {
      moe = experts(d);
    } else {
      c.ignore("num_experts", "top_k_experts", "moe_intermediate_size");
    }
    int input = c.count("hidden_size_per_layer_input", 256);
    boolean shared = c.flag("attention_k_eq_v", false);
    return new Gemma4Layers(d, d.rms(), types, d.layers - reading, shared, moe, input, false);
  }

  /** Those of DiffusionGemma: all with experts, and two factors on what they give. */
  static Gemma4Layers ofDiffusion(Config c) {
    Decoder d = new Decoder(c, 131_072);
    return new Gemma4Layers(d, d.rms(), types(d), d.layers, true, experts(d), 0, true);
  }

  private static List<String> types(Decoder d) {
    List<String> types = d.layerTypes(i -> (i + 1) % 6 == 0 || i == d.layers - 1 ? FULL : SLIDING);
    if (d.slides(types.getLast())) {
      throw d.c.errorAt("layer_types", "layer_types must end with %s", FULL);
    }
    return types;
  }

  private static Part experts(Decoder d) {
    return Part.of("moe")
        .with("experts", d.c.positive("num_experts"))
        .with("top", d.c.positive("top_k_experts"))
        .with("inner", d.c.positive("moe_intermediate_size"))
        .with("activation", Activations.of(d.c))
        .with("expertNorm", d.rms().toMap())
        .with("routerNorm", d.rms().toMap())
        .with("expertsScaled", true);
  }

  int expertInner() {
    return (Integer) moe.settings().get("inner");
  }

  Architecture streams(Architecture model) {
    Architecture all = moe == null ? model : model.withStream(BOTH, d.width);
    if (input == 0) {
      d.c.ignore("vocab_size_per_layer_input");
      return all;
    }
    int inputs = Math.multiplyExact(d.layers, input);
    return all.withStream(INPUTS, inputs).withStream(GATE, input).withStream(GATED, input);
  }

  Layer layer(int i) {
    List<Step> steps = new ArrayList<>();
    if (i == 0 && input > 0) {
      steps.add(inputs());
    }
    Branch mixer = Branch.mixer(attention(i), norm).after(norm);
    int owner = types.subList(0, firstReading).lastIndexOf(types.get(i));
    steps.add(step(i < firstReading ? mixer : mixer.wired(Wiring.PLAIN.stateOf(owner))));
    boolean wide = !noisy && d.c.flag("use_double_wide_mlp", false) && i >= firstReading;
    Branch dense = Branch.channel(mlp(wide), norm).after(norm);
    if (moe == null) {
      steps.add(step(dense));
    } else {
      Wiring both = Wiring.PLAIN.writing(BOTH);
      Branch experts = Branch.channel(moe, null).after(norm).wired(both);
      steps.add(new Step(List.of(dense.wired(both.named("dense")), experts)));
      steps.add(step(Branch.channel(Part.of("identity"), norm).wired(from(BOTH).named(BOTH))));
    }
    if (input > 0) {
      steps.addAll(ownInput());
    }
    NormSpec factor = NormSpec.SCALED.grouped(1);
    Step last = steps.removeLast().summing(factor);
    steps.add(noisy ? last.summingNoise(factor) : last);
    return new Layer(steps);
  }

  /** A block of the usual width, or of twice that. */
  Part mlp(boolean wide) {
    return Part.of("gated-mlp")
        .with("inner", (wide ? 2 : 1) * d.c.positive("intermediate_size"))
        .with("activation", Activations.of(d.c));
  }

  private static Step step(Branch branch) {
    return new Step(List.of(branch));
  }

  private static Wiring from(String stream) {
    return Wiring.PLAIN.reading(Reads.of(stream));
  }

  /** Half of what all layers read besides follows from the embedding, half is the token's own. */
  private Step inputs() {
    // The projection is divided by the width's root before it is normalised.
    NormSpec each = NormSpec.rms(norm.epsilon() * d.width).grouped(input);
    int rows = d.c.positive("vocab_size_per_layer_input", 262_144);
    if (rows < d.c.positive("vocab_size")) {
      throw d.c.errorAt(
          "vocab_size_per_layer_input",
          "vocab_size_per_layer_input=%d must not be below vocab_size=%d",
          rows,
          d.c.positive("vocab_size"));
    }
    Wiring wiring = from(Wiring.EMBEDDING).writing(INPUTS).named(INPUTS);
    return new Step(
        List.of(
            Branch.channel(Part.of("linear"), null)
                .after(each)
                .scaled((float) Math.sqrt(0.5))
                .wired(wiring),
            Branch.channel(Part.of("lookup").with("rows", rows), null)
                .scaled((float) Math.sqrt(input / 2.0))
                .wired(wiring)));
  }

  private List<Step> ownInput() {
    Part product = Part.of("product").with("activation", Activations.of(d.c));
    Wiring gated = Wiring.PLAIN.reading(Reads.join(Wiring.ofLayer(INPUTS), GATE)).writing(GATED);
    Branch gate = Branch.channel(Part.of("linear"), null);
    return List.of(
        step(gate.wired(Wiring.PLAIN.writing(GATE).named(GATE))),
        step(Branch.channel(product, null).wired(gated)),
        step(gate.after(norm).wired(from(GATED).named("input"))));
  }

  private Part attention(int i) {
    boolean slides = d.slides(types.get(i));
    Heads heads = heads(i, slides);
    Part plain =
        Part.of("attention")
            .with("heads", d.heads)
            .with("kvHeads", heads.kvHeads)
            .with("headDim", heads.size)
            .with("scale", 1);
    Part turned = rope(i, heads.size).on(Decoder.normed(d.biased(plain), norm, "head", false));
    Part near = d.windowed(turned, types.get(i), d.c.positive("sliding_window", 512));
    if (i >= firstReading) {
      return near;
    }
    Part normed = near.with("valueNorm", norm.unweighted().toMap());
    return shared && !slides ? normed.with("keysAreValues", true) : normed;
  }

  private record Heads(int size, int kvHeads) {}

  /**
   * Layers may each differ from what the config says; in published ones those without windows do.
   */
  private Heads heads(int i, boolean slides) {
    Config c = d.c;
    int size = c.positive("head_dim", 256);
    if (c.hasSection("per_layer_config")) {
      c.ignore("global_head_dim", "num_global_key_value_heads");
      Config layers = c.section("per_layer_config");
      String layer = Integer.toString(i);
      return layers.hasSection(layer)
          ? new Heads(
              layers.section(layer).positive("head_dim", size),
              layers.section(layer).positive("num_key_value_heads", d.kvHeads))
          : new Heads(size, d.kvHeads);
    }
    int wide = c.positive("global_head_dim", 512);
    int few = c.positive("num_global_key_value_heads", d.kvHeads);
    return slides ? new Heads(size, d.kvHeads) : new Heads(wide, shared ? few : d.kvHeads);
  }

  private RopeSettings rope(int i, int headDim) {
    boolean slides = d.slides(types.get(i));
    double theta = slides ? 10_000 : 1_000_000;
    if (d.c.hasSection("rope_parameters")) {
      Config kind = d.c.section("rope_parameters").section(types.get(i));
      return RopeSettings.of(d.c, kind, theta, headDim, d.context);
    }
    RopeSettings plain = RopeSettings.of(d.c, null, theta, headDim, d.context);
    return slides ? plain : plain.with("dims", headDim / 4).with("type", "proportional");
  }
}
