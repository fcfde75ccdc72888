package dev.apus.benchmarks.context;

import java.util.List;

/** Which layers are measured side by side. */
enum Comparison {
  MEMORIES(
      "context",
      List.of(
          LayerKind.FULL, LayerKind.WINDOW, LayerKind.DELTA, LayerKind.MAMBA2, LayerKind.HYBRID),
      "attention with 8 heads of 64 over 2 key–value heads, Gated DeltaNet with 8 value heads of 64"
          + " over 4 key heads of 64, or Mamba-2 with 16 heads of 64 and a state of 128",
      false),
  RULES(
      "rules",
      List.of(
          LayerKind.FULL,
          LayerKind.LINEAR,
          LayerKind.GLA,
          LayerKind.DELTA,
          LayerKind.MLSTM,
          LayerKind.HGRN,
          LayerKind.TTT),
      "8 heads with values of 64: attention over 2 key–value heads, Gated DeltaNet over 4 key"
          + " heads, mLSTM with keys of 32, the others with keys of 64; or 512 channels, for HGRN",
      false),
  ATTENTION(
      "attention",
      List.of(
          LayerKind.FULL,
          LayerKind.WINDOW,
          LayerKind.QUEST,
          LayerKind.MOBA,
          LayerKind.NSA,
          LayerKind.MLA),
      "8 heads of 64 over 2 key–value heads, or over latents of 128 values and shared keys of 32",
      true);

  private final String section;
  private final List<LayerKind> kinds;
  private final String shapes;
  private final boolean prompts;

  Comparison(String section, List<LayerKind> kinds, String shapes, boolean prompts) {
    this.section = section;
    this.kinds = kinds;
    this.shapes = shapes;
    this.prompts = prompts;
  }

  /** What the section of a page and the charts are called. */
  String section() {
    return section;
  }

  List<LayerKind> kinds() {
    return kinds;
  }

  /** Whether blocks of prompts are measured, and not only single tokens. */
  boolean prompts() {
    return prompts;
  }

  /** What a report says of the sizes. */
  String sizes() {
    return "One layer of width 512 with random BF16 weights: "
        + shapes
        + ". Layers alone: no embedding, norm, MLP or head. Keys and values are F32.";
  }
}
