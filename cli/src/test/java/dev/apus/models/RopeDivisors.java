package dev.apus.models;

import dev.apus.core.config.Config;

/** Llama 3's stretched rotation as GGUF has it: by how much each pair turns slower. */
final class RopeDivisors {

  private RopeDivisors() {}

  /** A divisor for each pair; none if the rotation is not Llama 3's. */
  static float[] of(Config config) {
    if (!config.has("rope_parameters")) {
      return new float[0];
    }
    Config rope = config.section("rope_parameters");
    if (!rope.word("rope_type", "").equals("llama3")) {
      return new float[0];
    }
    int headDim = config.positive("head_dim");
    double factor = rope.number("factor");
    double low = rope.number("low_freq_factor");
    double high = rope.number("high_freq_factor");
    double original = rope.number("original_max_position_embeddings");
    float[] divisors = new float[headDim / 2];
    for (int i = 0; i < divisors.length; i++) {
      float frequency = 1 / (float) StrictMath.pow(rope.number("rope_theta"), 2f * i / headDim);
      double wavelength = 2 * Math.PI / frequency;
      if (wavelength < original / high) {
        divisors[i] = 1;
      } else if (wavelength > original / low) {
        divisors[i] = (float) factor;
      } else {
        double smooth = (original / wavelength - low) / (high - low);
        divisors[i] = (float) (1 / ((1 - smooth) / factor + smooth));
      }
    }
    return divisors;
  }
}
