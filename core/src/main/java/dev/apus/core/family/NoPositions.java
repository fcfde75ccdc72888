package dev.apus.core.family;

import java.util.ArrayList;
import java.util.List;

/** Which layers of a decoder have no positions, in families where most have rotary ones. */
final class NoPositions {

  private NoPositions() {}

  /** For each layer 1 if it is rotated, despite the setting's name, and 0 if it is not. */
  static List<Integer> rotated(Decoder d) {
    int interval = d.c.positive("no_rope_layer_interval", 4);
    List<Integer> given = d.c.has("no_rope_layers") ? d.c.integers("no_rope_layers") : List.of();
    if (!given.isEmpty()) {
      if (given.size() != d.layers) {
        throw d.c.errorAt(
            "no_rope_layers",
            "no_rope_layers has %d entries, num_hidden_layers=%d",
            given.size(),
            d.layers);
      }
      return given;
    }
    List<Integer> rope = new ArrayList<>();
    for (int i = 0; i < d.layers; i++) {
      rope.add((i + 1) % interval == 0 ? 0 : 1);
    }
    return rope;
  }
}
