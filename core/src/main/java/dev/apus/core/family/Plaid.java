package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Diffusion;
import dev.apus.core.model.GaussianSpec;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * Plaid, whose noise is in the vectors of tokens. Its authors publish no config; the settings are
 * the arguments of their programs, and the names of tensors those of their four modules, each
 * behind the module's name.
 *
 * @see <a href="https://arxiv.org/abs/2305.18619">Likelihood-Based Diffusion Language Models</a>
 */
final class Plaid implements ModelFamily {

  private static final String MODEL = "model.";
  private static final String BLOCK = MODEL + "blocks.{i}.";
  private static final String SCHEDULE = "noise_schedule.";
  private static final int FREQUENCIES = 64;
  private static final double RANGE = 5;
  private static final int UNITS = 1024;

  @Override
  public List<String> names() {
    return List.of("Plaid", "plaid");
  }

  @Override
  public Architecture describe(Config c) {
    // Where the schedule began; it was learned.
    c.ignore("gamma_0", "gamma_1");
    base(c);
    Decoder d =
        new Decoder(
            c,
            c.positive("dim"),
            c.positive("n_blocks"),
            c.positive("n_heads"),
            c.positive("seq_len", 256));
    NormSpec norm = NormSpec.rms(1e-5);
    Part attention = RopeSettings.of(c, null, 10_000, d.headDim, d.context).on(d.attention());
    float scale = (float) (1 / Math.sqrt(d.layers));
    Part mlp = Decoder.mlp(4 * d.width, "gelu-tanh", false);
    var layer =
        Architecture.Layer.of(
            Branch.mixer(attention, norm).scaled(scale), Branch.channel(mlp, norm).scaled(scale));
    var noise = new GaussianSpec(c.positive("embed_dim", 16), FREQUENCIES, RANGE, UNITS);
    return d.architecture(
            "plaid",
            Embedding.PLAIN,
            i -> layer,
            NormSpec.layer(1e-5, false),
            new Head(false, true, 1, 0))
        .denoising(Diffusion.ofVectors(noise));
  }

  /** The width from which μP scales what the head reads. */
  private static int base(Config c) {
    return c.positive("base_dim", 256);
  }

  @Override
  public WeightNames weights(Config c) {
    int width = c.positive("dim");
    Conversion scaled = Conversion.scaled((float) base(c) / width);
    WeightNames names =
        new WeightNames()
            .row("embedding", "embedding_matrix.matrix")
            .row("gaussian.in", MODEL + "input_linear.weight")
            .row("gaussian.expected", MODEL + "selfcond_linear.weight")
            .row("gaussian.level", MODEL + "gamma_linear.weight")
            .row("gaussian.schedule.in", SCHEDULE + "W1")
            .row("gaussian.schedule.bias", SCHEDULE + "b1")
            .row("gaussian.schedule.out", SCHEDULE + "W2")
            .row("gaussian.schedule.least", "gamma_bounds.gamma_0")
            .row("gaussian.schedule.most", "gamma_bounds.gamma_1")
            .row("norm", WeightNames.from(MODEL + "output_norm.weight").as(scaled))
            .row("head", MODEL + "output_linear.weight")
            .row("mixer.norm", BLOCK + "rmsnorm1.weight")
            .row("channel.norm", BLOCK + "rmsnorm2.weight")
            .row("attention.o", BLOCK + "attn_out.weight")
            .shaped(SCHEDULE + "W1", UNITS, 1)
            .shaped(SCHEDULE + "W2", 1, UNITS)
            .shaped("gamma_bounds.gamma_0")
            .shaped("gamma_bounds.gamma_1")
            .ignore(".*rotary_emb\\.inv_freq");
    Names.fusedQkv(names, BLOCK + "attn_qkv.weight", width, width);
    return Names.mlp(names, BLOCK + "mlp.fc1.weight", BLOCK + "mlp.fc2.weight");
  }
}
