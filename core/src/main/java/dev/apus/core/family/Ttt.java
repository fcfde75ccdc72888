package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.model.Wiring;
import dev.apus.core.weight.WeightNames;
import java.util.List;
import java.util.stream.Stream;

/**
 * The models of test-time training, TTT-Linear and TTT-MLP, with the transformer's backbone or with
 * Mamba's: gates, a convolution before each block, and queries and keys of one projection.
 */
final class Ttt implements ModelFamily {

  private static final String CONVOLUTION = "before";

  /** What the reference's norms inside a mixer use, whatever the config's epsilon. */
  private static final double INNER_EPSILON = 1e-6;

  @Override
  public List<String> names() {
    return List.of("TTTForCausalLM", "ttt");
  }

  @Override
  public Architecture describe(Config c) {
    c.ignore("scan_checkpoint_group_size");
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms();
    int taps = c.positive("conv_kernel", 4);
    Part mixer =
        RopeSettings.read(c, d.headDim, d.context)
            .interleaved()
            .on(
                Part.of("ttt")
                    .with("heads", d.heads)
                    .with("headDim", d.headDim)
                    .with("inner", c.choice("ttt_layer_type", "linear", "linear", "mlp"))
                    .with("miniBatch", c.positive("mini_batch_size", 16))
                    .with("rate", c.real("ttt_base_lr", 1))
                    .with("taps", c.flag("share_qk", false) ? taps : 0)
                    .with("gated", c.flag("use_gate", false))
                    .with("epsilon", INNER_EPSILON));
    Branch convolution =
        Branch.mixer(Part.of("convolution").with("taps", taps).with("biased", true), norm)
            .wired(Wiring.PLAIN.named(CONVOLUTION));
    Branch mixing = Branch.mixer(mixer, norm);
    Branch mlp = Branch.channel(d.gatedMlp(), norm);
    Layer layer =
        c.flag("pre_conv", false) ? Layer.of(convolution, mixing, mlp) : Layer.of(mixing, mlp);
    return d.architecture(
        "ttt",
        Architecture.Embedding.PLAIN,
        i -> layer,
        norm,
        Architecture.Head.of(c.flag("tie_word_embeddings", true)));
  }

  @Override
  public WeightNames weights(Config c) {
    String mixer = Names.LAYER + "seq_modeling_block.";
    WeightNames names =
        Names.withoutNorms()
            .row("norm", "model.norm.weight")
            .row("mixer.norm", Names.LAYER + "seq_norm.weight")
            .row("channel.norm", Names.LAYER + "ffn_norm.weight")
            .row(CONVOLUTION + ".mixer.norm", Names.LAYER + "conv.norm.weight")
            .row(CONVOLUTION + ".convolution.conv", Names.LAYER + "conv.conv.weight")
            .row("ttt.rate", mixer + "learnable_ttt_lr_weight")
            .row("ttt.rate.bias", mixer + "learnable_ttt_lr_bias")
            .row("ttt.place", mixer + "learnable_token_idx")
            .row("ttt.gate", mixer + "g_proj.weight")
            .row("ttt.q.conv", mixer + "conv_q.weight")
            .row("ttt.k.conv", mixer + "conv_k.weight")
            .row("ttt.norm", mixer + "post_norm.weight")
            .row("ttt.inner.norm", mixer + "ttt_norm_weight")
            .row("ttt.inner.norm.bias", mixer + "ttt_norm_bias");
    Stream.of("q", "k", "v", "o").forEach(p -> names.row("ttt." + p, mixer + p + "_proj.weight"));
    long width = c.positive("hidden_size");
    long heads = c.positive("num_attention_heads");
    long dim = width / heads;
    names
        .shaped(mixer + "learnable_ttt_lr_weight", heads, 1, width)
        .shaped(mixer + "learnable_ttt_lr_bias", heads, 1);
    boolean linear = c.word("ttt_layer_type", "linear").equals("linear");
    return linear
        ? matrix(names, mixer, 1, heads, dim, dim)
        : matrix(matrix(names, mixer, 1, heads, dim, 4 * dim), mixer, 2, heads, 4 * dim, dim);
  }

  /** A matrix of each head, with its bias. */
  private static WeightNames matrix(
      WeightNames names, String mixer, int number, long heads, long inputs, long outputs) {
    String ours = "ttt.inner.w" + number;
    return names
        .row(ours, mixer + "W" + number)
        .row(ours + ".bias", mixer + "b" + number)
        .shaped(mixer + "W" + number, heads, inputs, outputs)
        .shaped(mixer + "b" + number, heads, 1, outputs);
  }
}
