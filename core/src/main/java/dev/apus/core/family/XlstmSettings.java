package dev.apus.core.family;

import dev.apus.core.config.Config;

/**
 * How large the parts of an xLSTM are.
 *
 * @param keys all keys of a layer; likewise {@code values}
 * @param inner values of a block between its two stages
 * @param fused whether matrices that read the same rows are one tensor
 */
record XlstmSettings(int width, int heads, int keys, int values, int inner, boolean fused) {

  static XlstmSettings read(Config c) {
    int width = c.positive(Decoder.spelled(c, "hidden_size", "embedding_dim"));
    int heads = c.positive("num_heads", 8);
    int step = c.positive("ffn_round_up_to_multiple_of", 64);
    double inner = share(c, "ffn_proj_factor", 2.667, width);
    double rounded = Math.floor((inner + step - 1) / step) * step;
    if (rounded > Integer.MAX_VALUE) {
      throw c.errorAt("ffn_proj_factor", "%s values are too many to compute", rounded);
    }
    return new XlstmSettings(
        width,
        heads,
        ofHeads(c, "qk_dim_factor", 0.5, width, heads),
        ofHeads(c, "v_dim_factor", 1, width, heads),
        (int) rounded,
        c.choice("weight_mode", "single", "single", "fused").equals("fused"));
  }

  private static double share(Config c, String key, double absent, int width) {
    double size = width * c.number(key, absent);
    if (!(size >= 1 && size <= Integer.MAX_VALUE)) {
      throw c.errorAt(key, "%s=%s of %d is no size", key, c.number(key, absent), width);
    }
    return size;
  }

  private static int ofHeads(Config c, String key, double absent, int width, int heads) {
    int size = (int) share(c, key, absent, width);
    if (size % heads != 0) {
      throw c.errorAt(
          key,
          "%s=%s makes %d values, which are not divisible by num_heads=%d",
          key,
          c.number(key, absent),
          size,
          heads);
    }
    return size;
  }

  /**
   * Refuses what models made otherwise would have, and passes over how the reference computes, how
   * its training began, and what follows from other settings.
   */
  static void checkRest(Config c) {
    for (String flag : new String[] {"add_out_norm", "add_post_blocks_norm"}) {
      Decoder.only(c, flag, true);
    }
    for (String flag : new String[] {"use_bias", "add_post_norm", "add_qk_norm"}) {
      Decoder.only(c, flag, false);
    }
    c.ignore(
        "add_embedding_dropout",
        "add_forward_backend_padding",
        "autocast_kernel_dtype",
        "cell_norm_eps",
        "chunk_size",
        "chunkwise_kernel",
        "force_bos_token_insert",
        "head_dim",
        "igate_bias_init_range",
        "inference_state_dtype",
        "max_inference_chunksize",
        "mlstm_round_up_to_multiple_of",
        "mode",
        "norm_reduction_force_float32",
        "return_last_states",
        "sequence_kernel",
        "step_kernel");
  }
}
