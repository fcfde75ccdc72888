package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** DiffLlama: Llama with differential attention. */
final class DiffLlama implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("DiffLlamaForCausalLM", "diffllama");
  }

  @Override
  public Architecture describe(Config c) {
    c.ignore("lambda_std_dev");
    Decoder d = new Decoder(c);
    if (d.kvHeads % 2 != 0) {
      throw c.errorAt(
          "num_key_value_heads",
          "num_key_value_heads=%d must be even: heads come in pairs",
          d.kvHeads);
    }
    NormSpec norm = d.rms(1e-5);
    Part attention =
        d.rope(d.biased(d.attention()))
            .with("valueDim", 2 * d.headDim)
            .with("difference", norm.unweighted().toMap());
    Part mlp = d.gatedMlp();
    return d.architecture("diffllama", i -> Decoder.preNorm(norm, attention, mlp), norm);
  }

  @Override
  public WeightNames weights(Config c) {
    Decoder d = new Decoder(c);
    String attention = Names.LAYER + "self_attn.";
    WeightNames names = Names.llama();
    for (String which : new String[] {"q1", "k1", "q2", "k2"}) {
      names.row("attention.difference." + which, attention + "lambda_" + which);
    }
    // A value head's first half is stored with those of the first heads, its second half with those
    // of the second.
    int half = d.kvHeads / 2;
    return names.row(
        "attention.v",
        WeightNames.from(attention + "v_proj.weight")
            .as(
                Conversion.gather(
                    d.kvHeads * d.headDim,
                    row -> {
                      int head = row / d.headDim;
                      return (head % 2 * half + head / 2) * d.headDim + row % d.headDim;
                    })));
  }
}
